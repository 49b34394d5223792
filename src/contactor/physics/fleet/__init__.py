"""Many cars of one model at once: the equations of the single car over arrays, in machine code.

fleet.py      the cars: what differs between them, their state, driving them along a trace
layout.py     how the arrays lie that the kernel works on
kernel.py     the compiled loop
"""
