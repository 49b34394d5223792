"""One input out of a million: from a seed and a number, always the same.

case = Cases(samples, seed=1).make(48_213)
case.sample.name, case.content, case.suffix
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tools.fuzzing.mutations import mutated
from tools.fuzzing.samples import PACKERS, Kind, Sample

# How often each kind is tried; databases take longest.
SHARES = {Kind.LOG: 70, Kind.PACKED: 12, Kind.DATABASE: 14, Kind.SIGNAL_SET: 4}
SUFFIXES = (".log", ".dbc", ".kcd", ".sym", ".arxml", ".json", "")


@dataclass(frozen=True, slots=True)
class Case:
    """An input, and what it was made from.

    `has_kernels` says whether compiled code reads it.
    """

    number: int
    sample: Sample
    content: bytes
    suffix: str
    has_kernels: bool


class Cases:
    """All inputs of one seed."""

    def __init__(self, samples: Sequence[Sample], *, seed: int) -> None:
        self.seed = seed
        self._by_kind: dict[Kind, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._by_kind[sample.kind].append(sample)
        self._kinds = [kind for kind in SHARES if self._by_kind[kind]]
        self._shares = [SHARES[kind] for kind in self._kinds]

    def make(self, number: int) -> Case:
        """The input of that number."""
        rng = random.Random(f"{self.seed}:{number}")
        kind = rng.choices(self._kinds, self._shares)[0]
        sample = rng.choice(self._by_kind[kind])
        others = [rng.choice(self._by_kind[kind]).content]
        content = mutated(sample.content, rng, others)
        if kind is Kind.LOG and rng.random() < 0.1:  # what is wrong lies inside a sound packing
            packed = Sample(Kind.PACKED, sample.name, content)
            content = rng.choice(list(PACKERS.values()))(packed)
        suffix = "." + sample.name.rpartition(".")[2]
        if rng.random() < 0.1:
            suffix = rng.choice(SUFFIXES)
        return Case(number, sample, content, suffix, has_kernels=rng.random() < 0.6)
