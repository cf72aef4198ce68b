"""`python -m edge voice build|verify|list|record|import`: the prompts as audio."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from edge.app import config as site_file
from edge.app import voice_build
from edge.app.voice_build import TONGUES, ImportRefused, Origin
from edge.domain.errors import ConfigError, DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers import voice_packs, wav
from edge.drivers.voice_packs import PackError
from edge.drivers.wav import SoundError
from edge.ui.prompts import sentences
from edge.ui.screen import Facts

EXIT_OK, EXIT_FAILED, EXIT_GAPS = 0, 1, 2


def add_parser(subparsers: Any) -> None:
    """Add `voice` to the main command; the chosen function is in `args.run`."""
    voice = subparsers.add_parser("voice", help="build, verify, list or record the spoken prompts")
    kinds = voice.add_subparsers(dest="voice_command", required=True)
    for name, run, text in (
        ("build", run_build, "render every prompt with the interim voice; exit code 2 on gaps"),
        ("verify", run_verify, "name each prompt without audio or caption; exit code 2 if any"),
        ("list", run_list, "which voice speaks each prompt"),
        ("record", run_record, "record one prompt with a microphone"),
        ("import", run_import, "take in a folder of KEY.wav recordings"),
    ):
        command = kinds.add_parser(name, help=text)
        _add_common(command, many=run in (run_build, run_verify, run_list))
        command.set_defaults(run=run)
        if name in ("verify", "list"):
            command.add_argument("--json", action="store_true", help="answer in JSON")
        if name == "record":
            _add_record(command)
        if name == "import":
            _add_import(command)


def _add_common(command: argparse.ArgumentParser, *, many: bool) -> None:
    help_lang = "zh, yue (Cantonese) or en"
    if many:
        text = f"{help_lang}; may be repeated (default: all)"
        command.add_argument("--lang", action="append", choices=TONGUES, help=text)
    else:
        command.add_argument("--lang", required=True, choices=TONGUES, help=help_lang)
    text = "folder of the voice packs (default: $JIANZAI_VOICES or .cache/voices)"
    command.add_argument("--out", "--dir", dest="voices", type=Path, metavar="DIR", help=text)
    text = "site file: also the sentences that name this agency and its telephone"
    command.add_argument("--site", type=Path, metavar="FILE", help=text)


def _add_record(command: argparse.ArgumentParser) -> None:
    command.add_argument("key", metavar="KEY", help="which prompt; see `voice list`")
    command.add_argument("--pack", default="own", help="name of the pack (default: own)")
    command.add_argument("--card", default="", help="name of the sound card with the microphone")
    command.add_argument("--seconds", type=int, default=10, help="how long to record (default: 10)")


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="DIR", help="WAV files named by prompt")
    command.add_argument("--pack", required=True, metavar="NAME", help="name of the pack")
    command.add_argument("--kind", choices=("human", "fetched"), default="human")
    command.add_argument("--engine", default="microphone", help="what made the recordings")
    text = "what allows them to be played"
    command.add_argument("--licence", default=voice_build.RECORDED.licence, help=text)


def _voices(args: argparse.Namespace) -> Path:
    found: Path = args.voices or voice_packs.default_dir()
    return found


def _tongues(args: argparse.Namespace) -> tuple[str, ...]:
    return tuple(dict.fromkeys(args.lang)) if args.lang else tuple(TONGUES)


def _site(args: argparse.Namespace) -> Facts | None:
    if not args.site:
        return None
    from edge.app.compose import facts_of  # brings the whole kiosk with it
    from edge.app.layers import in_force

    return facts_of(in_force(site_file.load(args.site)), Provenance.LIVE)


# --- build, verify, list ------------------------------------------------------------


def run_build(args: argparse.Namespace) -> int:
    from rich.progress import Progress

    voices, tongues, site = _voices(args), _tongues(args), _site(args)
    with Progress() as bar:
        for tongue in tongues:
            task = bar.add_task(f"voice {tongue}", total=len(voice_build.prompts(tongue, site)))
            try:
                voice_build.build(tongue, voices, site, partial(bar.advance, task))
            except SoundError as error:
                raise PackError(f"{tongue}: the engine's speech is unfit: {error}") from error
    _write_report(voices, tongues, site)
    gaps = voice_build.problems(voices, tongues, site)
    if not gaps:
        _say(f"all prompts of {', '.join(tongues)} are in {voices} (interim voice)")
    return _complain(gaps)


def _write_report(voices: Path, tongues: tuple[str, ...], site: Facts | None) -> None:
    rows = [row for tongue in tongues for row in _rows(voices, tongue, site)]
    text = json.dumps({"prompts": rows}, ensure_ascii=False, indent=1)
    voice_packs.write_file(voices / "report.json", text.encode())


def run_verify(args: argparse.Namespace) -> int:
    voices, tongues, site = _voices(args), _tongues(args), _site(args)
    gaps = voice_build.problems(voices, tongues, site)
    if args.json:
        _say(json.dumps({"dir": str(voices), "gaps": gaps}, ensure_ascii=False, indent=1))
        return EXIT_GAPS if gaps else EXIT_OK
    if not gaps:
        _say(f"every prompt of {', '.join(tongues)} has audio and a caption")
    return _complain(gaps)


def run_list(args: argparse.Namespace) -> int:
    rows = [row for t in _tongues(args) for row in _rows(_voices(args), t, _site(args))]
    if args.json:
        _say(json.dumps(rows, ensure_ascii=False, indent=1))
        return EXIT_OK
    for row in rows:
        voice = f"{row['pack']}{' (interim)' if row['interim'] else ''}"
        _say(f"{row['language']:4}{row['key']:24}{voice:22}{row['seconds'] or 0:5.1f} s")
        _say(f"    {row['text']}")
    return EXIT_OK


def _rows(voices: Path, tongue: str, site: Facts | None) -> list[dict[str, Any]]:
    good, _ = voice_packs.packs(voices)
    clips = voice_packs.layered(good, tongue)
    return [_row(tongue, key, words, clips) for key, words in _all(tongue, site).items()]


def _all(tongue: str, site: Facts | None) -> dict[str, str]:
    """With the sentences that without a site file are spoken by the engine as they come."""
    found = {s.key: s.words for s in sentences(TONGUES[tongue])}
    return found | voice_build.prompts(tongue, site)


def _row(
    tongue: str,
    key: str,
    words: str,
    clips: dict[str, tuple[voice_packs.Pack, voice_packs.Clip]],
) -> dict[str, Any]:
    pack, clip = clips.get(words, (None, None))
    return {
        "language": tongue,
        "key": key,
        "text": words,
        "pack": pack.name if pack else "at run time",
        "engine": pack.engine if pack else "espeak-ng",
        "licence": pack.licence if pack else voice_build.ENGINE_LICENCE,
        "interim": pack.interim if pack else True,
        "seconds": clip.seconds if clip else None,
    }


# --- record, import -----------------------------------------------------------------


def run_record(args: argparse.Namespace) -> int:
    words = voice_build.prompts(args.lang, _site(args)).get(args.key)
    if words is None:
        return _complain([f"{args.key}: no such prompt; see `python -m edge voice list`"])
    _say(f"Please read slowly and clearly, within {args.seconds} s:\n\n    {words}\n")
    return _taken(args, {args.key: _recorded(args.card, args.seconds)}, voice_build.RECORDED)


def _recorded(card: str, seconds: int) -> bytes:
    """What the microphone hears, as a WAV."""
    device = f"plughw:CARD={card}" if card else "default"
    command = ["arecord", "--quiet", "--device", device, "--file-type", "wav"]
    command += ["--format", "S16_LE", "--rate", str(wav.RATE_HZ), "--channels", "1"]
    with tempfile.TemporaryDirectory(prefix="jianzai-voice-") as folder:
        path = Path(folder) / "heard.wav"
        try:
            done = subprocess.run(
                [*command, "--duration", str(seconds), str(path)],
                capture_output=True,
                timeout=seconds + 10,
                check=False,
            )
        except OSError as error:
            fix = "install the Debian package alsa-utils"
            raise DeviceError("microphone", Fault.ABSENT, fix, retry=False) from error
        except subprocess.TimeoutExpired as error:
            raise DeviceError("microphone", Fault.SILENT, f"no sound from {device}") from error
        if done.returncode or not path.exists():
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise DeviceError("microphone", Fault.ABSENT, lines[-1] if lines else "arecord failed")
        return path.read_bytes()


def run_import(args: argparse.Namespace) -> int:
    if not args.folder.is_dir():
        raise ConfigError(str(args.folder), "no such folder")
    try:
        recordings = voice_build.wavs_in(args.folder)
    except ImportRefused as error:
        return _complain(error.problems)
    return _taken(args, recordings, Origin(args.kind, args.engine, args.licence))


def _taken(args: argparse.Namespace, recordings: dict[str, bytes], origin: Origin) -> int:
    try:
        pack = voice_build.take_in(
            recordings, args.lang, args.pack, _voices(args), origin=origin, site=_site(args)
        )
    except ImportRefused as error:
        return _complain(error.problems)
    _say(f"{len(recordings)} recordings are in {pack.folder}; {len(pack.clips)} in the pack")
    return EXIT_OK


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(lines: list[str]) -> int:
    for line in lines:
        sys.stderr.write(f"voice: {line}\n")
    return EXIT_GAPS if lines else EXIT_OK
