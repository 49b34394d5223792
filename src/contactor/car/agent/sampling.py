"""Which instants of a car's are kept."""

from enum import StrEnum


class Sampling(StrEnum):
    """Every instant, or those that the rules of the groups choose."""

    EVERY = "every"
    PROFILE = "profile"
