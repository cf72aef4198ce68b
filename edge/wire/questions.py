"""Questions and answers: a kiosk about a person, the registry about missing records.

A lookup carries the number itself and not a keyed hash: it is sealed to the registry, and
every kiosk hashes with a key of its own. The answer has the request's message id as its
own, inside the signature, so that no answer can be passed off as that to another question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge.domain.errors import WireError
from edge.domain.matters import Held, HeldProof
from edge.domain.people import RosterEntry
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need
from edge.wire.messages import entry_fields, parse_entry

Span = tuple[int, int]
"""First and last number of a run of places in a chain, both included."""

MAX_SPANS = 20
MAX_PLACES = 200
"""No question asks for more records than this, whatever is missing."""
MAX_PROOFS = 40
"""Ten pages at the kiosk; who was certified more often sees the newest."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Places of one chain that never reached the registry."""

    epoch: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """The kiosk's signed word that some of those places are gone for good.

    `pruned`: the record was there and is past its keeping time. `unknown`: there never was
    one, or the chain is of a database that the kiosk no longer has.
    """

    epoch: str
    pruned: tuple[Span, ...] = ()
    unknown: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registry knows of a person: what a roster says, or nothing."""

    entry: RosterEntry | None = field(repr=False)


def lookup_body(id_number: str) -> bytes:
    return canonical({"id_number": id_number})


def parse_lookup(body: bytes) -> str:
    """The number asked for; raises `WireError("body")`."""
    number = json_object(body).get("id_number")
    if not isinstance(number, str) or not 1 <= len(number) <= 20 or not number.isalnum():
        raise WireError("body", "id_number is not of its kind")
    return number


def answer_body(answer: Answer) -> bytes:
    return canonical({"entry": entry_fields(answer.entry) if answer.entry else None})


def parse_answer(body: bytes) -> Answer:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    try:
        row = fields["entry"]
        return Answer(None if row is None else parse_entry(row))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise WireError("body", "not an answer about a person") from error


@dataclass(frozen=True, slots=True)
class HistoryQuestion:
    """What is kept of somebody, asked for by themselves; `access` is the id of their proof."""

    id_number: str = field(repr=False)
    access: str


@dataclass(frozen=True, slots=True)
class History:
    """What the registry keeps of a person, as far as they may see it; or that it knows nobody."""

    held: Held | None = field(repr=False)


def history_question_body(question: HistoryQuestion) -> bytes:
    return canonical({"id_number": question.id_number, "access": question.access})


def parse_history_question(body: bytes) -> HistoryQuestion:
    """Raises `WireError("body")`."""
    access = json_object(body).get("access")
    need(isinstance(access, str) and 1 <= len(access) <= 64 and access.isprintable(), "access")
    return HistoryQuestion(parse_lookup(body), str(access))


def history_body(history: History) -> bytes:
    return canonical({"held": _held_fields(history.held) if history.held else None})


def _held_fields(held: Held) -> dict[str, Any]:
    return {
        "name": held.masked_name,
        "category": held.category,
        "region": held.region,
        "due": held.due_by.isoformat(),
        "certified": held.certified_on.isoformat() if held.certified_on else None,
        "proofs": [_proof_fields(proof) for proof in held.proofs],
    }


def _proof_fields(proof: HeldProof) -> dict[str, Any]:
    return {
        "day": proof.day.isoformat(),
        "method": proof.method,
        "place": proof.place,
        "result": proof.result,
        "counts": proof.counts,
        "receipt": proof.receipt_no,
    }


def parse_history(body: bytes) -> History:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    try:
        row = fields["held"]
        return History(None if row is None else _held(row))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise WireError("body", "not an answer about what is kept") from error


def _held(row: dict[str, Any]) -> Held:
    certified, proofs = row["certified"], row["proofs"]
    need(isinstance(proofs, list) and len(proofs) <= MAX_PROOFS, "proofs")
    return Held(
        masked_name=str(row["name"]),
        category=str(row["category"]),
        region=str(row["region"]),
        due_by=date.fromisoformat(row["due"]),
        certified_on=date.fromisoformat(certified) if certified else None,
        proofs=tuple(_proof(item) for item in proofs),
    )


def _proof(row: dict[str, Any]) -> HeldProof:
    return HeldProof(
        day=date.fromisoformat(row["day"]),
        method=str(row["method"]),
        place=str(row["place"]),
        result=str(row["result"]),
        counts=row["counts"] is True,
        receipt_no=str(row["receipt"]),
    )


def ask_body(ask: Ask) -> bytes:
    return canonical({"epoch": ask.epoch, "spans": ask.spans})


def parse_ask(body: bytes) -> Ask:
    """Raises `WireError("body")`, also for a question about more places than is allowed."""
    fields = json_object(body)
    return Ask(_epoch(fields), _spans(fields.get("spans")))


def told_body(told: Told) -> bytes:
    return canonical({"epoch": told.epoch, "pruned": told.pruned, "unknown": told.unknown})


def parse_told(body: bytes) -> Told:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    return Told(_epoch(fields), _spans(fields.get("pruned")), _spans(fields.get("unknown")))


def places(spans: Iterable[Span]) -> list[int]:
    """Every single number of some spans."""
    return [seq for first, last in spans for seq in range(first, last + 1)]


def spans_of(seqs: Iterable[int]) -> tuple[Span, ...]:
    """The fewest spans that hold these numbers, ascending."""
    spans: list[Span] = []
    for seq in sorted(set(seqs)):
        if spans and spans[-1][1] == seq - 1:
            spans[-1] = (spans[-1][0], seq)
        else:
            spans.append((seq, seq))
    return tuple(spans)


def bounded(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The first of some spans, so few that they fit one question."""
    taken: list[Span] = []
    left = MAX_PLACES
    for first, last in spans:
        if not left or len(taken) == MAX_SPANS:
            break
        taken.append((first, min(last, first + left - 1)))
        left -= taken[-1][1] - first + 1
    return tuple(taken)


def _epoch(fields: dict[str, Any]) -> str:
    epoch = fields.get("epoch")
    if not isinstance(epoch, str) or not 1 <= len(epoch) <= 64 or not epoch.isprintable():
        raise WireError("body", "epoch is not of its kind")
    return epoch


def _spans(value: Any) -> tuple[Span, ...]:
    if not isinstance(value, list) or len(value) > MAX_PLACES:
        raise WireError("body", "not a list of spans")
    spans = tuple(_span(item) for item in value)
    if sum(last - first + 1 for first, last in spans) > MAX_PLACES:
        raise WireError("body", "more places than one question may name")
    return spans


def _span(item: Any) -> Span:
    if not isinstance(item, list) or len(item) != 2 or not all(type(n) is int for n in item):
        raise WireError("body", "not a span")
    first, last = item
    if not 1 <= first <= last < 2**62:
        raise WireError("body", "not a span")
    return first, last
