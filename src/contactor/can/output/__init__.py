"""Decoded recordings as files, chunk by chunk and in bounded memory.

spool.py       frames set aside, message by message
messages.py    a folder with one Parquet file per message
long.py        one Parquet or CSV file with a row per reading
parquet.py     how a Parquet file is written
whole.py       a file that appears under its name only when it is whole
"""
