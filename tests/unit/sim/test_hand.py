"""The simulated hand does what the words on the screen ask for, and no more."""

from __future__ import annotations

import threading

from edge.drivers.sim.hand import Deed, Glance, Hand, Touch, decide
from edge.drivers.sim.scenario import SCENARIOS, WISHES

CARD = Glance("await_card", ("请刷二代身份证",), (("返回首页", 1.0, 2.0),))
TAKE = Glance("home", ("请取走您的身份证",), ())
CONSENT = Glance(
    "consent", ("刷脸办理须知",), (("同意刷脸", 10.0, 20.0), ("不刷脸，人工办理", 30.0, 20.0))
)
PRINTING = Glance("finished", ("正在打印回执…",), (("退出", 5.0, 5.0),))


def act(glance: Glance, wishes: tuple[str, ...] = WISHES, **kwargs: object) -> object:
    options = {"card_lies": False, "touched": frozenset[str](), **kwargs}
    return decide(glance, wishes, **options)  # type: ignore[arg-type]


def test_the_card_is_laid_down_when_asked_for_and_only_once() -> None:
    assert act(CARD) is Deed.LAY_CARD
    assert act(CARD, card_lies=True) is None


def test_the_card_is_taken_back_when_told() -> None:
    assert act(TAKE, card_lies=True) is Deed.TAKE_CARD


def test_wishes_decide_which_button() -> None:
    assert act(CONSENT) == Touch("同意刷脸", 10.0, 20.0)
    assert act(CONSENT, SCENARIOS["no-consent"].wishes) == Touch("不刷脸，人工办理", 30.0, 20.0)


def test_a_label_is_touched_once_per_screen() -> None:
    assert act(CONSENT, touched=frozenset({"同意刷脸"})) is None


def test_nobody_leaves_while_the_receipt_is_printed() -> None:
    assert act(PRINTING) is None


def test_a_hand_lays_touches_leaves_and_takes_the_card_along() -> None:
    deeds: list[str] = []
    done = threading.Semaphore(0)

    def note(word: str) -> None:
        deeds.append(word)
        done.release()

    hand = Hand(
        WISHES,
        touch=lambda x, y: note(f"touch {x:.0f} {y:.0f}"),
        lay_card=lambda: note("lay"),
        take_card=lambda: note("take"),
        reading_s=0.0,
    )
    hand.start()
    try:
        leave = Glance("finished", ("验证成功。",), (("退出", 5.0, 6.0),))
        for glance in (CARD, CONSENT, leave, TAKE):
            hand.see(glance)
            assert done.acquire(timeout=5)
        hand.see(Glance("home", (), (("离退休人员生存验证", 1.0, 1.0),)))
        assert hand.wait_until_gone(5)
    finally:
        hand.close()
    assert deeds == ["lay", "touch 10 20", "touch 5 6", "take"]
