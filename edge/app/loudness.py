"""A voice as loud as staff chose at the kiosk, also after a restart.

The site file and the centre set where it starts from; whoever spoke last counts.
A disk that takes no note costs the note, never the sound.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.domain.errors import StoreError
from edge.ports import Health, Voice
from edge.store.volume import VolumeNote

log = logging.getLogger("edge.voice")


class KeptVolume:
    """Implements `Voice`, by another one. `configured` is the volume set for this kiosk, 0..100."""

    def __init__(self, voice: Voice, note: VolumeNote, configured: int) -> None:
        self.name = voice.name
        self.provenance = voice.provenance
        self.voice = voice
        self._note = note
        self._configured = configured
        self._usual: int | None = None  # while somebody has it otherwise
        self._guarded(self._restore)

    def open(self) -> None:
        self.voice.open()

    def close(self) -> None:
        self.voice.close()

    def health(self) -> Health:
        return self.voice.health()

    def say(self, words: str, language: str) -> None:
        self.voice.say(words, language)

    def hush(self) -> None:
        self.voice.hush()

    def volume(self, step: int) -> int:
        percent = self.voice.volume(step)
        if step:
            self._usual = None
            self._guarded(lambda: self._note.save(percent, self._configured))
        return percent

    def lend(self, step: int) -> None:
        """Louder for whoever is there, softer below 0; 0: as it was before them. Never kept."""
        if self._usual is None:
            self._usual = self.voice.volume(0)
        if step:
            self.voice.volume(step)
        else:
            self.voice.set_volume(self._usual)
            self._usual = None

    def set_volume(self, percent: int) -> None:
        self._usual = None
        self.voice.set_volume(percent)
        self._configured = percent
        self._guarded(self._note.forget)

    def _restore(self) -> None:
        chosen = self._note.load(self._configured)
        if chosen is not None:
            self.voice.set_volume(chosen)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:
            log.error("volume_not_kept error=%s", error)
