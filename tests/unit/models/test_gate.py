"""Two folds: the card's photo alone, or nearly the card and a template; never a refusal for age."""

from __future__ import annotations

import pytest

from edge.domain.challenge import Reason
from edge.domain.record import Reference
from edge.models.embedding import MATCH_DISTANCE
from edge.models.gate import GREY_DISTANCE, judge

NEAR, GREY, FAR = MATCH_DISTANCE - 0.05, (MATCH_DISTANCE + GREY_DISTANCE) / 2, GREY_DISTANCE + 0.1


@pytest.mark.parametrize(
    ("card", "template", "reference", "passed", "reasons"),
    [
        (None, None, Reference.NONE, None, (Reason.NO_REFERENCE,)),
        (NEAR, None, Reference.CHIP, True, ()),
        (NEAR, FAR, Reference.CHIP, True, ()),
        (GREY, None, Reference.CHIP, False, (Reason.OLD_PHOTO,)),
        (GREY, FAR, Reference.CHIP, False, (Reason.OLD_PHOTO,)),
        (GREY, NEAR, Reference.TEMPLATE, True, ()),
        (FAR, NEAR, Reference.CHIP, False, (Reason.NOT_ALIKE,)),
        (FAR, None, Reference.CHIP, False, (Reason.NOT_ALIKE,)),
        (None, NEAR, Reference.TEMPLATE, True, ()),
        (None, GREY, Reference.TEMPLATE, False, (Reason.NOT_ALIKE,)),
    ],
)
def test_the_decided_order(
    card: float | None,
    template: float | None,
    reference: Reference,
    passed: bool | None,
    reasons: tuple[Reason, ...],
) -> None:
    found = judge(card, template)
    assert found.reference is reference
    assert (found.likeness.passed if found.likeness else None) == passed
    assert found.reasons == reasons


def test_both_scores_and_their_thresholds_are_kept_where_two_decided() -> None:
    found = judge(GREY, NEAR)
    assert found.likeness is not None
    assert found.card_photo is not None
    assert found.card_photo.value < found.card_photo.threshold == found.likeness.threshold
    assert found.likeness.value > found.card_photo.value
