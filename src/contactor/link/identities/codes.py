"""Enrolment codes: short enough to be read out, with a check character. No I/O.

    7K4M-Q2XP-9TD       ten characters by chance (49 bits) and one that checks them

Of 31 characters, which is a prime: no I, L, O, U and Z, which are read as 1, 1, 0, V and 2. The
weighted sum of all eleven is 0 modulo 31, so a wrong character or two that changed places are
always seen, before anybody is asked.

    code = EnrolmentCode.make()
    EnrolmentCode.read("7k4m q2xp 9td").text
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from contactor.errors import UsageError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXY"
LENGTH: Final = 11
GROUPS: Final = (4, 4, 3)
_MODULUS: Final = len(ALPHABET)
_READ_AS: Final = str.maketrans("ILOUZ", "110V2", "- \t")
_TICKET: Final = b"contactor enrolment ticket\0"


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """One code; its characters without the dashes are its secret."""

    characters: str = field(repr=False)

    @classmethod
    def make(cls) -> "EnrolmentCode":
        """A new one, by chance."""
        values = [secrets.randbelow(_MODULUS) for _ in range(LENGTH - 1)]
        check = -_weighted(values) * pow(LENGTH, -1, _MODULUS) % _MODULUS
        return cls("".join(ALPHABET[value] for value in (*values, check)))

    @classmethod
    def read(cls, text: str) -> "EnrolmentCode":
        """The code that somebody typed.

        Raises:
            UsageError: it is none, or something in it is mistyped; the text does not repeat it.
        """
        characters = text.upper().translate(_READ_AS)
        if len(characters) != LENGTH or any(one not in ALPHABET for one in characters):
            raise UsageError(
                f"no enrolment code: expected {LENGTH} letters and digits, XXXX-XXXX-XXX"
            )
        if _weighted([ALPHABET.index(one) for one in characters]):
            raise UsageError("enrolment code is mistyped: its check character does not fit")
        return cls(characters)

    @property
    def text(self) -> str:
        """As it is shown, in groups."""
        first, second, _ = GROUPS
        middle = first + second
        code = self.characters
        return f"{code[:first]}-{code[first:middle]}-{code[middle:]}"

    @property
    def ticket(self) -> str:
        """What the car and the cloud call this enrolment on the link: no secret, 32 hex digits."""
        return hashlib.sha256(_TICKET + self.characters.encode()).hexdigest()[:32]

    def digest(self, key: bytes) -> bytes:
        """What is kept of it; without the key nobody finds the code again by trying all."""
        return hmac.digest(key, self.characters.encode(), "sha256")


def _weighted(values: list[int]) -> int:
    return sum(place * value for place, value in enumerate(values, start=1)) % _MODULUS
