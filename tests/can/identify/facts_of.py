from contactor.can.frames import FrameTable
from contactor.can.identify import IdentifierFacts, IdentifierFactsBuilder


def identifier_facts(frames: FrameTable) -> dict[str, IdentifierFacts]:
    """What `ids` tells of one table of frames."""
    builder = IdentifierFactsBuilder()
    builder.add(frames)
    return builder.facts()
