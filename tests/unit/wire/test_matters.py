"""Bodies of matters, opinions and the question for what is kept of a person."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge.domain.errors import WireError
from edge.domain.matters import About, MatterKind
from edge.domain.opinions import Grievance, Rating
from edge.domain.timebase import CHINA
from edge.wire import questions
from edge.wire.envelope import canonical
from edge.wire.matters import matter_body, opinion_body, parse_matter, parse_opinion
from edge.wire.questions import History, HistoryQuestion
from tests.own_world import HELD
from tests.session_world import NAME, NUMBER, World, verdict
from tests.ui_world import VISIT

CONTEXT = World().context()
MATTER = replace(
    CONTEXT.matter(VISIT, MatterKind.CORRECTION, about=About.BIRTH, verdict=verdict()),
    number="7QF3-0XKM-2C9D-V5TA",
)


def test_a_matter_is_read_as_it_was_written() -> None:
    told = parse_matter(matter_body(MATTER))
    assert (told.name, told.id_number) == (NAME, NUMBER)
    assert (told.kind, told.about, told.number) == ("correction", "birth", MATTER.number)
    assert told.proven
    assert told.at.astimezone(CHINA) == MATTER.at.local
    assert told.liveness is not None
    assert told.liveness["likeness"]["band"] == "clear"
    assert "value" not in json.dumps(told.liveness)
    assert NAME not in repr(told)
    assert NUMBER not in repr(told)


def test_a_matter_says_which_member_of_staff_vouched_and_older_ones_say_nothing() -> None:
    fields = json.loads(matter_body(replace(MATTER, badge="204816", verdict=None)))
    told = parse_matter(canonical(fields))
    assert (told.badge, told.proven) == ("204816", False)
    assert "204816" not in repr(told)
    del fields["badge"]
    assert parse_matter(canonical(fields)).badge == ""


def test_an_opinion_is_read_as_it_was_written_and_holds_nobody() -> None:
    opinion = CONTEXT.opinion((Rating.GOOD, Rating.POOR), Grievance.STAFF, numbered=False)
    body = opinion_body(opinion)
    told = parse_opinion(body)
    assert (told.ratings, told.grievance, told.number) == (("good", "poor"), "staff", "")
    fields = {"opinion_id", "kiosk_id", "ratings", "grievance", "number", "at", "provenance"}
    assert set(json.loads(body)) == {*fields, "software"}


@pytest.mark.parametrize("held", [None, HELD, replace(HELD, proofs=())])
def test_a_history_is_read_as_it_was_written(held: Any) -> None:
    assert questions.parse_history(questions.history_body(History(held))).held == held


def test_a_history_question_is_read_as_it_was_written() -> None:
    question = HistoryQuestion(NUMBER, "access-1")
    assert questions.parse_history_question(questions.history_question_body(question)) == question
    assert NUMBER not in repr(question)


@pytest.mark.parametrize("access", ["", "x" * 65, 3, None, "a\x00"])
def test_a_question_that_names_no_proof_is_none(access: Any) -> None:
    with pytest.raises(WireError):
        questions.parse_history_question(canonical({"id_number": NUMBER, "access": access}))


@pytest.mark.parametrize(
    "spoilt", [b"", b"[]", b"{}", b'{"held": 3}', b'{"held": {"name": "x"}}', b"\xff"]
)
def test_an_odd_history_is_refused(spoilt: bytes) -> None:
    with pytest.raises(WireError):
        questions.parse_history(spoilt)


def test_more_records_than_a_kiosk_can_page_are_refused() -> None:
    many = replace(HELD, proofs=HELD.proofs * 9)
    with pytest.raises(WireError):
        questions.parse_history(questions.history_body(History(many)))


@pytest.mark.parametrize("name", sorted(json.loads(matter_body(MATTER))))
def test_every_field_of_a_matter_is_of_its_kind(name: str) -> None:
    fields = json.loads(matter_body(MATTER))
    fields[name] = ["never"]
    with pytest.raises(WireError):
        parse_matter(json.dumps(fields).encode())
