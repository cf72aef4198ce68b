"""Speech: judged by phonemes and lengths; nobody listens here."""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers.sim.voice import SimVoice
from edge.drivers.voice_espeak import EspeakVoice, speakable, version_of, voice_for
from edge.ports import Voice

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="Debian package espeak-ng is not installed"
)
PROMPTS = ("请抬头", "请看着摄像头，不要动", "请把身份证平放在感应区", "剩余299秒")


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[EspeakVoice]:
    """A program that behaves as espeak-ng with a loudspeaker: it takes long, and keeps notes."""
    program = tmp_path / "espeak-ng"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --version ]; then echo "eSpeak NG text-to-speech: 1.51  Data"; exit; fi\n'
        f'echo $$ "$@" >> {tmp_path}/calls\n'
        f"cat > {tmp_path}/words\n"
        f"echo $$ > {tmp_path}/speaking\n"
        "exec sleep 60\n"
    )
    program.chmod(0o755)
    voice = EspeakVoice(program=str(program))
    voice.open()
    yield voice
    voice.close()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def spoken_by(folder: Path) -> int:
    """Wait until the program has its words, then its process id."""
    note = folder / "speaking"
    waiter = subprocess.run(
        ["/bin/sh", "-c", 'until [ -s "$0" ]; do sleep 0.01; done', str(note)],
        timeout=10,
        check=True,
    )
    assert waiter.returncode == 0
    pid = int(note.read_text())
    note.unlink()
    return pid


def test_k28_a_new_utterance_stops_the_old_one(talker: EspeakVoice, tmp_path: Path) -> None:
    talker.say("请抬头", "zh")
    first = spoken_by(tmp_path)
    talker.say("look up", "en")
    second = spoken_by(tmp_path)
    assert not is_running(first)  # killed and reaped: no zombie either
    assert is_running(second)
    assert (tmp_path / "words").read_text() == "look up"
    talker.hush()
    assert not is_running(second)


def test_close_kills_and_may_be_repeated(talker: EspeakVoice, tmp_path: Path) -> None:
    talker.say("请抬头", "zh")
    pid = spoken_by(tmp_path)
    talker.close()
    talker.close()
    assert not is_running(pid)
    assert not talker.health().ok


def test_words_are_in_no_process_list(talker: EspeakVoice, tmp_path: Path) -> None:
    talker.say("王小明", "zh")
    spoken_by(tmp_path)
    assert (tmp_path / "words").read_text() == "王小明"
    assert (tmp_path / "calls").read_text().split()[1:] == [
        "-v",
        "cmn-latn-pinyin",
        "-s",
        "130",
        "-a",
        "100",
        "--stdin",
    ]


def test_missing_program() -> None:
    voice = EspeakVoice(program="/no/such/espeak-ng")
    with pytest.raises(DeviceError) as caught:
        voice.open()
    assert caught.value.fault is Fault.ABSENT
    assert "install the Debian package espeak-ng" in caught.value.detail
    voice.close()
    assert voice.health().fix == "install the Debian package espeak-ng"


def test_broken_program(tmp_path: Path) -> None:
    voice = EspeakVoice(program="/bin/false")
    with pytest.raises(DeviceError) as caught:
        voice.open()
    assert caught.value.fault is Fault.GARBLED
    with pytest.raises(DeviceError):
        voice.render("请抬头", "zh", tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("banner", "voice"),
    [
        ("eSpeak NG text-to-speech: 1.51  Data at: /usr/lib", "cmn-latn-pinyin"),
        ("eSpeak NG text-to-speech: 1.52.0  Data at: /usr/lib", "cmn"),
        ("nothing known", "cmn-latn-pinyin"),
    ],
)
def test_voice_by_version(banner: str, voice: str) -> None:
    assert voice_for("zh", version_of(banner)) == voice
    assert voice_for("en", version_of(banner)) == "en"


def test_speakable() -> None:
    assert speakable("2026年11月，请重新拍摄", "zh") == "二零二六年11月，请崇新拍摄"
    assert speakable("2026年", "en") == "2026年"


def phonemes(words: str, language: str) -> str:
    version = version_of(
        subprocess.run(["espeak-ng", "--version"], capture_output=True, check=True).stdout.decode()
    )
    command = ["espeak-ng", "-q", "--ipa", "-v", voice_for(language, version), "--stdin"]
    told = speakable(words, language).encode()
    return subprocess.run(command, input=told, capture_output=True, check=True).stdout.decode()


@needs_espeak
@pytest.mark.parametrize("words", PROMPTS)
def test_mandarin_is_not_spelt_in_english(words: str) -> None:
    heard = phonemes(words, "zh")
    assert heard.strip()
    assert "(en)" not in heard


@needs_espeak
@pytest.mark.parametrize(("written", "meant"), [("重新", "虫心"), ("银行", "吟航")])
def test_words_with_two_readings_get_the_right_one(written: str, meant: str) -> None:
    assert phonemes(written, "zh") == phonemes(meant, "zh")


@needs_espeak
@pytest.mark.parametrize(("words", "language"), [("请慢慢抬头", "zh"), ("Slowly look up", "en")])
def test_render(words: str, language: str, tmp_path: Path) -> None:
    voice = EspeakVoice()
    voice.open()
    voice.render(words, language, tmp_path / "a.wav")
    voice.close()
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert sound.getframerate() == 22050
        assert 0.5 < sound.getnframes() / 22050 < 5
        assert any(sound.readframes(sound.getnframes()))


def test_simulated_voice_is_heard() -> None:
    heard: list[str] = []
    voice: Voice = SimVoice(heard.append)
    assert isinstance(voice, SimVoice)
    with pytest.raises(DeviceError):
        voice.say("too early", "en")
    voice.open()
    voice.say("请抬头", "zh")
    voice.hush()
    voice.say("look up", "en")
    assert heard == ["请抬头", "look up"]
    assert voice.utterances == [("请抬头", "zh"), ("look up", "en")]
    assert voice.provenance is Provenance.SIMULATED
    assert voice.health().ok
    voice.close()
    voice.close()
    assert not voice.health().ok
