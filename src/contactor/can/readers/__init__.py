"""Readers: one small module per log format, each turning whole lines into columns of frames.

A parser raises nothing, whatever the bytes; what it cannot read, it refuses with a cause.

    table.py            the formats, one row each: what they look like, who parses them
    lines.py            a block of bytes as lines, words and cells
    numbers.py          digits in bytes as numbers, a whole column at a time
    parsed.py           what a parser gives back: frames, and why a line was no frame
    clocks.py           clocks that begin again, times that add up
    stamps.py           stamps in brackets, stamps that count a unit
    spelled_dates.py    dates in any language
    headers.py          columns by the names in a header
    spreadsheet.py      what a spreadsheet ruined, and what of it can be put back
    candump.py ...      one format each
    foreign.py          what a file is when it is none of these
"""
