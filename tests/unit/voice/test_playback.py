"""The real `aplay` on sound cards that write what they are given into a file."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.domain.errors import DeviceError, Fault
from edge.drivers import voice_packs, wav
from edge.drivers.voice_espeak import EspeakVoice
from edge.drivers.voice_wav import PAUSE_S, PromptVoice, gain
from edge.ports import Voice
from tests.alsa_bench import SoundCards, needs_alsa, needs_espeak
from tests.leftovers import open_files

pytestmark = [needs_alsa, needs_espeak]

LEFT, LONG = (
    "请向左转头",
    "请将脸对准屏幕上方的摄像头，然后根据语音提示指引，做出相应动作，完成动作后请注视摄像头。",
)


@pytest.fixture
def voice(voices: Path, cards: SoundCards) -> Iterator[PromptVoice]:
    found = PromptVoice(voices, card="Desk", volume=100)
    yield found
    found.close()


@pytest.fixture
def slow(voices: Path, cards: SoundCards) -> Iterator[PromptVoice]:
    found = PromptVoice(voices, card="Slow", volume=100)
    yield found
    found.close()


def until(condition: object, what: str) -> None:
    """Wait for a condition other threads bring about."""
    assert callable(condition)
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError(what)


def clip(voices: Path, pack: str, key: str) -> np.ndarray:
    read = voice_packs.read(voices / pack)
    (found,) = [c for c in read.clips if c.key == key]
    return np.frombuffer(wav.pcm(wav.decode(read.read(found)).samples), "<i2").astype(int)


def heard(cards: SoundCards) -> np.ndarray:
    return np.frombuffer(cards.played, "<i2").astype(int)


def heard_all(cards: SoundCards, expected: np.ndarray, *, within: int = 2) -> bool:
    """Whether the card was given these samples, then nothing but silence."""
    got = heard(cards)
    if len(got) < len(expected):
        return False
    rest = got[len(expected) :]
    return bool(np.abs(got[: len(expected)] - expected).max() <= within and not rest.any())


def children() -> set[str]:
    """Processes this one has started and not reaped, zombies too."""
    me = os.getpid()
    found = set()
    for task in Path(f"/proc/{me}/task").iterdir():
        found |= set((task / "children").read_text().split())
    return found


def test_k28_the_named_card_gets_the_clip_sample_for_sample(
    voice: PromptVoice, voices: Path, cards: SoundCards
) -> None:
    port: Voice = voice
    port.open()
    port.say(LEFT, "zh")
    expected = clip(voices, "interim-zh", "prompt.left")
    until(lambda: heard_all(cards, expected), "the clip was not played")
    assert voice.health().ok
    assert "plughw:CARD=Desk" in voice.health().words


def test_sentences_follow_each_other_with_a_pause(
    voice: PromptVoice, voices: Path, cards: SoundCards
) -> None:
    voice.open()
    voice.say(f"验证成功。\n{LEFT}", "zh")
    pause = np.zeros(int(PAUSE_S * wav.RATE_HZ), int)
    first, second = (clip(voices, "interim-zh", k) for k in ("finished.passed", "prompt.left"))
    both = np.concatenate([first, pause, second])
    until(lambda: heard_all(cards, both), "not both were played")


def test_the_dialect_speaks_for_chinese_screens_only(voices: Path, cards: SoundCards) -> None:
    voice = PromptVoice(voices, card="Desk", volume=100, dialect="yue")
    voice.open()
    for words, language, pack in ((LEFT, "zh", "yue"), ("Blink", "en", "en")):
        key = "prompt.left" if language == "zh" else "prompt.blink"
        voice.say(words, language)
        expected = clip(voices, f"interim-{pack}", key)
        until(lambda wanted=expected: heard_all(cards, wanted), f"not in {pack}")
    voice.close()


def test_volume_scales_the_samples_and_stays_in_range(
    voice: PromptVoice, voices: Path, cards: SoundCards
) -> None:
    voice.open()
    assert voice.volume(-5) == 50
    voice.say(LEFT, "zh")
    softer = clip(voices, "interim-zh", "prompt.left") * gain(50)
    until(lambda: heard_all(cards, softer), "not softer")
    assert voice.volume(99) == 100
    assert voice.volume(-99) == 0
    assert gain(0) == 0
    assert (gain(50), gain(100)) == (0.25, 1)


def test_a_named_card_that_is_pulled_in_silence_is_noticed(
    voices: Path, cards: SoundCards, tmp_path: Path
) -> None:
    """The kernel has a folder for each card, called by its name."""
    kernel = tmp_path / "asound"
    (kernel / "Desk").mkdir(parents=True)
    voice = PromptVoice(voices, card="Desk", cards=kernel)
    voice.open()
    assert voice.health().ok
    (kernel / "Desk").rmdir()
    cards.unplug()
    assert voice.health().fault is Fault.ABSENT
    with pytest.raises(DeviceError):
        voice.open()
    (kernel / "Desk").mkdir()
    cards.plug_in()
    voice.open()
    assert voice.health().ok
    voice.close()


def test_the_volume_may_be_changed_while_it_speaks(slow: PromptVoice) -> None:
    """From the session's thread: at once, and what is being said is neither cut nor said again."""
    slow.open()
    slow.say(LONG, "zh")
    until(children, "nothing is said")
    speaking = children()
    started_s = time.monotonic()
    assert [slow.volume(-1) for _ in range(5)] == [90, 80, 70, 60, 50]
    slow.set_volume(55)
    assert time.monotonic() - started_s < 0.1
    assert children() == speaking
    assert slow.volume(0) == 55


def test_words_without_a_clip_are_spoken_by_the_engine(
    voice: PromptVoice, cards: SoundCards, tmp_path: Path
) -> None:
    voice.open()
    voice.say("由桂园街道社保所处理，0755-12345678", "zh")
    until(lambda: len(heard(cards)) > 5 * wav.RATE_HZ, "nothing was synthesised")
    assert voice.health().ok


def test_without_the_engine_a_sentence_is_left_out_and_told(
    voices: Path, cards: SoundCards
) -> None:
    voice = PromptVoice(
        voices, card="Desk", volume=100, synthesis=EspeakVoice(program="/no/such/espeak-ng")
    )
    voice.open()
    voice.say(f"没有这句话\n{LEFT}", "zh")
    pause = np.zeros(int(PAUSE_S * wav.RATE_HZ), int)
    rest = np.concatenate([pause, clip(voices, "interim-zh", "prompt.left")])
    until(lambda: heard_all(cards, rest), "the other sentence was lost too")
    assert not voice.health().ok
    assert "espeak-ng" in voice.health().words
    voice.close()


def test_a_spoilt_clip_does_not_silence_the_kiosk(
    voices: Path, cards: SoundCards, tmp_path: Path
) -> None:
    mine = Path(shutil.copytree(voices, tmp_path / "voices"))
    (mine / "interim-zh" / "prompt.left.wav").write_bytes(b"")
    voice = PromptVoice(mine, card="Desk")
    voice.open()
    voice.say(LEFT, "zh")
    until(lambda: len(heard(cards)) > wav.RATE_HZ, "silence")
    assert "prompt.left.wav" in voice.health().words
    voice.close()


def test_without_any_pack_the_engine_speaks_and_health_says_what_to_do(
    cards: SoundCards, tmp_path: Path
) -> None:
    voice = PromptVoice(tmp_path / "nothing", card="Desk")
    voice.open()
    assert voice.health().fix == "run `python -m edge voice build`"
    voice.say("Blink", "en")
    until(lambda: len(heard(cards)) > wav.RATE_HZ / 2, "silence")
    voice.close()


# --- processes --------------------------------------------------------------------------


def test_say_returns_at_once_and_a_new_utterance_cuts_the_old_one(
    slow: PromptVoice, cards: SoundCards
) -> None:
    before = children()
    slow.open()
    begun = time.perf_counter()
    slow.say(LONG, "zh")
    assert time.perf_counter() - begun < 0.1
    until(lambda: children() - before, "nothing was started")
    (first,) = children() - before
    slow.say(LONG, "zh")
    until(lambda: children() - before - {first}, "the second was not started")
    assert first not in children()  # killed and reaped
    slow.hush()
    until(lambda: children() == before, "hush left a process")


class SlowEngine(EspeakVoice):
    """Takes as long over its words as a test likes."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def render(self, words: str, language: str, wav_path: Path) -> None:
        self.begun.set()
        assert self.go_on.wait(10)
        super().render(words, language, wav_path)


def test_words_hushed_before_they_were_ready_are_never_played(
    voices: Path, cards: SoundCards
) -> None:
    engine = SlowEngine()
    voice = PromptVoice(voices, card="Desk", synthesis=engine)
    voice.open()
    (cards.folder / "played.raw").unlink()  # of the first look at the card
    voice.say("没有这句话", "zh")
    assert engine.begun.wait(10)
    voice.hush()
    engine.go_on.set()
    voice.close()
    assert not (cards.folder / "played.raw").exists()


def test_only_the_newest_of_many_is_played(
    voice: PromptVoice, voices: Path, cards: SoundCards
) -> None:
    voice.open()
    for _ in range(50):
        voice.say(LONG, "zh")
    voice.say(LEFT, "zh")
    expected = clip(voices, "interim-zh", "prompt.left")
    until(lambda: heard_all(cards, expected), "not the last one")


def test_finished_processes_are_reaped(voice: PromptVoice, voices: Path, cards: SoundCards) -> None:
    before = children()
    voice.open()
    voice.say(LEFT, "zh")
    until(lambda: heard_all(cards, clip(voices, "interim-zh", "prompt.left")), "not played")
    until(lambda: children() == before, "a zombie is left")


def test_close_kills_joins_and_may_be_repeated(slow: PromptVoice, cards: SoundCards) -> None:
    before, threads = children(), threading.active_count()
    files = open_files()
    slow.open()
    slow.say(LONG, "zh")
    until(lambda: children() - before, "nothing was started")
    slow.close()
    slow.close()
    assert children() == before
    assert threading.active_count() == threads
    assert open_files() == files
    assert not slow.health().ok
    with pytest.raises(DeviceError):
        slow.say(LEFT, "zh")


# --- a card that comes and goes -----------------------------------------------------------


def test_a_missing_card_is_told_with_what_to_do_and_comes_back(
    voice: PromptVoice, voices: Path, cards: SoundCards
) -> None:
    cards.unplug()
    with pytest.raises(DeviceError) as caught:
        voice.open()
    assert caught.value.fault is Fault.ABSENT
    told = voice.health()
    assert (told.ok, told.fault) == (False, Fault.ABSENT)
    assert "plughw:CARD=Desk" in told.words
    assert "aplay -L" in told.fix
    cards.plug_in()
    voice.open()
    voice.say(LEFT, "zh")
    until(lambda: heard_all(cards, clip(voices, "interim-zh", "prompt.left")), "not played")
    assert voice.health().ok


def test_a_card_lost_while_running_is_told_by_the_next_call(
    voice: PromptVoice, cards: SoundCards
) -> None:
    voice.open()
    cards.unplug()
    voice.say(LEFT, "zh")
    until(lambda: not voice.health().ok, "nothing was noticed")
    with pytest.raises(DeviceError, match="absent"):
        voice.say(LEFT, "zh")
    with pytest.raises(DeviceError, match="absent"):
        voice.open()
    cards.plug_in()
    voice.open()
    voice.say(LEFT, "zh")
    assert voice.health().ok


def test_no_program(voices: Path) -> None:
    voice = PromptVoice(voices, program="/no/such/aplay")
    with pytest.raises(DeviceError, match="alsa-utils"):
        voice.open()
    assert voice.health().fix == "install the Debian package alsa-utils"
    voice.close()
