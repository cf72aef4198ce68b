"""What every voice keeps, real and simulated. Nobody listens; processes and errors are seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from edge.domain.errors import DeviceError, Fault
from edge.drivers.sim.voice import SimVoice
from edge.drivers.voice_espeak import EspeakVoice
from edge.drivers.voice_packs import default_dir
from edge.drivers.voice_wav import PromptVoice
from edge.ports import Voice
from tests.alsa_bench import SoundCards, needs_alsa, needs_espeak, sound_cards
from tests.scanner_bench import wait_until
from tests.technician import Do, Technician

AT_ONCE_S = 0.5
RECOVERY_S = 5.0
ODD_WORDS = ["", "\x1b[31m", "㐂𠮷", "a" * 5000, "请抬头\n请低头", "-v en --ipa", "\0"]


@dataclass
class Desk:
    """One implementation, and one of the same kind with nothing to speak through."""

    voice: Voice
    mute: Callable[[], Voice]
    pull: Callable[[], None] | None = None
    plug: Callable[[], None] | None = None
    heard: Callable[[str], bool] = lambda question: True  # nobody listens to a file


def prompts(folder: Path, card: str) -> Voice:
    return PromptVoice(folder / "voices", card=card)


def missing_card() -> Voice:
    voice = SimVoice(lambda words: None)
    voice.vanish()
    return voice


def simulated() -> Desk:
    voice = SimVoice(lambda words: None)
    return Desk(voice, missing_card, voice.vanish, voice.come_back)


def real(card: str, technician: Technician) -> Desk:
    """The kiosk's own prompts on the card of this name, after CARD= in `aplay -L`."""
    return Desk(
        PromptVoice(default_dir(), card=card),
        lambda: PromptVoice(default_dir(), card="Nowhere"),
        pull=lambda: technician.do(Do.SOUND_PULL),
        plug=lambda: technician.do(Do.SOUND_PLUG),
        heard=technician.sees,
    )


@pytest.fixture(
    params=[
        pytest.param("prompts", marks=[needs_alsa, needs_espeak]),
        pytest.param("espeak", marks=needs_espeak),
        "sim",
        "hardware",
    ]
)
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hardware: dict[str, str],
    technician: Technician,
) -> Iterator[Desk]:
    before = (threading.active_count(), len(psutil.Process().children()))
    if request.param == "hardware":
        if "voice" not in hardware:
            pytest.skip("needs a sound card: pytest tests/conformance --hardware voice=CARD")
        found = real(hardware["voice"], technician)
        yield found
        found.voice.close()
    else:
        for cards in sound_cards(tmp_path, monkeypatch):
            found = made(request.param, tmp_path, cards)
            yield found
            found.voice.close()
    assert (threading.active_count(), len(psutil.Process().children())) == before


def made(kind: str, folder: Path, cards: SoundCards) -> Desk:
    if kind == "sim":
        return simulated()
    if kind == "espeak":
        return Desk(EspeakVoice(), lambda: EspeakVoice(program="no-such-program"))
    voice = prompts(folder, "Desk")
    return Desk(voice, lambda: prompts(folder, "Nowhere"), cards.unplug, cards.plug_in)


def test_it_speaks_and_returns_at_once(desk: Desk) -> None:
    desk.voice.open()
    started = time.monotonic()
    for words, language in (("请抬头", "zh"), ("Raise your head", "en"), ("请眨眼", "zh")):
        desk.voice.say(words, language)
    assert time.monotonic() - started < 3 * AT_ONCE_S
    assert desk.heard("Did you hear 请眨眼 (qǐng zhǎ yǎn), the last of three?")


def test_it_can_be_hushed_also_when_it_says_nothing(desk: Desk) -> None:
    desk.voice.open()
    desk.voice.hush()
    desk.voice.say("请抬头" * 20, "zh")
    started = time.monotonic()
    desk.voice.hush()
    assert time.monotonic() - started < AT_ONCE_S


def test_it_opens_and_closes_as_often_as_one_likes(desk: Desk) -> None:
    for _ in range(2):
        desk.voice.open()
        desk.voice.open()
        desk.voice.say("请抬头", "zh")
        desk.voice.close()
        desk.voice.close()


def test_closed_it_says_nothing_and_says_so(desk: Desk) -> None:
    with pytest.raises(DeviceError) as caught:
        desk.voice.say("请抬头", "zh")
    assert (caught.value.fault, caught.value.retry) == (Fault.ABSENT, False)
    assert not desk.voice.health().ok


@pytest.mark.parametrize("words", ODD_WORDS)
def test_odd_words_hurt_nobody(desk: Desk, words: str) -> None:
    desk.voice.open()
    desk.voice.say(words, "zh")
    desk.voice.say("请抬头", "zh")


def test_volume_stays_within_its_range(desk: Desk) -> None:
    assert desk.voice.volume(-20) == 0
    assert desk.voice.volume(3) == 30
    assert desk.voice.volume(20) == 100
    assert desk.voice.volume(0) == 100


def test_a_card_that_is_pulled_and_plugged_in_again_speaks_within_five_seconds(desk: Desk) -> None:
    if desk.pull is None or desk.plug is None:
        pytest.skip("it chooses the card by itself")
    desk.voice.open()
    desk.pull()
    with suppress(DeviceError):  # one that has noticed by itself
        desk.voice.say("请抬头", "zh")
    assert wait_until(lambda: desk.voice.health().fault is Fault.ABSENT)
    desk.plug()
    assert wait_until(lambda: opens(desk.voice), RECOVERY_S)
    desk.voice.say("请抬头", "zh")
    assert desk.heard("Did you hear 请抬头 (qǐng tái tóu)?")
    assert desk.voice.health().fault is None


def opens(voice: Voice) -> bool:
    try:
        voice.open()
    except DeviceError:
        return False
    return True


def test_without_a_loudspeaker_it_is_absent_and_tells_what_to_do(desk: Desk) -> None:
    mute = desk.mute()
    with pytest.raises(DeviceError) as caught:
        mute.open()
    assert caught.value.fault is Fault.ABSENT
    health = mute.health()
    assert not health.ok
    assert health.words
    assert health.fix
    mute.close()
    mute.close()
