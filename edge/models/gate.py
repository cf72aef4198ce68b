"""Which reference decides: the card's photo, or a template that stands in for an old one.

The gate has two folds. A card that is alike opens it alone. A card that is nearly alike, as
photographs of ten and twenty years ago are, opens it together with a template enrolled before a
member of staff. A card that is neither opens nothing, whatever the template says: then card and
template are of two people, and a person looks. Where there is no picture of the card, the
template alone is compared, by the same limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.domain.challenge import Reason
from edge.domain.record import Reference, Score
from edge.models.embedding import LIKENESS_THRESHOLD, likeness
from edge.models.runtime import sha256_of_model

GREY_DISTANCE = 0.38
"""Of 100 pairs of different people at most one is nearer to a card's photo (FMR 1e-2) on the 12
development people of the evaluation, with five live pictures averaged."""
GREY_THRESHOLD = likeness(GREY_DISTANCE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The reference that decided and its score; `card_photo` is the card's where it was another."""

    reference: Reference
    likeness: Score | None
    card_photo: Score | None = None
    reasons: tuple[Reason, ...] = ()


def judge(card: float | None, template: float | None) -> Judgement:
    """From the distances to the card's photo and to the template; `None` where there is none."""
    chip, kept = _score(card), _score(template)
    if chip is None and kept is None:
        return Judgement(Reference.NONE, None, reasons=(Reason.NO_REFERENCE,))
    if chip is None:
        return Judgement(Reference.TEMPLATE, kept, reasons=_unlike(kept))
    if chip.passed:
        return Judgement(Reference.CHIP, chip)
    if chip.value < GREY_THRESHOLD:
        return Judgement(Reference.CHIP, chip, reasons=(Reason.NOT_ALIKE,))
    if kept is not None and kept.passed:
        return Judgement(Reference.TEMPLATE, kept, chip)
    return Judgement(Reference.CHIP, chip, reasons=(Reason.OLD_PHOTO,))


def _unlike(score: Score | None) -> tuple[Reason, ...]:
    return () if score is None or score.passed else (Reason.NOT_ALIKE,)


def _score(distance: float | None) -> Score | None:
    if distance is None:
        return None
    return Score(likeness(distance), LIKENESS_THRESHOLD, sha256_of_model("face_embedding"))
