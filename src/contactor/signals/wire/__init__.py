"""The wire form of records, version 2: columns of bytes that a microcontroller can write.

envelope    what every message begins with: its kind, and whose it is
codebook    the signal table of a stream: a code for each path
encode      records, gaps and codebooks to bytes
decode      and back, one message at a time

docs/reference/wire.md says it byte by byte.
"""
