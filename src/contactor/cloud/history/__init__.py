"""What happened, kept: facts found in the lake once, and anew only where rows have changed.

area       the tables in `history.sqlite3`
coding     facts as they are kept
store      FactStore: the facts of every vehicle, replaced from an instant on
changes    which rows of a vehicle are new in a snapshot of the lake
rows       columns of a vehicle out of the lake
refresh    Refresher: rows that are new to facts
documents  trips, charges and places as JSON
consumption  why a trip took what it took
keeper     HistoryKeeper: what is asked of it all, refreshed first
fleet      the facts of many vehicles, on many cores or a cluster

Everything here can be found again: without its file the next question finds it in the lake.
"""
