"""Typing a name with eight keys of letters, as on an old telephone.

Chinese: keys → syllables they may mean → characters of one syllable. The two dots of
ü cost nothing here: u and v are on the same key, and lü is written lv as usual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LETTERS: Mapping[str, str] = {
    "2": "ABC",
    "3": "DEF",
    "4": "GHI",
    "5": "JKL",
    "6": "MNO",
    "7": "PQRS",
    "8": "TUV",
    "9": "WXYZ",
}
"""What each key stands for."""

_KEY_OF = {letter.lower(): key for key, letters in LETTERS.items() for letter in letters}


def keys_of(syllable: str) -> str:
    """The keys that spell it: `wang` → `9264`."""
    return "".join(_KEY_OF[letter] for letter in syllable)


@dataclass(frozen=True, slots=True)
class Spelling:
    """`table` has the characters of each toneless syllable, the common ones first."""

    table: Mapping[str, str]

    def syllables(self, keys: str) -> tuple[str, ...]:
        """All that are spelt by exactly these keys."""
        return tuple(s for s in self.table if len(s) == len(keys) and keys_of(s) == keys)

    def goes_on(self, keys: str) -> bool:
        """Whether any syllable begins with these keys."""
        return any(keys_of(s).startswith(keys) for s in self.table)
