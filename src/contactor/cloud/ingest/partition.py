"""Which of several ingests a vehicle belongs to: a pure function of its id.

part of the vehicle    0 1 2 ... 31   32 33 ... 63     FNV-1a of its id modulo 64 (`link.parts`)
ingest of two          1/2            2/2
ingest of four         1/4     2/4    3/4     4/4

partition = Partition.parse("2/4")
partition.owns("leaf")          # True: its part is 21
partition.name                  # 'ingest-2-of-4', its consumer
"""

import re
from dataclasses import dataclass, field

from contactor.errors import UsageError
from contactor.link.parts import PARTS, part_of

PREFIX = "ingest"
_TEXT = re.compile(r"([1-9][0-9]?)/([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Partition:
    """The `number`-th of `count` ingests, from 1 on."""

    number: int
    count: int
    parts: frozenset[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= PARTS:
            raise UsageError(
                f"partition {self.number}/{self.count}; allowed: k/n with 1 <= k <= n <= {PARTS}"
            )
        mine = (part for part in range(PARTS) if part * self.count // PARTS == self.number - 1)
        object.__setattr__(self, "parts", frozenset(mine))

    @classmethod
    def parse(cls, text: str) -> "Partition":
        """The partition that "k/n" names.

        Raises:
            UsageError: it names none.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise UsageError(
                f"partition {text[:40]!r}; allowed: k/n with 1 <= k <= n <= {PARTS}, such as 2/4"
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def name(self) -> str:
        """The name of its consumer."""
        return f"{PREFIX}-{self.number}-of-{self.count}"

    @property
    def all(self) -> "tuple[Partition, ...]":
        """Every partition of so many."""
        return tuple(Partition(number, self.count) for number in range(1, self.count + 1))

    def owns(self, vehicle_id: str) -> bool:
        """Whether the vehicle's records are for this ingest."""
        return part_of(vehicle_id) in self.parts
