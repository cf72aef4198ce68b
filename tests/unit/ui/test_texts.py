"""The catalogues: complete, alike, and nothing in them that nobody needs."""

from __future__ import annotations

import pytest

from edge.domain.challenge import Hint, Prompt, Reason
from edge.domain.errors import Fault
from edge.domain.staff import Refusal
from edge.drivers.receipt import RECEIPT_KEYS
from edge.session.assist import REASON_BUTTONS
from edge.session.events import Button
from edge.session.helping import PICKS
from edge.session.service import DIGITS
from edge.session.states import Home, Language, Why
from edge.ui import screen, viewmodel
from edge.ui.texts import TextError, catalogue, placeholders, text
from tests.ui_world import FACTS, NOW, every_state, gallery, hurried, session

ZH, EN = catalogue(Language.ZH), catalogue(Language.EN)


OTHER_LABELS = {
    *DIGITS,  # the same in every language
    *PICKS,  # what can be chosen stands on them
    *REASON_BUTTONS,  # named as in the record
    Button.CONFIRM,  # names what is confirmed
    Button.LANGUAGE_ZH,
    Button.LANGUAGE_EN,
}


def test_both_catalogues_have_the_same_keys() -> None:
    assert set(ZH) == set(EN)


@pytest.mark.parametrize("key", sorted(ZH))
def test_both_texts_have_the_same_placeholders_and_are_not_empty(key: str) -> None:
    assert placeholders(ZH[key]) == placeholders(EN[key])
    assert ZH[key].strip()
    assert EN[key].strip()


@pytest.mark.parametrize("key", sorted(EN))
def test_english_is_english(key: str) -> None:
    """The simulated mark and a language's own name are the only Chinese in it."""
    if key not in ("receipt.simulated",):
        assert EN[key].replace("…", "").replace("·", "").isascii(), EN[key]


def test_every_word_the_session_knows_has_a_text() -> None:
    needed = {
        *(f"button.{button.value}" for button in Button if button not in OTHER_LABELS),
        *(f"refusal.{refusal.value}" for refusal in Refusal),
        *(f"advice.{hint.value}" for hint in Hint),
        *(f"reason.{reason.value}" for reason in Reason),
        *(f"fault.{fault.value}" for fault in Fault),
        *(f"prompt.{prompt.value}" for prompt in Prompt if prompt is not Prompt.FRAME_FACE),
        *(f"{why.value}.title" for why in Why),
        *(f"{why.value}.spoken" for why in Why),
    }
    assert needed <= set(ZH)


def test_no_key_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key is asked for by some screen, stands on paper, or is a technician's."""
    asked = set()

    def listening(language: Language, key: str, **params: object) -> str:
        asked.add(key)
        return text(language, key, **params)

    for module in (viewmodel, screen):
        monkeypatch.setattr(module, "text", listening)
    for state in every_state():
        viewmodel.view(session(state), NOW, FACTS)
        viewmodel.view(session(state, large=True), NOW, FACTS)
        if not isinstance(state, Home):
            viewmodel.view(hurried(state), NOW, FACTS)
    for _, found in gallery(Language.ZH):
        viewmodel.view(found, NOW, FACTS)
    viewmodel.consent_text(Language.ZH, FACTS)
    viewmodel.enrol_text(Language.ZH, FACTS)
    elsewhere = ("doctor.", "digest.", "ask_slip.", "sheet.", "withdrawal_slip.")
    technicians = {key for key in ZH if key.startswith(elsewhere)}
    assert set(ZH) - asked - set(RECEIPT_KEYS) - technicians == set()


def test_the_receipt_finds_its_texts_with_the_placeholders_it_fills() -> None:
    assert {key for key in ZH if key.startswith("receipt.")} == set(RECEIPT_KEYS)
    for key, names in RECEIPT_KEYS.items():
        assert placeholders(ZH[key]) == names, key


def test_a_missing_key_is_an_error_that_names_it() -> None:
    with pytest.raises(TextError, match=r"zh\.toml has no home\.nonsense"):
        text(Language.ZH, "home.nonsense")


@pytest.mark.parametrize("params", [{}, {"seconds": 1, "minutes": 2}, {"second": 1}])
def test_other_placeholders_than_the_text_has_are_an_error(params: dict[str, int]) -> None:
    with pytest.raises(TextError, match=r"frame\.time_left needs \['seconds'\]"):
        text(Language.ZH, "frame.time_left", **params)
