"""Sound cards that write files: the real `aplay` and `arecord` under a configuration of our own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

needs_alsa = pytest.mark.skipif(
    shutil.which("aplay") is None, reason="Debian package alsa-utils is not installed"
)
needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="Debian package espeak-ng is not installed"
)

CARDS = """
pcm.plughw {{
  @args [ CARD DEV ]
  @args.CARD {{ type string }}
  @args.DEV {{ type integer default 0 }}
  type plug
  slave.pcm {{ @func concat strings [ "card_" $CARD ] }}
}}
pcm.card_Desk {{
  type file
  slave.pcm {{ type null }}
  file "{folder}/played.raw"
  infile "{folder}/microphone.raw"
  format raw
}}
pcm.card_Slow {{
  type file
  slave.pcm {{ type null }}
  file "{folder}/fifo"
  format raw
}}
"""
"""`Desk` takes everything at once; `Slow` takes a second or two and then no more."""


class SoundCards:
    """What was played, and what the microphone hears."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "asound.conf"
        self.plug_in()
        os.mkfifo(folder / "fifo")
        self.pipe = os.open(folder / "fifo", os.O_RDWR)  # holds about 1.5 s of speech

    def plug_in(self) -> None:
        self.config.write_text(CARDS.format(folder=self.folder))

    def unplug(self) -> None:
        self.config.write_text("")

    @property
    def played(self) -> bytes:
        """16 bit samples, 22,050 Hz, of the last utterance."""
        return (self.folder / "played.raw").read_bytes()

    def microphone(self, pcm: bytes) -> None:
        (self.folder / "microphone.raw").write_bytes(pcm)


def sound_cards(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCards]:
    cards = SoundCards(folder)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(cards.config))
    yield cards
    os.close(cards.pipe)
