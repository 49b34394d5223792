"""Many records at once, from their bytes straight to columns, in machine code.

scan     one pass over the bytes of many records: where their blocks and columns lie
fill     cells into columns, and whether each is allowed
decode   both together: records of one codebook to one batch per layout

What is out of the ordinary (a damaged record, arrays of text, a value out of range) is left to
`signals`, record by record, which says what is wrong.
"""
