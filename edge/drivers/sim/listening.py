"""How simulated people understand prompts and when they move.

They know only what was said aloud or stood on the screen, with a small
vocabulary of their own: if the kiosk's words become unclear, they stop moving,
as its users would.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from edge.domain.timebase import NS_PER_S, MonoNs


class Gesture(Enum):
    """Movements from the person's own point of view: LEFT is their left."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    MOUTH = "mouth"
    BLINK = "blink"
    AHEAD = "ahead"


VOCABULARY = {
    Gesture.LEFT: r"向左转|(turn|look) (your head )?(to )?(the |your )?left",
    Gesture.RIGHT: r"向右转|(turn|look) (your head )?(to )?(the |your )?right",
    Gesture.UP: r"抬头|抬起头|(raise|lift) your (head|chin)|look up",
    Gesture.DOWN: r"低头|低下头|lower your (head|chin)|look down",
    Gesture.MOUTH: r"张开?(一下)?嘴|open your mouth",
    Gesture.BLINK: r"眨(一?下|一?眨)?眼|\bblink\b",
    Gesture.AHEAD: r"(看|注视|正对|面向)着?(屏幕上方的)?摄像头|保持不动"
    r"|look (straight )?(at|into) the camera|look straight|(hold|keep) still",
}

REACTION_S = (0.5, 0.9)
SAME_PROMPT_S = 2.0  # a prompt said and shown within this time is one prompt
MIN_HOLD_NS = int(0.4 * NS_PER_S)  # nobody jerks back
ALONE_S = 6.0  # without any prompt, before eyes blink by themselves
OWN_BLINK_S = (3.0, 6.0)


def understood(words: str) -> Gesture | None:
    """The one movement these words ask for; several at once are an explanation, not a prompt."""
    heard = {g for g, pattern in VOCABULARY.items() if re.search(pattern, words.lower())}
    asked = heard - {Gesture.AHEAD} or heard
    return asked.pop() if len(asked) == 1 else None


@dataclass(frozen=True, slots=True)
class Move:
    """One movement there and back; times in nanoseconds of the room's clock."""

    gesture: Gesture
    told_ns: int
    start_ns: int
    hold_ns: int
    back_ns: int
    end_ns: int

    @classmethod
    def of(cls, gesture: Gesture, told_ns: int, start_ns: int) -> Move:
        times = (0.07, 0.17, 0.10) if gesture is Gesture.BLINK else (0.5, 0.8, 0.5)
        there, hold, back = (int(t * NS_PER_S) for t in times)
        hold_ns = start_ns + there
        return cls(gesture, told_ns, start_ns, hold_ns, hold_ns + hold, hold_ns + hold + back)

    def amount(self, now_ns: int) -> float:
        """0 at rest, 1 while held."""
        there = (now_ns - self.start_ns) / (self.hold_ns - self.start_ns)
        back = (self.end_ns - now_ns) / (self.end_ns - self.back_ns)
        return _ease(min(there, back))

    def back_at(self, when_ns: int) -> Move:
        """The same, but going back at `when_ns` if it was properly held by then."""
        early = max(0, self.back_ns - max(when_ns, self.hold_ns + MIN_HOLD_NS))
        return replace(self, back_ns=self.back_ns - early, end_ns=self.end_ns - early)


def _ease(share: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, max(0.0, share)))


class Listener:
    """Turns prompts into movements: one per prompt, each after a moment of thought."""

    def __init__(self, mono_ns: Callable[[], MonoNs], seed: int) -> None:
        self._mono_ns = mono_ns
        self._random = random.Random(seed)
        self._moves: list[Move] = []
        self._on_screen: Gesture | None = None
        self._told_ns = int(mono_ns())
        self._own_blink_ns = self._told_ns

    def hear(self, words: str) -> None:
        gesture = understood(words)
        if gesture:
            self._told(gesture)

    def see(self, texts: Iterable[str]) -> None:
        """What stands on the screen now; only what is new there is a prompt."""
        gesture = understood("\n".join(texts))
        if gesture and gesture is not self._on_screen:
            self._told(gesture)
        self._on_screen = gesture

    def doing(self, now_ns: int) -> tuple[Gesture, float]:
        """The movement at this moment and how far it is, 0..1."""
        self._moves = [m for m in self._moves if now_ns < m.end_ns + SAME_PROMPT_S * NS_PER_S]
        for move in self._moves:
            if move.start_ns < now_ns < move.end_ns:
                return move.gesture, move.amount(now_ns)
        self._blink_unasked(now_ns)
        return Gesture.AHEAD, 0.0

    def _told(self, gesture: Gesture) -> None:
        now = self._told_ns = int(self._mono_ns())
        react_ns = now + int(self._random.uniform(*REACTION_S) * NS_PER_S)
        if gesture is Gesture.AHEAD:
            self._moves = [m.back_at(react_ns) for m in self._moves]
        elif not any(self._same(move, gesture, now) for move in self._moves):
            self._moves = [m for m in self._moves if m.start_ns <= now]
            busy_ns = max((m.end_ns for m in self._moves), default=now)
            self._moves.append(Move.of(gesture, now, max(react_ns, busy_ns)))

    @staticmethod
    def _same(move: Move, gesture: Gesture, now_ns: int) -> bool:
        until_ns = max(move.end_ns, move.told_ns + SAME_PROMPT_S * NS_PER_S)
        return move.gesture is gesture and now_ns < until_ns

    def _blink_unasked(self, now_ns: int) -> None:
        """Only long after the last prompt, so that it can never look like an answer."""
        waiting = any(now_ns <= m.start_ns for m in self._moves)
        if waiting or now_ns < self._told_ns + ALONE_S * NS_PER_S or now_ns < self._own_blink_ns:
            return
        self._moves.append(Move.of(Gesture.BLINK, now_ns, now_ns))
        self._own_blink_ns = now_ns + int(self._random.uniform(*OWN_BLINK_S) * NS_PER_S)
