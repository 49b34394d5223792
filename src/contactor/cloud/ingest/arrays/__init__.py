"""Many messages at once, from their bytes straight to columns, in machine code.

scan         one pass over the bytes of many records: where their blocks and columns lie
fill         cells into columns, and whether each is allowed
decode       both together: records of one codebook to one batch per layout
sample_scan  samples in JSON of one shape to cells
samples      samples in JSON of shapes that are known to batches

What is out of the ordinary (a damaged record, arrays of text, a value out of range) is left to
`signals`, message by message, which says what is wrong.
"""
