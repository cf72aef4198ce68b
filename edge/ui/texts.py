"""The words of screen, voice and paper. Strict: a gap in a catalogue is a bug, never a blank."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from edge.domain.errors import KioskError
from edge.session.states import Language


class TextError(KioskError):
    """A text is missing, or was asked for with other placeholders than it has."""


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """All texts of a language by dotted key, such as `home.title`; placeholders unfilled."""
    source = files("edge.ui") / "texts" / f"{language.value}.toml"
    sections = tomllib.loads(source.read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            f"{section}.{key}": words
            for section, texts in sections.items()
            for key, words in texts.items()
        }
    )


@cache
def name_characters() -> Mapping[str, str]:
    """Characters of names by syllable, the common ones first."""
    source = files("edge.ui") / "texts" / "characters.toml"
    return MappingProxyType(tomllib.loads(source.read_text(encoding="utf-8")))


def text(language: Language, key: str, **params: object) -> str:
    """One text with its placeholders filled. Raises `TextError` unless they match exactly."""
    try:
        words = catalogue(language)[key]
    except KeyError:
        raise TextError(f"{language.value}.toml has no {key}") from None
    if placeholders(words) != params.keys():
        raise TextError(f"{key} needs {sorted(placeholders(words))}, got {sorted(params)}")
    return words.format(**params)


@cache
def placeholders(words: str) -> frozenset[str]:
    """Names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(words) if name)
