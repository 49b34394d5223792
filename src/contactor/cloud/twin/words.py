"""Texts as numbers, so that a signal of texts is a column of the matrix as any other.

    words = Words()
    words.codes(["D", "R", "D"])        # [0, 1, 0]
    words[1]                            # 'R'

Words that no car holds any more are let go: see `Cells`.
"""

from collections.abc import Iterable, Sequence


class Words:
    """The words of one signal, each with a code of its own."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words = list(words)
        self._codes = {word: code for code, word in enumerate(self._words)}

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, code: int) -> str:
        return self._words[code]

    def find(self, word: str) -> int | None:
        """The code of a word that has one."""
        return self._codes.get(word)

    def codes(self, words: Iterable[str]) -> list[int]:
        """The code of each, made where a word is new."""
        known, found = self._codes, []
        for word in words:
            code = known.get(word)
            if code is None:
                code = known[word] = len(self._words)
                self._words.append(word)
            found.append(code)
        return found

    def only(self, codes: Sequence[int]) -> "Words":
        """Those words alone, in that order, which is their new code."""
        return Words(self._words[code] for code in codes)

    def as_tuple(self) -> tuple[str, ...]:
        """By code."""
        return tuple(self._words)
