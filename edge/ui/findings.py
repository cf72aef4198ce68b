"""The words for what was found of the kiosk's parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.domain.findings import Finding, Status
from edge.session.states import Language
from edge.ui.texts import catalogue


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in a technician's words; `fix` is empty where there is nothing to do."""

    part: str
    status: str
    state: str
    tried: str
    fix: str


class _Facts(dict[str, object]):
    """A check that failed in an unforeseen way knows less than its words ask for."""

    def __missing__(self, name: str) -> str:
        return "?"


def told(found: Finding, language: Language) -> Told:
    words = catalogue(language)
    own = f"doctor.{found.part}.{found.code}"
    state = words.get(own) or words[f"doctor.any.{found.code}"]
    fix = words.get(f"{own}.fix") or words.get(f"doctor.any.{found.code}.fix", "")
    facts = _Facts(found.facts)
    return Told(
        part=words[f"doctor.{found.part}"],
        status=words[f"doctor.status.{found.status.value}"],
        state=state.format_map(facts),
        tried=_tried(found, words).format_map(facts),
        fix="" if found.status is Status.OK else fix.format_map(facts),
    )


def _tried(found: Finding, words: Mapping[str, str]) -> str:
    if found.status is Status.NOT_TRIED:
        return ""
    if "since" in found.facts:
        return words["doctor.asked_kiosk"]
    return words[f"doctor.{found.part}.tried"]
