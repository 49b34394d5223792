"""The lake: columnar history of every car in one Delta table.

schema    what a flush holds, and the storage type of each VSS type
frames    rows of a record as frames in lake schema
tables    a flush as tables, its bookkeeping among them
ports     LakeStore: commit, snapshot, streams; drivers: memory, local
local     a folder: durable commits; over delta (the table), log and parts (its files)
reading   a selection of rows out of a view, typed as VSS; layouts: wide, long
lake      the face in Python; summary: the JSON of signals and series
"""
