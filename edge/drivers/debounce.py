"""Switches bounce; a level counts once it has held."""

from __future__ import annotations

from edge.domain.timebase import MonoNs


class Debounced:
    """The first level seen counts at once: what stands at boot is not news to wait for."""

    def __init__(self, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self._level: bool | None = None
        self._other_since_ns: MonoNs | None = None

    def see(self, level: bool, now_ns: MonoNs) -> bool:
        """Take in what the line says now; returns the level that counts."""
        if self._level is None:
            self._level = level
        if level == self._level:
            self._other_since_ns = None
        elif self._other_since_ns is None:
            self._other_since_ns = now_ns
        elif now_ns - self._other_since_ns >= self._hold_ns:
            self._level = level
            self._other_since_ns = None
        return self._level
