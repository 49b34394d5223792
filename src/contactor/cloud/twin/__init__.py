"""The twin: the last reported and the desired values of every car, and who wants to hear of them.

cells     the numbers of all cars in one matrix; text, arrays and long integers beside it
twin      takes in records, tells what is stale, describes a car
events    what subscribers are told; the JSON of the live stream
feed      bounded subscriptions: the newest value of a path replaces one that waits
restore   fills the twin from the newest values of the lake
"""
