"""What happened: columns of one car in, facts out. Pure: it reads no clock, no file, no network.

columns   what a car told, as arrays: a row per instant, NaN where it is unknown
consumption  what drove a trip's consumption, by a regression (drive_features: of what)
facts     what is found in them: intervals, trips, charges, losses
find      columns in, facts out: scan says which rows are what, sums how much; rules hold the limits
paths     which signals give which column
geofence  circles and polygons on the Earth: inside, entered, left
journal   what people say of trips and charges, found again after a rebuild
tariff    what charging costs, and what a charge cost
places    where a car stops again and again
"""
