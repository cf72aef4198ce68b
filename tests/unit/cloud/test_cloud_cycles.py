"""How often people come: a rule of the county's, in force on pages and at kiosks alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from cloud_bridge import cli, demo
from cloud_bridge.bridge import dispatch
from cloud_bridge.registry import cycle_rules, cycles, keyring, standing
from cloud_bridge.registry.cycle_rules import RuleRefused
from cloud_bridge.registry.cycles import Rule
from cloud_bridge.registry.held import held_of
from cloud_bridge.registry.models import (
    AuditEntry,
    CycleRule,
    Device,
    ImportRun,
    LifeSignal,
    Person,
    Proof,
    Region,
)
from edge.domain.cycles import Cycle, is_covered, opens_on
from edge.domain.people import RosterEntry
from edge.wire import envelope, messages, questions
from tests.fixtures_cloud import NOW, PASSWORD, TODAY, TestKiosk, TestRegistry

PROVINCE = "100000000000"
D = date.fromisoformat


@pytest.fixture(autouse=True)
def _rules_of_this_database() -> Iterator[None]:
    CycleRule.forget()
    yield
    CycleRule.forget()


def person() -> Person:
    return Person.objects.get(name=demo.DEMO_NAME)


def certified(day: date) -> Person:
    standing.prove([Proof(person=person(), method="visit", on=day, at=NOW, by="li")])
    return person()


def sign_in(registry: TestRegistry, role: str) -> Client:
    registry.account(role, role, PROVINCE)
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": role, "password": PASSWORD})
    return client


def set_rule(registry: TestRegistry, category: str, rule: Rule) -> bool:
    return cycle_rules.set_rule(category, rule, registry.vault, "test", PROVINCE)


@pytest.mark.parametrize(
    ("cycle", "early", "certified", "opens"),
    [
        (Cycle.ROLLING, 60, "2026-11-23", "2027-09-24"),
        (Cycle.ROLLING, 90, "2026-11-23", "2027-08-25"),
        (Cycle.ROLLING, 0, "2026-11-23", "2027-11-23"),
        (Cycle.CALENDAR, None, "2026-11-23", "2027-01-01"),
        (Cycle.CALENDAR, 366, "2027-03-01", "2028-01-01"),
        (Cycle.CALENDAR, 90, "2026-11-23", "2027-10-02"),
        (Cycle.ROLLING, None, "2026-11-23", "2027-09-24"),
    ],
)
def test_how_early_they_may_come(
    cycle: Cycle, early: int | None, certified: str, opens: str
) -> None:
    first = opens_on(cycle, D(certified), early)
    assert first == D(opens)
    assert is_covered(cycle, D(certified), first - timedelta(days=1), early)
    assert not is_covered(cycle, D(certified), first, early)


def test_nobody_is_turned_away_who_is_no_longer_certified() -> None:
    """Whatever the rule of a rolling cycle: who is late may always come."""
    for early in (0, 1, 60, 364):
        rule = Rule(Cycle.ROLLING, early)
        for back in range(0, 800, 3):
            last = TODAY - timedelta(days=back)
            if cycles.need_not_come(rule, last, TODAY):
                assert cycles.is_certified(rule, last, TODAY)


def test_a_changed_rule_counts_for_people_and_lists_at_once(registry: TestRegistry) -> None:
    who = certified(TODAY - timedelta(days=200))
    yearly = Rule(Cycle.ROLLING, 60)
    assert set_rule(registry, who.category, Rule(Cycle.CALENDAR, 366, 10))
    assert person().due_by(TODAY) == date(TODAY.year + 1, 12, 31)
    assert set_rule(registry, who.category, yearly)
    assert person().due_by(TODAY) == TODAY - timedelta(days=200) + timedelta(days=365)
    assert who in Person.objects.certified(TODAY)
    assert not set_rule(registry, who.category, yearly), "as it was"
    assert AuditEntry.objects.filter(action="cycle.set").count() == 2


def test_one_question_for_the_rules_however_many_people(
    registry: TestRegistry, django_queries: Any
) -> None:
    people = list(Person.objects.all())
    CycleRule.forget()
    with django_queries() as asked:
        for each in people:
            each.is_certified(TODAY)
            each.due_by(TODAY)
    assert len(asked) == 1
    assert len(people) == 12


@pytest.fixture
def django_queries() -> Any:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    return lambda: CaptureQueriesContext(connection)


def test_rules_that_make_no_sense(registry: TestRegistry) -> None:
    before = dict(CycleRule.all_rules())
    for category, rule in (
        ("retired", Rule(Cycle.ROLLING, 365)),
        ("retired", Rule(Cycle.ROLLING, -1)),
        ("dibao", Rule(Cycle.CALENDAR, 367)),
        ("dibao", Rule(Cycle.CALENDAR, 60, 181)),
        ("dibao", Rule(Cycle.CALENDAR, 60, -1)),
        ("rich", Rule(Cycle.CALENDAR, 60)),
    ):
        with pytest.raises(RuleRefused):
            set_rule(registry, category, rule)
    CycleRule.forget()
    assert CycleRule.all_rules() == before


# --- pages and command line


def fields(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for category, rule in CycleRule.all_rules().items():
        said |= {
            f"{category}-cycle": rule.cycle.value,
            f"{category}-early_days": rule.early_days,
            f"{category}-grace_days": rule.grace_days,
        }
    return said | changes


def test_the_county_changes_rules_and_kiosks_are_told(registry: TestRegistry) -> None:
    registry.kiosk()
    Device.objects.update(roster_due=False)
    county = sign_in(registry, "county")
    county.post("/cycles/", fields())
    assert not Device.objects.get().roster_due, "nothing changed"
    county.post("/cycles/", fields(**{"retired-early_days": 90, "retired-grace_days": 15}))
    assert CycleRule.all_rules()["retired"] == Rule(Cycle.ROLLING, 90, 15)
    assert Device.objects.get().roster_due
    said = AuditEntry.objects.get(action="cycle.set")
    assert (said.who, said.object_id, said.reason) == (
        "county", "retired", "rolling early 90 grace 15",
    )  # fmt: skip
    answer = county.post("/cycles/", fields(**{"retired-early_days": 366}))
    assert "最多 364 天" in answer.content.decode()
    for role in ("worker", "supervisor", "auditor", "operator"):
        assert sign_in(registry, role).get("/cycles/").status_code == 403


def test_n24_no_county_decides_for_another(registry: TestRegistry) -> None:
    """A rule holds for everybody of a category, and here live people of two counties."""
    registry.account("district", "county", "100101000000")
    district = Client(headers={"accept-language": "zh-CN"})
    district.post("/sign-in/", {"username": "district", "password": PASSWORD})
    before = dict(CycleRule.all_rules())
    said = fields(**{"retired-early_days": 90})
    assert "保存" not in district.get("/cycles/").content.decode()
    assert district.post("/cycles/", said).status_code == 403
    with pytest.raises(RuleRefused, match="other regions"):
        cycle_rules.set_rule(
            "retired", Rule(Cycle.ROLLING, 90), registry.vault, "x", "100101000000"
        )
    CycleRule.forget()
    assert CycleRule.all_rules() == before
    Person.objects.filter(region_id__gt="100102").delete()
    assert "保存" in district.get("/cycles/").content.decode()
    assert district.post("/cycles/", said).status_code == 302
    assert CycleRule.all_rules()["retired"].early_days == 90


def test_rules_at_the_command_line(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--config", str(registry.config), "cycles"]
    assert cli.main([*run, "set", "retired", "--early", "30"]) == 0
    assert cli.main([*run, "set", "retired", "--early", "30"]) == 0
    assert capsys.readouterr().out == "changed\nas it was\n"
    assert cli.main([*run, "set", "retired", "--grace", "999"]) == 2
    assert "0 to 180" in capsys.readouterr().err
    assert cli.main([*run, "list"]) == 0
    assert "retired  rolling   early  30 grace 30" in capsys.readouterr().out


# --- what kiosks are told


def entry_of(registry: TestRegistry, kiosk: TestKiosk, today: date) -> RosterEntry:
    device = Device.objects.get(pk=kiosk.kiosk_id)
    made = dispatch.roster(device, 1, today, registry.vault, keyring.sign_key())
    sign_pub = keyring.sign_key().public_key()
    opened = envelope.verify(made.payload, lambda _sender: sign_pub)
    body = envelope.unseal(opened.body, opened.header, kiosk.open_key)
    return next(e for e in messages.parse_roster(body).entries if e.person_id == person().pk)


def test_kiosks_are_told_how_early(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    who = certified(TODAY - timedelta(days=290))
    told = entry_of(registry, kiosk, TODAY)
    assert (told.certified_on, told.early_days) == (who.last_pass_on, 60)
    set_rule(registry, who.category, Rule(Cycle.ROLLING, 90))
    told = entry_of(registry, kiosk, TODAY)
    assert (told.certified_on, told.early_days) == (None, 90), "may come again"


def test_a_roster_of_before_says_nothing_of_it_and_an_odd_one_is_refused() -> None:
    from edge.domain.people import CardKey, PersonId

    entry = RosterEntry(CardKey("k"), PersonId("p"), "王*", "dibao", TODAY, early_days=30)
    row = messages.entry_fields(entry)
    assert messages.parse_entry(row) == entry
    assert messages.parse_entry({k: v for k, v in row.items() if k != "early"}).early_days is None
    for odd in (-1, 367, 1.5, "60", True):
        with pytest.raises(ValueError, match="early"):
            messages.parse_entry(row | {"early": odd})


def data_proof(who: Person, on: date) -> Proof:
    region = Region.objects.get(pk=PROVINCE)
    run = ImportRun.objects.create(
        kind="life", file_name="x.csv", sha256="0" * 64, by="li", at=NOW, region=region
    )
    signal = LifeSignal.objects.create(person=who, kind="life", source="医保结算", on=on, run=run)
    return Proof(person=who, method="data", on=on, at=NOW, signal=signal)


def test_f22_kiosks_show_visits_calls_and_data_too(registry: TestRegistry) -> None:
    kiosk, who = registry.kiosk(), person()
    days = [TODAY - timedelta(days=10 * n) for n in range(4)]
    told = {"person": who, "at": NOW, "by": "li", "place": "东风村三组" * 10}
    gone = Proof(method="visit", on=days[3], voided_at=NOW, void_reason="x", **told)
    standing.prove(
        [
            Proof(method="visit", on=days[0], **told),
            Proof(method="video", on=days[1], **told),
            data_proof(who, days[2]),
            gone,
        ]
    )
    held = held_of(person(), TODAY)
    shown = [(p.day, p.method, p.result, p.counts) for p in held.proofs]
    assert shown == [
        (days[0], "visit", "passed", True),
        (days[1], "video", "passed", True),
        (days[2], "data", "passed", True),
    ]
    assert held.proofs[2].place == "医保结算"
    assert all(len(proof.place) <= 30 for proof in held.proofs)
    questions.parse_history(questions.history_body(questions.History(held)))
    past = entry_of(registry, kiosk, TODAY).past
    assert [proof.method for proof in past] == ["visit", "video", "data"]


def test_every_method_has_its_words_at_a_kiosk() -> None:
    from edge.session.states import Language
    from edge.ui.texts import catalogue

    for language in Language:
        for method in Proof.Method.values:
            assert f"history.method.{method}" in catalogue(language)


def test_e05_no_kiosk_ever_says_that_somebody_is_dead() -> None:
    from edge.session.states import Language
    from edge.ui.texts import catalogue

    for language in Language:
        words = " ".join(map(str, catalogue(language).values())).lower()
        assert not [word for word in ("死", "亡", "去世", "逝") if word in words]
        assert not {"dead", "death", "died", "deceased"} & set(words.split())
