"""A kiosk's link on which messages vanish, come twice, come late and in another order."""

from __future__ import annotations

import random
from collections import Counter, deque

from edge.ports import Incoming, Link

CHANCE = 0.12


class WorseLink:
    """Implements `Link` around another one; `faults` counts what was done to messages.

    A message "taken" and never sent is what a broker does that forgets what it confirmed.
    """

    def __init__(self, link: Link, seed: int, chance: float = CHANCE) -> None:
        self._link = link
        self._random = random.Random(seed)
        self._chance = chance
        self._late_up: list[tuple[str, bytes, bool]] = []
        self._down: deque[Incoming] = deque()
        self.faults: Counter[str] = Counter()

    def start(self) -> None:
        self._link.start()

    def stop(self) -> None:
        self._link.stop()

    def connected(self) -> bool:
        return self._link.connected()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if not self._link.connected():
            return False
        self._send_late()
        if self._happens("drop_up"):
            return True
        if self._happens("late_up"):
            self._late_up.append((topic, payload, retain))
            return True
        if self._happens("duplicate_up"):
            self._link.publish(topic, payload, retain=retain)
        return self._link.publish(topic, payload, retain=retain)

    def incoming(self, timeout_s: float) -> Incoming | None:
        message = self._link.incoming(0.0 if self._down else timeout_s)
        if message is not None:
            self._shuffle_in(message)
        return self._down.popleft() if self._down else None

    def _send_late(self) -> None:
        if self._late_up and self._random.random() < 0.3:
            self._random.shuffle(self._late_up)
            for topic, payload, retain in self._late_up:
                self._link.publish(topic, payload, retain=retain)
            self._late_up.clear()

    def _shuffle_in(self, message: Incoming) -> None:
        if self._happens("drop_down"):
            return
        copies = 2 if self._happens("duplicate_down") else 1
        for _ in range(copies):
            self._down.insert(self._random.randint(0, len(self._down)), message)

    def _happens(self, name: str) -> bool:
        if self._random.random() >= self._chance:
            return False
        self.faults[name] += 1
        return True
