"""Speech from recorded or rendered clips, played by ALSA's `aplay` on a sound card by its name.

One thread does the work: it takes the newest utterance, makes it one stretch of
sound, and plays and reaps one `aplay` at a time. So `say` returns at once, a new
utterance cuts the old one, and no finished process is left lying about.
Words without a clip are spoken by espeak-ng, in between the clips.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Literal

import numpy as np

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers import voice_packs, wav
from edge.drivers.voice_espeak import EspeakVoice
from edge.drivers.voice_packs import Clip, Pack, PackError
from edge.drivers.wav import RATE_HZ, Samples, Sound, SoundError
from edge.ports import Health

PROBE_S = 3.0  # less than a kiosk that is closed waits for its threads
PAUSE_S = 0.35
"""Silence between the sentences of one utterance."""
VOLUME_STEP = 10
_NO_PROGRAM = "install the Debian package alsa-utils"
_NO_CLIPS = "run `python -m edge voice build`"

Dialect = Literal["none", "yue"]


class PromptVoice:
    """Implements `Voice`. `card` is the name `aplay -L` shows after CARD=; empty: the default."""

    def __init__(
        self,
        voices: Path,
        *,
        card: str = "",
        volume: int = 80,
        dialect: Dialect = "none",
        program: str = "aplay",
        synthesis: EspeakVoice | None = None,
        cards: Path = Path("/proc/asound"),
        provenance: Provenance = Provenance.LIVE,
    ) -> None:
        self.name = "voice"
        self.provenance = provenance
        self._voices, self._program = voices, program
        self._device = f"plughw:CARD={card}" if card else "default"
        self._seat = cards / card if card else None
        self._was_there = False
        self._volume = _bounded(volume)
        self._tongues = {"zh": "zh" if dialect == "none" else dialect, "en": "en"}
        self._synthesis = synthesis or EspeakVoice()
        self._clips: dict[str, dict[str, tuple[Pack, Clip]]] = {}
        self._turn = threading.Condition()
        self._serial = 0  # of the newest order: to speak, to hush or to stop
        self._words: tuple[str, str] | None = None
        self._playing: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._fault: DeviceError | None = None
        self._left_out = ""

    # --- the port ---

    def open(self) -> None:
        """Raises `DeviceError` when `aplay` or the sound card is not there. Cheap if open."""
        if self._thread is not None and self._fault is None:
            return
        self._probe()
        self._fault = None
        self._was_there = self._seat is not None and self._seat.exists()
        if self._thread is None:
            self._load()
            self._stopping = False
            self._thread = threading.Thread(target=self._work, name="voice", daemon=True)
            self._thread.start()

    def close(self) -> None:
        thread, self._thread = self._thread, None
        self._order(None, stop=True)
        if thread is not None:
            thread.join()
        self._synthesis.close()

    def health(self) -> Health:
        """A named card that is pulled is noticed here, also while nothing is said."""
        if self._was_there and self._seat is not None and not self._seat.exists():
            self._was_there = False
            self._fault = DeviceError(self.name, Fault.ABSENT, "the sound card is gone")
        if self._fault is not None:
            words = f"{self._device}: {self._fault.detail}"
            return Health(False, words, _fix(self._fault), self._fault.fault)
        if self._thread is None:
            return Health(False, "not open", _NO_PROGRAM, Fault.ABSENT)
        if self._left_out:
            return Health(False, self._left_out, _NO_CLIPS)
        if not all(self._clips.values()):
            return Health(False, "no recorded prompts; espeak-ng speaks instead", _NO_CLIPS)
        counts = ", ".join(f"{len(clips)} prompts {name}" for name, clips in self._clips.items())
        return Health(True, f"{self._device}, volume {self._volume}, {counts}")

    def say(self, words: str, language: str) -> None:
        """Raises `DeviceError` if the card did not take the words before these."""
        if self._thread is None:
            raise DeviceError(self.name, Fault.ABSENT, "not open", retry=False)
        if (fault := self._fault) is not None:
            raise DeviceError(self.name, fault.fault, fault.detail)
        self._order((words, language) if words else None)

    def hush(self) -> None:
        self._order(None)

    def volume(self, step: int) -> int:
        self._volume = _bounded(self._volume + step * VOLUME_STEP)
        return self._volume

    def set_volume(self, percent: int) -> None:
        self._volume = _bounded(percent)

    # --- the thread ---

    def _order(self, words: tuple[str, str] | None, *, stop: bool = False) -> None:
        """Cut what is being said; the thread reaps its process and takes these words."""
        with self._turn:
            self._serial += 1
            self._words = words
            self._stopping = stop
            if self._playing is not None:
                self._playing.kill()
            self._turn.notify()

    def _work(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._words is not None or self._stopping)
                if self._stopping or self._words is None:
                    return
                (words, language), serial = self._words, self._serial
                self._words = None
            try:
                self._play(self._utterance(words, language), serial)
            except DeviceError as error:
                self._fault = error

    def _play(self, sound: Sound, serial: int) -> None:
        """Play to the end or until cut, unless a newer order has come already."""
        with tempfile.TemporaryFile() as file:
            file.write(wav.encode(sound))
            file.seek(0)
            with self._turn:
                if serial != self._serial:
                    return
                try:
                    process = self._playing = subprocess.Popen(
                        self._command(),
                        stdin=file,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                    )
                except OSError as error:
                    raise self._no_program() from error
            _, complaint = process.communicate()
            with self._turn:
                self._playing = None
        if process.returncode > 0:  # below 0 it was cut
            raise DeviceError(self.name, Fault.ABSENT, _last_line(complaint))

    # --- the sound card ---

    def _probe(self) -> None:
        """A hundredth of a second of silence tells whether the card is there."""
        silence = wav.encode(Sound(np.zeros(RATE_HZ // 100, np.float32)))
        try:
            done = subprocess.run(
                self._command(), input=silence, capture_output=True, timeout=PROBE_S, check=False
            )
        except OSError as error:
            self._fault = self._no_program()
            raise self._fault from error
        except subprocess.TimeoutExpired as error:
            self._fault = DeviceError(self.name, Fault.SILENT, "the sound card takes no sound")
            raise self._fault from error
        if done.returncode:
            self._fault = DeviceError(self.name, Fault.ABSENT, _last_line(done.stderr))
            raise self._fault

    def _command(self) -> list[str]:
        return [self._program, "--quiet", "--file-type", "wav", "--device", self._device]

    def _no_program(self) -> DeviceError:
        return DeviceError(self.name, Fault.ABSENT, _NO_PROGRAM, retry=False)

    # --- words to sound ---

    def _load(self) -> None:
        good, bad = voice_packs.packs(self._voices)
        self._left_out = str(bad[0]) if bad else ""
        self._clips = {
            language: voice_packs.layered(good, tongue)
            for language, tongue in self._tongues.items()
        }

    def _utterance(self, words: str, language: str) -> Sound:
        """All sentences with a pause after each, as loud as wanted."""
        pause = np.zeros(int(PAUSE_S * RATE_HZ), np.float32)
        parts: list[Samples] = []
        for sentence in words.split("\n"):
            parts += [self._sentence(sentence, language), pause]
        return Sound((np.concatenate(parts) * gain(self._volume)).astype(np.float32))

    def _sentence(self, words: str, language: str) -> Samples:
        """Its clip; without one the engine's voice; without that silence, which `health` tells."""
        try:
            if words in self._clips[language]:
                pack, clip = self._clips[language][words]
                return wav.decode(pack.read(clip)).samples
        except (PackError, SoundError) as error:
            self._left_out = str(error)
        try:
            return self._synthesised(words, self._tongues[language])
        except (DeviceError, SoundError) as error:
            self._left_out = f"a sentence has no clip, and espeak-ng does not speak ({error})"
            return np.zeros(0, np.float32)

    def _synthesised(self, words: str, tongue: str) -> Samples:
        with tempfile.TemporaryDirectory(prefix="jianzai-voice-") as folder:
            path = Path(folder) / "said.wav"
            if not self._synthesis.health().ok:
                self._synthesis.open()
            self._synthesis.render(words, tongue, path)
            return wav.levelled(wav.resampled(wav.decode(path.read_bytes()))).samples


def gain(volume: int) -> float:
    """Factor of the samples for a volume of 0..100: its square, as ears judge loudness."""
    return (volume / 100) ** 2


def _bounded(volume: int) -> int:
    return max(0, min(100, volume))


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "aplay failed without a word"


def _fix(fault: DeviceError) -> str:
    if not fault.retry:
        return _NO_PROGRAM
    return "plug in the sound card; `aplay -L` lists the names for devices.sound_card"
