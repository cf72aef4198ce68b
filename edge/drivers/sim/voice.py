"""A loudspeaker in the simulated world: whoever stands in front of it hears the words."""

from __future__ import annotations

from collections.abc import Callable

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.ports import Health


class SimVoice:
    """Implements `Voice`. `listener` is called with the words, in the caller's thread."""

    def __init__(self, listener: Callable[[str], None]) -> None:
        self.name = "voice"
        self.provenance = Provenance.SIMULATED
        self.utterances: list[tuple[str, str]] = []
        """Words and language, in the order spoken."""
        self._listener = listener
        self._is_open = False
        self._vanished = False
        self._volume = 80

    def vanish(self) -> None:
        """The sound card's plug is pulled; when it is back, somebody has to open it again."""
        self._vanished, self._is_open = True, False

    def come_back(self) -> None:
        self._vanished = False

    def open(self) -> None:
        self._check()
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def health(self) -> Health:
        if not self._is_open:
            return Health(False, "no sound card", "plug the sound card in", Fault.ABSENT)
        return Health(True, "simulated loudspeaker")

    def say(self, words: str, language: str) -> None:
        self._check()
        if not self._is_open:
            raise DeviceError(self.name, Fault.ABSENT, "not open", retry=False)
        self.utterances.append((words, language))
        self._listener(words)

    def volume(self, step: int) -> int:
        self._volume = max(0, min(100, self._volume + 10 * step))
        return self._volume

    def set_volume(self, percent: int) -> None:
        self._volume = percent

    def hush(self) -> None:
        """Nothing to stop: simulated words take no time."""

    def _check(self) -> None:
        if self._vanished:
            raise DeviceError(self.name, Fault.ABSENT, "no sound card")
