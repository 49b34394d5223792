"""The lake's upkeep: its files put in order behind the ingest.

plan        which parts are due, and for what
merge       the rows of parts, vehicle after vehicle, in bounded memory
tiers       rows as sums per minute and hour, and sums of sums
upkeep      doing it: merge, pack, retire, vacuum
erasure     one vehicle, gone
"""
