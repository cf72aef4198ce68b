"""Questions and answers: what goes in comes out, odd ones are refused, none names too much."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.errors import WireError
from edge.domain.people import CardKey, PastProof, PersonId, RosterEntry
from edge.wire import messages, questions, topics
from edge.wire.questions import Answer, Ask, Told

ENTRY = RosterEntry(
    CardKey("a" * 64),
    PersonId("p-1"),
    "测**者",
    "retired",
    date(2026, 12, 31),
    past=(PastProof(date(2025, 3, 1), "kiosk"),),
)
seqs = st.sets(st.integers(1, 400), max_size=300)


def test_bodies_come_back_as_they_were() -> None:
    number = "100000194508150029"
    assert questions.parse_lookup(questions.lookup_body(number)) == number
    for answer in (Answer(ENTRY), Answer(None)):
        assert questions.parse_answer(questions.answer_body(answer)) == answer
    ask = Ask("e" * 32, ((1, 3), (9, 9)))
    assert questions.parse_ask(questions.ask_body(ask)) == ask
    told = Told("e" * 32, pruned=((1, 3),), unknown=((9, 9),))
    assert questions.parse_told(questions.told_body(told)) == told


def test_an_answer_never_shows_a_person_in_a_log() -> None:
    assert "测" not in repr(Answer(ENTRY))


@given(seqs)
def test_spans_hold_exactly_their_numbers(numbers: set[int]) -> None:
    assert questions.places(questions.spans_of(numbers)) == sorted(numbers)


@given(seqs)
def test_a_bounded_question_is_one_that_is_accepted(numbers: set[int]) -> None:
    spans = questions.bounded(questions.spans_of(numbers))
    assert set(questions.places(spans)) <= numbers
    assert questions.parse_ask(questions.ask_body(Ask("e", spans))).spans == spans
    assert bool(spans) == bool(numbers)


@pytest.mark.parametrize(
    "spans",
    [None, 1, [1], [[1]], [[2, 1]], [[0, 1]], [[1, 2**62]], [[1, 201]], [[1.0, 2]], [[True, 2]]],
)
def test_odd_spans_are_refused(spans: object) -> None:
    with pytest.raises(WireError):
        questions.parse_ask(json.dumps({"epoch": "e", "spans": spans}).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id_number":1}', b'{"id_number":""}'])
def test_odd_bodies_are_refused(body: bytes) -> None:
    for parse in (questions.parse_lookup, questions.parse_answer, questions.parse_ask):
        with pytest.raises(WireError):
            parse(body)


@pytest.mark.parametrize("epoch", ["\\ud800", "\\u0000", ""])
def test_an_epoch_that_no_database_takes_is_refused(epoch: str) -> None:
    body = f'{{"epoch":"{epoch}","pruned":[],"unknown":[],"spans":[]}}'.encode()
    for parse in (questions.parse_told, questions.parse_ask):
        with pytest.raises(WireError, match="epoch"):
            parse(body)


def test_every_topic_belongs_to_one_message() -> None:
    told = {message.leaf for message in messages.MESSAGES}
    known = {value for value in vars(topics).values() if str(value).startswith(("up/", "dn/"))}
    assert told == known
    assert len({message.schema for message in messages.MESSAGES}) == len(messages.MESSAGES)
