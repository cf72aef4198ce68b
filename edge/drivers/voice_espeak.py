"""Speech by the program espeak-ng, one process for each utterance."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.ports import Health

PINYIN = "zh-pinyin"
"""A language of this driver: Mandarin written as pinyin with tone numbers, as in `ke3yi3`."""
WORDS_PER_MINUTE = 130  # the program's own pace of 175 is too fast for old ears
RENDER_S = 20.0
_MISSING = "install the Debian package espeak-ng"
_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_TELEPHONE_DIGITS = str.maketrans("0123456789", "零幺二三四五六七八九")
_TELEPHONE = re.compile(r"\d[\d-]{4,}\d")
_PINYIN_DIGITS = ("ling2", "yao1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3")
_SOUNDS_LIKE = {"重新": "崇新", "重拍": "崇拍", "银行": "银航", "重庆": "崇庆"}
"""Words this program misreads, with others that sound as these should."""


class EspeakVoice:
    """Implements `Voice`. The words go in by a pipe, so no process list shows them."""

    def __init__(
        self,
        *,
        program: str = "espeak-ng",
        volume: int = 100,
        provenance: Provenance = Provenance.LIVE,
    ) -> None:
        self.name = "voice"
        self._volume = volume
        self.provenance = provenance
        self._program = program
        self._version = ""
        self._speaking: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Raises `DeviceError` ABSENT when the program is not installed."""
        try:
            done = subprocess.run(
                [self._program, "--version"], capture_output=True, timeout=RENDER_S, check=True
            )
        except OSError as error:
            raise self._absent() from error
        except subprocess.SubprocessError as error:
            raise DeviceError(self.name, Fault.GARBLED, "the program does not run") from error
        self._version = done.stdout.decode(errors="replace")

    @property
    def version(self) -> str:
        """As in `1.51`; empty while not open."""
        return ".".join(map(str, version_of(self._version)))

    def close(self) -> None:
        self.hush()
        self._version = ""

    def health(self) -> Health:
        if not self._version:
            return Health(False, "no speech", _MISSING)
        return Health(True, f"espeak-ng {self.version}")

    def say(self, words: str, language: str) -> None:
        self.hush()
        if not self._version:
            raise DeviceError(self.name, Fault.ABSENT, "not open", retry=False)
        try:
            self._speaking = subprocess.Popen(
                self._command(language),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise self._absent() from error
        self._hand_over(self._speaking, words, language)

    def volume(self, step: int) -> int:
        self._volume = max(0, min(100, self._volume + 10 * step))
        return self._volume

    def set_volume(self, percent: int) -> None:
        self._volume = percent

    def hush(self) -> None:
        """Stop the utterance, if any, and reap its process; so there is never more than one."""
        process, self._speaking = self._speaking, None
        if process is not None:
            process.kill()
            process.wait()

    def render(self, words: str, language: str, wav_path: Path) -> None:
        """Write the utterance to a WAV file: 22,050 Hz, one channel, 16 bit."""
        try:
            subprocess.run(
                [*self._command(language), "-w", str(wav_path)],
                input=speakable(words, language).encode(),
                capture_output=True,
                timeout=RENDER_S,
                check=True,
            )
        except OSError as error:
            raise self._absent() from error
        except subprocess.SubprocessError as error:
            raise DeviceError(self.name, Fault.GARBLED, "the program failed") from error

    def _command(self, language: str) -> list[str]:
        voice = voice_for(language, version_of(self._version))
        options = ["-v", voice, "-s", str(WORDS_PER_MINUTE), "-a", str(self._volume)]
        return [self._program, *options, "--stdin"]

    def _hand_over(self, process: subprocess.Popen[bytes], words: str, language: str) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(speakable(words, language).encode())
            process.stdin.close()
        except BrokenPipeError as error:
            self.hush()
            raise DeviceError(self.name, Fault.REFUSED, "the program took no words") from error

    def _absent(self) -> DeviceError:
        return DeviceError(self.name, Fault.ABSENT, _MISSING, retry=False)


def version_of(banner: str) -> tuple[int, ...]:
    """`eSpeak NG text-to-speech: 1.51  Data at: …` → (1, 51); empty when there is none."""
    found = re.search(r": (\d+)\.(\d+)", banner)
    return tuple(map(int, found.groups())) if found else ()


def voice_for(language: str, version: tuple[int, ...]) -> str:
    """Up to 1.51 the voice `cmn` spells Chinese as English letters; from 1.52 on it reads best."""
    if language == PINYIN:
        return "cmn-latn-pinyin"  # right in both, judged by its phonemes
    if language != "zh":
        return language
    return "cmn" if version >= (1, 52) else "cmn-latn-pinyin"


def speakable(words: str, language: str) -> str:
    """The words as they must be written to be read right: years and telephone numbers digit by
    digit, 重新 as chóng.
    """
    if language == "en":
        return _TELEPHONE.sub(lambda number: ", ".join(map(" ".join, number[0].split("-"))), words)
    if language == "yue":
        return _TELEPHONE.sub(lambda number: _chinese(number[0], _DIGITS), words)
    if language != "zh":
        return words
    words = re.sub(r"\d{4}(?=年)", lambda year: year[0].translate(_DIGITS), words)
    words = _TELEPHONE.sub(lambda number: _chinese(number[0], _TELEPHONE_DIGITS), words)
    for word, alike in _SOUNDS_LIKE.items():
        words = words.replace(word, alike)
    return words


def _chinese(number: str, digits: dict[int, int]) -> str:
    return number.replace("-", "，").translate(digits)


def pinyin_of_telephone(number: str) -> str:
    """`0755-1` → `ling2 qi1 wu3 wu3, yao1`; what is no digit makes a pause."""
    groups = re.findall(r"\d+", number)
    return ", ".join(" ".join(_PINYIN_DIGITS[int(digit)] for digit in group) for group in groups)


def with_sandhi(pinyin: str) -> str:
    """Within a word, a third tone before another is said as the second: ke3yi3 → ke2yi3."""
    return re.sub(r"3(?=[a-zü]+3)", "2", pinyin)
