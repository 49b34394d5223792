"""Many cars of one model at once: the equations of the single car over arrays, in machine code.

fleet.py      the cars: what differs between them, their state; driving them, letting them live
schedule.py   what each of them does, for as long as a year
columns.py    a car model as the arrays that the kernel works on
layout.py     how these arrays lie
kernel.py     the compiled loop
passes.py     a step of the cars that drive
lanes.py      the clock of each car, from one drive to the next
standing.py   the steps between two drives
battery.py    the battery in these
"""
