"""The loudspeaker and the running session."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge.app.loudness import KeptVolume
from edge.app.runner import Runner
from edge.drivers.sim.scenario import SCENARIOS
from edge.drivers.sim.voice import SimVoice
from edge.session.events import Button, Pressed
from edge.session.states import Language
from tests.headless import HeadlessKiosk, make_config


def heard(voice: SimVoice, count: int) -> list[str]:
    """Wait for this many utterances."""

    for _ in range(1000):
        if len(voice.utterances) >= count:
            return [words for words, _ in voice.utterances]
        threading.Event().wait(0.01)
    raise AssertionError(f"only {len(voice.utterances)} utterances")


@pytest.mark.timeout(60)
def test_k28_the_repeat_and_volume_keys_say_the_screen_once_more(
    tmp_path: Path, models_dir: Path
) -> None:
    kiosk = HeadlessKiosk(make_config(tmp_path, models_dir), SCENARIOS["good-day"])
    runner: Runner = kiosk.runner
    assert isinstance(kiosk.parts.voice, KeptVolume)
    voice = kiosk.parts.voice.voice
    assert isinstance(voice, SimVoice)
    runner.start()
    try:
        runner.post(Pressed(Button.HELP))
        (help_words,) = heard(voice, 1)
        runner.post(Pressed(Button.REPEAT))
        assert heard(voice, 2) == [help_words, help_words]
        runner.post(Pressed(Button.LANGUAGE_EN))
        english = heard(voice, 3)[-1]
        runner.post(Pressed(Button.REPEAT))
        assert heard(voice, 4)[2:] == [english, english]
        assert voice.utterances[-1][1] == Language.EN.value
        usual = voice.volume(0)
        runner.post(Pressed(Button.SOFTER))
        assert heard(voice, 5)[-1] == english
        assert voice.volume(0) == usual - 10
        runner.post(Pressed(Button.BACK))
        runner.post(Pressed(Button.START_PROOF))
        heard(voice, 6)
        runner.post(Pressed(Button.HOME))
        for _ in range(1000):
            if voice.volume(0) == usual:
                break
            threading.Event().wait(0.01)
        assert voice.volume(0) == usual, "as before, for whoever comes next"
    finally:
        runner.close()
        kiosk.world.close()
        kiosk.parts.disk.close()
