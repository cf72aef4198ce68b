"""That the power-cut campaign sees what it is there to see."""

from __future__ import annotations

import random

from tests.chaos.campaign import Quiet
from tests.chaos.campaigns.power_cuts import ARMS, SALVAGE, campaign
from tests.chaos.cuts import Card
from tests.chaos.disk import Deleted, Synced, Truncated, Written

CUTS = 200


def remains(card: Card, tries: int = 200) -> set[bytes | None]:
    """Everything that cuts at this moment can leave of file `a`."""
    chance = random.Random(1)
    return {card.cut(chance).get("a") for _ in range(tries)}


def test_e14_a_weakened_pragma_loses_records() -> None:
    assert campaign(CUTS, 1, Quiet(), ARMS["synchronous_normal"]).lost


def test_e14_without_any_sync_the_file_is_damaged() -> None:
    assert campaign(CUTS, 1, Quiet(), ARMS["synchronous_off"]).corrupt


def test_a_card_that_lies_is_beyond_the_settings() -> None:
    assert campaign(CUTS, 1, Quiet(), ARMS["lying_card"]).corrupt


def test_on_such_a_card_damage_is_found_and_nearly_all_records_are_saved() -> None:
    found = campaign(CUTS, 1, Quiet(), SALVAGE)
    assert found.corrupt
    assert found.records_lost < 0.01 * found.kept


def test_what_was_synced_stays_and_the_rest_may_be_there_or_not() -> None:
    card = Card({})
    card.take(Written("a", 0, b"safe"))
    card.take(Synced("a"))
    assert remains(card) == {b"safe"}
    card.take(Written("a", 0, b"more"))
    assert {b"safe", b"more"} <= remains(card)


def test_sectors_of_one_write_are_torn_apart() -> None:
    card = Card({"a": bytes(1024)})
    card.take(Written("a", 0, b"x" * 1024))
    assert bytes(512) + b"x" * 512 in remains(card)


def test_a_truncation_and_a_deletion_wait_for_their_sync() -> None:
    card = Card({"a": b"four"})
    card.take(Truncated("a", 2))
    assert remains(card) == {b"four", b"fo"}
    card.take(Synced("a"))
    card.take(Deleted("a", synced=False))
    assert remains(card) == {b"fo", None}
    card.take(Synced("b", folder=True))
    assert remains(card) == {None}


def test_a_lying_card_still_loses_what_it_confirmed() -> None:
    card = Card({"a": b"old"}, volatile=2)
    card.take(Written("a", 0, b"new"))
    card.take(Synced("a"))
    assert {b"old", b"new"} <= remains(card)
