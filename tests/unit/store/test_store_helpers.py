"""Three people a day for each helper's card, and the numbers people are called by."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from edge.domain.people import CardKey
from edge.domain.timebase import ClockTrust
from edge.store.database import Database
from edge.store.helpers import LAST_TICKET, HelperBook, TicketBook
from tests.store_world import Premises

DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
TODAY, TOMORROW = DAY.isoformat(), NEXT.isoformat()
HELPER, OTHER = CardKey("a" * 64), CardKey("b" * 64)
TARGETS = [CardKey(f"{number:064x}") for number in range(5)]
KEY = b"k" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_the_fourth_target_of_a_day_is_one_too_many_and_a_restart_forgives_nothing(
    path: Path,
) -> None:
    for target in TARGETS[:3]:
        with closing(Database(path)) as database:
            assert HelperBook(database, KEY).admit(HELPER, target, TODAY)
    with closing(Database(path)) as database:
        book = HelperBook(database, KEY)
        assert not book.may(HELPER, TODAY)
        assert not book.admit(HELPER, TARGETS[3], TODAY)
        assert book.admit(HELPER, TARGETS[1], TODAY), "the same person once more"
        assert book.may(OTHER, TODAY)
        assert book.admit(OTHER, TARGETS[3], TODAY)


def test_another_day_begins_anew_and_the_day_before_is_gone(path: Path) -> None:
    with closing(Database(path)) as database:
        book = HelperBook(database, KEY)
        for target in TARGETS[:3]:
            book.admit(HELPER, target, TODAY)
        assert book.may(HELPER, TOMORROW)
        assert book.admit(HELPER, TARGETS[0], TOMORROW)
        [kept] = database.row("SELECT value FROM state WHERE name = 'helped'") or ()
        day, named = json.loads(kept)
        assert day == TOMORROW
        assert [len(people) for people in named.values()] == [1]


def test_what_is_kept_names_no_card_and_differs_every_day(path: Path) -> None:
    with closing(Database(path)) as database:
        book = HelperBook(database, KEY)
        hashes = []
        for day in (TODAY, TOMORROW):
            book.admit(HELPER, TARGETS[0], day)
            [kept] = database.row("SELECT value FROM state WHERE name = 'helped'") or ()
            assert HELPER not in kept
            assert TARGETS[0] not in kept
            hashes.append(kept)
        assert len(set(hashes)) == 2


def test_tickets_count_up_begin_anew_each_day_and_after_the_last(path: Path) -> None:
    with closing(Database(path)) as database:
        book = TicketBook(database)
        given = []
        for _ in range(3):
            given.append(book.next(DAY))
            book.take(given[-1], DAY)
        assert given == [1, 2, 3]
    with closing(Database(path)) as database:
        book = TicketBook(database)
        assert book.next(DAY) == 4
        assert book.next(NEXT) == 1
        book.take(LAST_TICKET, DAY)
        assert book.next(DAY) == 1


def test_e17_without_a_trusted_day_the_numbers_go_on(path: Path) -> None:
    with closing(Database(path)) as database:
        book = TicketBook(database)
        book.take(book.next(None), None)
        book.take(book.next(None), None)
        assert book.next(None) == 3
        assert book.next(DAY) == 3, "the same people may still be waiting"


def test_e17_where_the_clock_is_unsure_a_day_is_24_hours_of_running(tmp_path: Path) -> None:
    """Else pulling a cable would be enough to ask for one person after the other."""
    premises = Premises(tmp_path)
    premises.times.trust = ClockTrust.FLOOR
    with closing(premises.disk()) as disk:
        for target in TARGETS[:3]:
            assert disk.admit(HELPER, target)
        assert not disk.may_help(HELPER)
        assert not disk.admit(HELPER, TARGETS[3])
        premises.times.utc += timedelta(days=3)  # whatever it says
        assert not disk.may_help(HELPER)
        premises.times.pass_days(1)
        assert disk.may_help(HELPER), "nobody is locked out for longer"
        assert disk.admit(HELPER, TARGETS[3])
        premises.times.trust = ClockTrust.NTP
        assert disk.may_help(HELPER)


def test_the_day_after_nothing_is_left_also_where_nobody_helps_any_more(tmp_path: Path) -> None:
    premises = Premises(tmp_path)
    with closing(premises.disk()) as disk:
        disk.keep_house()
        assert disk.admit(HELPER, TARGETS[0])
        disk.keep_house()
        assert disk.database.row("SELECT 1 FROM state WHERE name = 'helped'") is not None
        premises.times.pass_days(1)
        for _ in range(10):
            disk.keep_house()
        assert disk.database.row("SELECT 1 FROM state WHERE name = 'helped'") is None


def test_feature_2_a_power_cut_between_number_and_record_gives_no_number_twice(
    tmp_path: Path,
) -> None:
    premises = Premises(tmp_path)
    with closing(premises.disk()) as disk:
        disk.take_ticket(disk.next_ticket())
    with closing(premises.disk()) as disk:
        assert disk.next_ticket() == 2
