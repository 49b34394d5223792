"""The twin: the last reported and the desired values of every car, and who wants to hear of them.

cells       the numbers of all cars in matrices; words, and what no number can hold, beside them
batches     what of many rows is newest
twin        takes in rows, tells what is stale, describes a car
staleness   which values no longer hold; hearing: where each car stands
query       questions to the fleet as text; select answers them
events      what subscribers are told; the JSON of the live stream
feed        bounded subscriptions: a slow one is told the state again
snapshot    the twin as a file (kept_cells: of what); restore fills it at a start; keeper does both
"""
