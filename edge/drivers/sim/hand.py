"""The simulated person's eyes and hands at the glass and at the card reader.

The person reads what is on the screen, finds the button they want by its
label and touches it; they lay their card down when asked to and take it back
when told. They know no more than a person does: words and places.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

LAY_CARD_WORDS = ("请刷二代身份证", "swipe your second-generation ID card")
TAKE_CARD_WORDS = (
    *("请取走您的身份证", "take your ID card"),
    *("请先取走您自己的身份证", "take your own card away"),
)
BUSY_WORDS = ("正在打印", "Printing")
LEAVE_LABELS = ("退出", "Leave")


@dataclass(frozen=True, slots=True)
class Glance:
    """What the person sees: words anywhere, and labelled places to touch (pixels)."""

    name: str
    texts: tuple[str, ...]
    buttons: tuple[tuple[str, float, float], ...]


class Deed(Enum):
    """What a hand can do besides touching the glass."""

    LAY_CARD = "lay_card"
    TAKE_CARD = "take_card"


@dataclass(frozen=True, slots=True)
class Touch:
    """One touch of a labelled place."""

    label: str
    x: float
    y: float


def decide(
    glance: Glance, wishes: tuple[str, ...], *, card_lies: bool, touched: frozenset[str]
) -> Touch | Deed | None:
    """What somebody with these wishes does next, or nothing."""
    if not card_lies and _says(glance, LAY_CARD_WORDS):
        return Deed.LAY_CARD
    if card_lies and _says(glance, TAKE_CARD_WORDS):
        return Deed.TAKE_CARD
    if _says(glance, BUSY_WORDS):
        return None
    places = {label: (x, y) for label, x, y in glance.buttons if label not in touched}
    for wish in wishes:
        if wish in places:
            return Touch(wish, *places[wish])
    return None


def _says(glance: Glance, words: tuple[str, ...]) -> bool:
    return any(word in text for text in glance.texts for word in words)


class Hand:
    """Acts on what is seen, after the time a person needs to read it."""

    def __init__(
        self,
        wishes: tuple[str, ...],
        *,
        touch: Callable[[float, float], None],
        lay_card: Callable[[], None],
        take_card: Callable[[], None],
        reading_s: float = 0.8,
    ) -> None:
        self._wishes = wishes
        self._touch = touch
        self._lay_card = lay_card
        self._take_card = take_card
        self._reading_s = reading_s
        self._glances: queue.Queue[Glance | None] = queue.Queue()
        self._card_lies = False
        self._gone = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="sim-hand", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def see(self, glance: Glance) -> None:
        """Called for every screen that was drawn."""
        self._glances.put(glance)

    def wait_until_gone(self, timeout_s: float) -> bool:
        """True once the person has left the kiosk and taken the card along."""
        return self._gone.wait(timeout_s)

    def close(self) -> None:
        self._stop.set()
        self._glances.put(None)
        self._thread.join(5)

    def _live(self) -> None:
        touched: set[str] = set()
        leaving, screen, left = False, "", ""
        while (glance := self._newest()) is not None:
            if glance.name != screen:
                touched, screen = set(), glance.name
            deed = decide(
                glance, self._wishes, card_lies=self._card_lies, touched=frozenset(touched)
            )
            if leaving and not self._card_lies and screen != left:
                self._gone.set()
                continue
            if deed is None or (leaving and isinstance(deed, Touch)):
                continue
            if self._stop.wait(self._reading_s) or not self._glances.empty():
                continue  # the screen has changed meanwhile: look again
            self._act(deed)
            if isinstance(deed, Touch):
                touched.add(deed.label)
                if deed.label in LEAVE_LABELS:
                    leaving, left = True, screen

    def _newest(self) -> Glance | None:
        glance = self._glances.get()
        while glance is not None and not self._glances.empty():
            glance = self._glances.get()
        return glance

    def _act(self, deed: Touch | Deed) -> None:
        match deed:
            case Touch(_, x, y):
                self._touch(x, y)
            case Deed.LAY_CARD:
                self._lay_card()
                self._card_lies = True
            case Deed.TAKE_CARD:
                self._take_card()
                self._card_lies = False
