"""Packs: built, checked, replaced by a human voice, refused when they are broken."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app import voice_build
from edge.app.cli import main
from edge.app.voice_build import TONGUES, ImportRefused, Origin, problems, prompts, take_in
from edge.drivers import voice_packs, wav
from edge.drivers.voice_packs import PackError
from edge.session.states import Language
from edge.ui.prompts import Sentence, sentences
from tests.alsa_bench import SoundCards, needs_alsa, needs_espeak
from tests.ui_world import FACTS
from tests.unit.voice.test_wav import file_of, tone

pytestmark = needs_espeak
ALL = tuple(TONGUES)


@pytest.fixture
def mine(voices: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(voices, tmp_path / "voices"))


# --- build and verify ---------------------------------------------------------------


def test_k28_every_prompt_has_audio_and_a_caption_in_every_shipped_tongue(voices: Path) -> None:
    assert problems(voices, ALL, None) == []
    assert all(len(prompts(tongue, None)) > 60 for tongue in ALL)


def test_a_prompt_without_audio_is_named(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mine / "interim-yue" / "prompt.left.wav").unlink()
    assert main(["voice", "verify", "--dir", str(mine)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "yue prompt.left" in told[0] or "prompt.left.wav" in told[0]
    assert main(["voice", "verify", "--dir", str(mine), "--lang", "zh", "--lang", "en"]) == 0


def test_a_sentence_that_was_changed_has_no_audio_any_more(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tuple(
        replace(s, words="请往左看") if s.key == "prompt.left" else s
        for s in sentences(Language.ZH)
    )
    monkeypatch.setattr(voice_build, "sentences", lambda _: changed)
    assert [p.split(":")[0] for p in problems(mine, ("zh",), None)] == ["zh prompt.left"]


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        (Sentence("prompt.left", "请往左看", ("请往左看",)), "spoken, not shown: 请往左看"),
        (Sentence("prompt.left", " "), "the catalogue's text is empty"),
    ],
)
def test_a_prompt_without_caption_is_named(
    mine: Path, monkeypatch: pytest.MonkeyPatch, sentence: Sentence, why: str
) -> None:
    monkeypatch.setattr(voice_build, "sentences", lambda _: (sentence,))
    assert any("prompt.left: no caption" in p and why in p for p in problems(mine, ("zh",), None))


def test_a_spoilt_clip_and_a_broken_manifest_are_named(mine: Path) -> None:
    (mine / "interim-en" / "prompt.up.wav").write_bytes(b"RIFF")
    (mine / "torn").mkdir()
    (mine / "torn" / "manifest.json").write_text("{")
    down = mine / "interim-zh" / "prompt.down.wav"
    down.write_bytes((mine / "interim-zh" / "prompt.left.wav").read_bytes())
    told = problems(mine, ALL, None)
    assert len(told) == 3
    assert any("zh prompt.down" in line and "not the file" in line for line in told)
    assert any("torn" in line for line in told)
    assert any("en prompt.up" in line for line in told)


def test_building_again_renders_nothing_and_mends_what_is_spoilt(mine: Path) -> None:
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in mine.rglob("*.wav")}
    spoilt = mine / "interim-zh" / "prompt.up.wav"
    spoilt.write_bytes(b"")
    stray = mine / "interim-zh" / "prompt.gone.wav"
    stray.write_bytes(b"")
    voice_build.build("zh", mine, None, lambda: None)
    assert not stray.exists()
    for path, (data, written) in before.items():
        assert path.read_bytes() == data  # the engine says the same every time
        assert (path.stat().st_mtime_ns == written) is (path != spoilt)


def test_the_manifest_tells_engine_licence_and_that_it_is_interim(voices: Path) -> None:
    for tongue in ALL:
        table = json.loads((voices / f"interim-{tongue}" / "manifest.json").read_text())
        assert table["interim"] is True
        assert (table["engine"], table["language"]) == ("espeak-ng", tongue)
        assert re.fullmatch(r"\d+\.\d+", table["version"])
        assert "GPL-3.0-or-later" in table["licence"]
        clip = table["clips"][0]
        assert clip["text_sha256"] == voice_packs.sha256_of(clip["text"].encode())


def test_a_site_also_gets_the_sentence_with_its_name(mine: Path) -> None:
    pack = voice_build.build("zh", mine, FACTS, lambda: None)
    (clip,) = [c for c in pack.clips if c.key == "consent.who"]
    assert clip.text == "由桂园街道社保所处理，0755-12345678"
    assert clip.said.startswith("you2 桂园街道社保所 chu2li3, ling2 qi1 wu3 wu3, yao1 er4")
    assert not problems(mine, ("zh",), FACTS)


# --- listening by measurement: nobody can hear here -----------------------------------


@pytest.mark.parametrize("tongue", ALL)
def test_k28_clips_are_slow_even_and_unclipped(voices: Path, tongue: str) -> None:
    pack = voice_packs.read(voices / f"interim-{tongue}")
    for clip in pack.clips:
        sound = wav.decode(pack.read(clip))
        assert sound.rate_hz == wav.RATE_HZ
        assert sound.peak <= wav.HIGHEST_PEAK + 0.001, clip.key
        assert 0.08 <= sound.rms <= wav.SPEECH_RMS * 1.01, clip.key
        assert sound.seconds == pytest.approx(clip.seconds, abs=0.001)
        speech_s = sound.seconds - 2 * wav.EDGE_S
        count = len(re.findall(r"[\u4e00-\u9fff]", clip.text))
        if tongue == "zh" or tongue == "yue":
            assert 2.2 <= count / speech_s <= 4.5, clip.key
        else:
            assert 6 <= len(clip.text) / speech_s <= 18, clip.key


# --- other voices -----------------------------------------------------------------------


def test_a_human_voice_lies_over_the_interim_one(mine: Path) -> None:
    fetched = Origin("fetched", "some-engine", "CC0")
    words = prompts("zh", None)["prompt.left"]
    take_in({"prompt.left": file_of(tone(1))}, "zh", "zz-fetched", mine, origin=fetched)
    assert voice_packs.layered(voice_packs.packs(mine)[0], "zh")[words][0].name == "zz-fetched"
    take_in({"prompt.left": file_of(tone(2))}, "zh", "aunt-li", mine)
    over, clip = voice_packs.layered(voice_packs.packs(mine)[0], "zh")[words]
    assert (over.name, over.kind, over.interim) == ("aunt-li", "human", False)
    assert clip.seconds == pytest.approx(2, abs=0.01)
    take_in({"prompt.right": file_of(tone(1.5))}, "zh", "aunt-li", mine)
    assert {c.key for c in voice_packs.read(mine / "aunt-li").clips} == {
        "prompt.left",
        "prompt.right",
    }
    assert problems(mine, ALL, None) == []


def test_import_takes_all_or_nothing(mine: Path, tmp_path: Path) -> None:
    good, silent = file_of(tone(1)), file_of(tone(1, peak=0))
    files = {
        "prompt.left": good,
        "prompt.up": silent,
        "prompt.lfet": good,
        "prompt.down": good[:99],
    }
    with pytest.raises(ImportRefused) as refused:
        take_in(files, "zh", "aunt-li", mine)
    told = "\n".join(refused.value.problems)
    assert "prompt.lfet: no such prompt; did you mean prompt.left?" in told
    assert "prompt.up: nothing can be heard" in told
    assert "prompt.down: " in told
    assert len(refused.value.problems) == 3
    assert not (mine / "aunt-li").exists()


@pytest.mark.parametrize("name", ["", "..", "../over", "a/b", "interim-zh"])
def test_a_pack_stays_in_its_folder(mine: Path, name: str) -> None:
    with pytest.raises(ImportRefused, match="not a name"):
        take_in({"prompt.left": file_of(tone(1))}, "zh", name, mine)


def test_a_pack_has_one_language(mine: Path) -> None:
    take_in({"prompt.left": file_of(tone(1))}, "zh", "aunt-li", mine)
    with pytest.raises(ImportRefused, match="kind human for zh"):
        take_in({"prompt.left": file_of(tone(1))}, "en", "aunt-li", mine)


def test_a_manifest_cannot_reach_outside_its_pack(mine: Path) -> None:
    path = mine / "interim-zh" / "manifest.json"
    path.write_text(path.read_text().replace('"prompt.up.wav"', '"../interim-en/prompt.up.wav"'))
    with pytest.raises(PackError, match="outside"):
        voice_packs.read(path.parent)


# --- the command line ---------------------------------------------------------------------


def test_import_and_list(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "prompt.left.wav").write_bytes(file_of(tone(1, 48_000), channels=2))
    command = ["voice", "import", str(folder), "--lang", "zh", "--pack", "aunt-li"]
    assert main([*command, "--dir", str(mine)]) == 0
    capsys.readouterr()
    assert main(["voice", "list", "--json", "--dir", str(mine)]) == 0
    rows = {(r["language"], r["key"]): r for r in json.loads(capsys.readouterr().out)}
    assert len(rows) == 3 * len(sentences(Language.ZH))
    assert rows["zh", "prompt.left"]["pack"] == "aunt-li"
    assert rows["zh", "prompt.left"]["interim"] is False
    assert rows["yue", "prompt.left"]["pack"] == "interim-yue"
    assert rows["zh", "consent.who"]["pack"] == "at run time"


def test_import_of_nothing_or_nonsense(mine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    command = ["voice", "import", str(folder), "--lang", "zh", "--pack", "x", "--dir", str(mine)]
    assert main(command) == 2
    (folder / "prompt.left.wav").write_bytes(b"not sound")
    assert main(command) == 2
    assert main(["voice", "import", "/no/such/folder", *command[3:]]) == 2


@needs_alsa
def test_record_with_a_real_arecord(
    mine: Path, cards: SoundCards, capsys: pytest.CaptureFixture[str]
) -> None:
    cards.microphone(wav.pcm(tone(3, hz=300).samples))
    command = ["voice", "record", "prompt.left", "--lang", "zh", "--dir", str(mine)]
    assert main([*command, "--card", "Desk", "--seconds", "2"]) == 0
    assert "请向左转头" in capsys.readouterr().out
    (clip,) = voice_packs.read(mine / "own").clips
    assert clip.key == "prompt.left"
    assert 1.5 <= clip.seconds <= 2.1
    assert main([*command, "--card", "Nothing", "--seconds", "1"]) == 1
    assert main(["voice", "record", "prompt.nonsense", "--lang", "zh"]) == 2
