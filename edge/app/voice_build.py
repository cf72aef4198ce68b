"""Voice packs made and checked: the engine's clips, a centre's recordings, and what is missing.

Each prompt of the view model has to exist as audio in every tongue that is
shipped, and to stand on the screen as it is spoken; `problems` names each that
does not.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge.domain.errors import ConfigError, KioskError
from edge.drivers import voice_packs, wav
from edge.drivers.voice_espeak import (
    PINYIN,
    EspeakVoice,
    pinyin_of_telephone,
    speakable,
    voice_for,
    with_sandhi,
)
from edge.drivers.voice_packs import Clip, Kind, Pack, PackError
from edge.drivers.wav import SoundError
from edge.session.states import Language
from edge.ui.prompts import CAPTION_DIFFERS, Sentence, pinyin, sentences
from edge.ui.screen import Facts

TONGUES = {"zh": Language.ZH, "yue": Language.ZH, "en": Language.EN}
"""What is shipped, and which screen each belongs to. Cantonese reads the Chinese screens."""

ENGINE_LICENCE = (
    "espeak-ng and its voice data: GPL-3.0-or-later; rendered on this machine, "
    "not part of the source"
)
LARGEST_BYTES = 20_000_000

Progress = Callable[[], None]


def prompts(tongue: str, site: Facts | None) -> dict[str, str]:
    """Key → words. Those that name the agency are there only for a site."""
    found = sentences(TONGUES[tongue])
    return {s.key: s.at(site) if site else s.words for s in found if site or s.is_fixed}


# --- the engine's voice -----------------------------------------------------------


def build(tongue: str, voices: Path, site: Facts | None, progress: Progress) -> Pack:
    """Render what is not there yet into `interim-TONGUE`. Raises `DeviceError`, `PackError`."""
    engine = EspeakVoice()
    engine.open()
    spelt = PINYIN if tongue == "zh" else tongue
    pack = Pack(
        name=f"interim-{tongue}",
        language=tongue,
        kind="interim",
        engine="espeak-ng",
        voice=voice_for(spelt, tuple(map(int, engine.version.split(".")))),
        version=engine.version,
        licence=ENGINE_LICENCE,
        interim=True,
        folder=voices / f"interim-{tongue}",
    )
    kept = _kept(pack)
    clips = []
    for key, words in prompts(tongue, site).items():
        said = reading(key, words, tongue, site)
        old = kept.get((key, words, said))
        clips.append(old or _rendered(engine, pack, key, words, said, spelt))
        progress()
    pack = replace(pack, clips=tuple(clips))
    voice_packs.write(pack)
    _sweep(pack)
    return pack


def reading(key: str, words: str, tongue: str, site: Facts | None) -> str:
    """What the engine is given: our own pinyin for Mandarin, the words for the others."""
    if tongue != "zh":
        return speakable(words, tongue)
    if key not in pinyin():
        raise ConfigError("zh.pinyin.toml", f"has no line for {key}")
    if site is None:
        return with_sandhi(pinyin()[key])
    agency, phone = speakable(site.agency_name, "zh"), pinyin_of_telephone(site.phone)
    return with_sandhi(pinyin()[key]).format(agency=agency, phone=phone)


def _kept(pack: Pack) -> dict[tuple[str, str, str], Clip]:
    """Clips of an earlier build that are still right, by key, words and reading."""
    try:
        old = voice_packs.read(pack.folder)
    except PackError:
        return {}
    if replace(old, clips=()) != pack:
        return {}  # another engine, or another version of it
    return {(c.key, c.text, c.said): c for c in old.clips if _is_whole(old, c)}


def _is_whole(pack: Pack, clip: Clip) -> bool:
    try:
        return bool(pack.read(clip))
    except PackError:
        return False


def _rendered(engine: EspeakVoice, pack: Pack, key: str, words: str, said: str, spelt: str) -> Clip:
    pack.folder.mkdir(parents=True, exist_ok=True)
    raw = pack.folder / f".{key}.raw"
    engine.render(said, spelt, raw)
    try:
        return _put(pack, key, words, raw.read_bytes(), said)
    finally:
        raw.unlink(missing_ok=True)


def _put(pack: Pack, key: str, words: str, data: bytes, said: str = "") -> Clip:
    """Fit a recording, write it into the pack, describe it. Raises `SoundError`."""
    sound = wav.fit(wav.decode(data))
    fitted = wav.encode(sound)
    clip = voice_packs.clip_of(key, words, fitted, sound.seconds, said)
    voice_packs.write_file(pack.path(clip), fitted)
    return clip


def _sweep(pack: Pack) -> None:
    """Clips of prompts that are gone."""
    current = {clip.file for clip in pack.clips}
    for path in pack.folder.glob("*.wav"):
        if path.name not in current:
            path.unlink()


# --- other voices -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origin:
    """Who speaks, and what allows it to be played."""

    kind: Kind
    engine: str
    licence: str


RECORDED = Origin("human", "microphone", "recorded by the centre, with the speaker's consent")


class ImportRefused(KioskError):
    """Recordings that cannot be used; nothing was written. One line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def take_in(
    recordings: dict[str, bytes],
    tongue: str,
    name: str,
    voices: Path,
    *,
    origin: Origin = RECORDED,
    site: Facts | None = None,
) -> Pack:
    """Put WAVs, by prompt, into a pack, which is made if need be. All are taken or none."""
    words = prompts(tongue, site)
    bad = [*_unknown(recordings, words), *_unfit(recordings)]
    if name in ("", ".", "..") or Path(name).name != name or name.startswith("interim-"):
        bad.append(f"{name}: not a name for a pack of your own")
    if bad or not recordings:
        raise ImportRefused(bad or ["no recordings there"])
    pack = _opened(name, tongue, voices, origin)
    new = {key: _put(pack, key, words[key], data) for key, data in recordings.items()}
    clips = {clip.key: clip for clip in pack.clips} | new
    pack = replace(pack, clips=tuple(clips.values()))
    voice_packs.write(pack)
    return pack


def _opened(name: str, tongue: str, voices: Path, origin: Origin) -> Pack:
    folder = voices / name
    if not (folder / voice_packs.MANIFEST).exists():
        kind, engine, licence = origin.kind, origin.engine, origin.licence
        return Pack(name, tongue, kind, engine, name, "1", licence, interim=False, folder=folder)
    pack = voice_packs.read(folder)
    if pack.language != tongue or pack.kind != origin.kind:
        raise ImportRefused([f"{name}: is a pack of kind {pack.kind} for {pack.language}"])
    return pack


def _unknown(recordings: dict[str, bytes], words: dict[str, str]) -> Iterator[str]:
    for key in recordings:
        if key not in words:
            near = difflib.get_close_matches(key, words, n=1)
            yield f"{key}: no such prompt{f'; did you mean {near[0]}?' if near else ''}"


def _unfit(recordings: dict[str, bytes]) -> Iterator[str]:
    for key, data in recordings.items():
        try:
            wav.fit(wav.decode(data))
        except SoundError as error:
            yield f"{key}: {error}"


def wavs_in(folder: Path) -> dict[str, bytes]:
    """The bytes of every KEY.wav. Raises `ImportRefused` for one that is absurdly large."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() == ".wav")
    large = [f"{p.name}: larger than 20 MB" for p in found if p.stat().st_size > LARGEST_BYTES]
    if large:
        raise ImportRefused(large)
    return {path.stem: path.read_bytes() for path in found}


# --- checking ---------------------------------------------------------------------


def problems(voices: Path, tongues: tuple[str, ...], site: Facts | None) -> list[str]:
    """One line for each prompt without audio or caption, and for each broken pack."""
    good, bad = voice_packs.packs(voices)
    found = [str(error) for error in bad]
    for tongue in tongues:
        clips = voice_packs.layered(good, tongue)
        for key, words in prompts(tongue, site).items():
            found += _silent(tongue, key, clips.get(words))
        found += [f"{tongue} {s.key}: {fault}" for s, fault in _captions(tongue)]
    return found


def _silent(tongue: str, key: str, layer: tuple[Pack, Clip] | None) -> Iterator[str]:
    if layer is None:
        yield f"{tongue} {key}: no audio; run `python -m edge voice build`"
        return
    try:
        sound = wav.decode(layer[0].read(layer[1]))
    except (PackError, SoundError) as error:
        yield f"{tongue} {key}: {error}"
        return
    if sound.rate_hz != wav.RATE_HZ or sound.rms < wav.SILENCE_RMS:
        yield f"{tongue} {key}: silent, or not at {wav.RATE_HZ} Hz"


def _captions(tongue: str) -> Iterator[tuple[Sentence, str]]:
    for sentence in sentences(TONGUES[tongue]):
        if not sentence.words.strip():
            yield sentence, "no caption: the catalogue's text is empty"
        elif sentence.uncaptioned and sentence.key not in CAPTION_DIFFERS:
            yield sentence, f"no caption: spoken, not shown: {' / '.join(sentence.uncaptioned)}"
