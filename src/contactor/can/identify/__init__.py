"""What a reverse engineer wants to know of a bus first, without a database.

    builder = IdentifierFactsBuilder()
    for frames in log.chunks():
        builder.add(frames)
    builder.facts()["0x1db"]["counters"]      # [{"bits": "48|2@1+", "step": 1, "modulo": 4, ...}]

    facts.py         what is told, as plain values for JSON
    builder.py       frames by id, table by table, in bounded memory
    tallies.py       how often every byte had every value, and every bit flipped: of all frames
    pace.py          how far apart frames come: of all frames, or of an even sample
    watch.py         what is guessed on a window of frames and then checked on all that follow
    counters.py, checksums.py, signals.py, multiplexers.py, texts.py    what is guessed

What is guessed says how many frames it was checked on, and in how many it held.
"""

from contactor.can.identify.builder import IdentifierFactsBuilder
from contactor.can.identify.facts import BusFacts, IdentifierFacts

__all__ = ["BusFacts", "IdentifierFacts", "IdentifierFactsBuilder"]
