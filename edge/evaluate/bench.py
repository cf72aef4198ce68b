"""`make evaluate`: plays what is missing, then writes report, page and pictures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from edge import __version__
from edge.domain.errors import ConfigError
from edge.evaluate import (
    campaign,
    depth,
    gallery,
    layers,
    page,
    plots,
    report,
    settings,
    speed,
    thresholds,
)
from edge.evaluate.campaign import AGAIN, LIVE, REPLAY, Archive, Company
from edge.evaluate.clip import Clip, Judge
from edge.evaluate.settings import Splits
from edge.evaluate.stage import Played
from edge.evaluate.verification import Set, read_people, verify
from edge.models.manifest import specs

SHORT = 200
FULL = {
    LIVE: 1000,
    "flat_print": 3000,
    "flat_screen": 3000,
    REPLAY: SHORT,
    AGAIN: 20_000,
    "swap": 5000,
}
FULL_OTHERS = 1000
RECORDINGS = (".mkv", ".mp4", ".avi", ".mov", ".webm", ".gif")
VERIFY_SEED = 2026
DEPTH_SHOWS = 8

IN_DET = ("card_1kb_single_frame", "card_1kb", "card_1kb_hard")

Errand = Callable[[Company], partial[Any]]

NOTES = (
    "Everything that is alive here is drawn from one photograph; it says that the check and the"
    " drawing agree, and much less about people.",
    "Sessions are drawn anew and go through the real models frame by frame, but for replays of the"
    " full form: there one film is looked at once and shown to 40 tries with fresh orders, because"
    " a film hears nothing; 200 more replays are drawn anew each. Intervals count each drawing"
    " (distinct_renders) once, however often it was shown; people come again in many drawings.",
    "Accepted counts sessions taken for living; IAPAR those that were also found alike to the"
    " card. APCER is over all attempts; limits are held against the share of those that got any"
    " response at all.",
    "Who plays a living head was chosen by the same public models: photographs whose drawn lids"
    " or extremes they could not read as such take part as stills only.",
    "A session in which nothing is asked for 6 s ends as no response. Half of the living wait until"
    " the interim Chinese voice has said the word that counts, the others go by the sign on the"
    " screen; seconds are from the first frame to the verdict.",
    "One attack in five is played at the kiosk's slow pace, and half of the slow living.",
    "Real paper, screens, masks, cameras and pensioners are not in these figures.",
    "No real clip nods, so no real clip can be accepted.",
)


@dataclass(slots=True)
class Bench:
    """One run. `folder` has splits and limits, and receives the report."""

    folder: Path
    models_dir: Path
    cache: Path
    full: bool
    workers: int
    count: int | None = None
    kinds: tuple[str, ...] = tuple(campaign.GENERATORS)
    console: Console = field(default_factory=Console)
    spent_s: dict[str, float] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Play, measure, write; returns what `report.json` has."""
        digest = thresholds.verify(self.folder, thresholds.of_the_product())
        splits, data = settings.read_splits(self.folder), settings.data_folder()
        played, company, found = self._sessions(splits, data, self._errands(splits, data))
        sets, clouds = found.get("comparison", {}), found["depth"]
        with self._timed("speed"):
            speeds = speed.measure(self.models_dir)
        figures = self._figures(played, digest, company)
        figures["real_clips"], figures["speed"] = found.get("clips", []), speeds
        figures["layers"] = layers.measure(VERIFY_SEED)
        figures["verification"] = {name: one.figures() for name, one in sets.items()}
        figures["seconds"] = self.spent_s
        self._write(figures, played, clouds, sets)
        return figures

    def look(self) -> dict[str, Any]:
        """Sessions alone, of some kinds or fewer than a report needs; nothing is written."""
        digest = thresholds.verify(self.folder, thresholds.of_the_product())
        splits, data = settings.read_splits(self.folder), settings.data_folder()
        played, company, _ = self._sessions(splits, data, {})
        return self._figures(played, digest, company)

    def _errands(self, splits: Splits, data: Path | None) -> dict[str, Errand]:
        """What other processes work out beside the sessions."""
        first = splits.first_seed(settings.REPORT)
        seeds = range(first, first + DEPTH_SHOWS)
        errands: dict[str, Errand] = {
            "depth": lambda company: partial(depth.clouds, company, seeds),
            "gallery": lambda _: partial(gallery.draw, self.folder / "plots/gallery.jpg"),
        }
        if data is not None:
            errands["clips"] = lambda _: partial(real_clips, data, splits, self.models_dir)
            errands["comparison"] = lambda company: partial(
                compared, data, company.names, self.models_dir
            )
        return errands

    def _sessions(
        self, splits: Splits, data: Path | None, errands: Mapping[str, Errand]
    ) -> tuple[dict[str, list[Played]], Company, dict[str, Any]]:
        if data is None:
            self.console.print("EVAL_DATA names no folder: two portraits and no real clip")
        company = Company(self.models_dir, data, _report_people(splits, data))
        kept = self.cache / campaign.fingerprint(company)
        with self._timed("choosing who can play"):
            company = company.with_players(kept / "players.json")
        first, also = splits.first_seed(settings.REPORT), self._for(company, errands)
        with self._timed("sessions"):
            played, found = self._play(company, Archive(kept), first, also)
        return played, company, found

    def _for(self, company: Company, errands: Mapping[str, Errand]) -> dict[str, partial[Any]]:
        return {name: errand(company) for name, errand in errands.items()}

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.spent_s[stage] = round(time.monotonic() - began, 1)

    @contextmanager
    def _bar(self, words: str, total: int) -> Iterator[_Bar]:
        columns = (
            TextColumn("{task.description:24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            yield _Bar(progress, progress.add_task(words, total=total))

    # --- sessions -----------------------------------------------------------------

    def wanted(self, kind: str) -> int:
        if self.count is not None:
            return self.count
        if self.full:
            return FULL.get(kind, FULL_OTHERS)
        return 0 if kind == AGAIN else SHORT

    def _play(
        self,
        company: Company,
        archive: Archive,
        first: int,
        errands: Mapping[str, partial[Any]],
    ) -> tuple[dict[str, list[Played]], dict[str, Any]]:
        found = {kind: archive.of(kind) for kind in self.kinds}
        work = campaign.jobs({kind: self.wanted(kind) for kind in self.kinds}, first, found)
        with self._bar("sessions", sum(map(len, work))) as bar:

            def keep(played: list[Played]) -> None:
                archive.add(played)
                for one in played:
                    found[one.kind][one.seed] = one
                bar.step(len(played))

            also = campaign.run(company, work, self.workers, keep, errands)
        return {kind: self._counted(kind, first, found[kind]) for kind in self.kinds}, also

    def _counted(self, kind: str, first: int, rows: Mapping[int, Played]) -> list[Played]:
        """The seeds asked for, however many more an earlier run has left."""
        last = first + self.wanted(kind)
        return [rows[seed] for seed in range(first, last) if seed in rows]

    def _enough(self) -> bool:
        every = set(self.kinds) == set(campaign.GENERATORS)
        return every and all(self.wanted(kind) >= SHORT for kind in self.kinds if kind != AGAIN)

    # --- writing --------------------------------------------------------------------

    def _figures(
        self, played: Mapping[str, Sequence[Played]], digest: str, company: Company
    ) -> dict[str, Any]:
        limits = settings.read_limits(self.folder)
        attacks = report.attacks(played)
        live = report.living(played.get(LIVE, []))
        report.add_riapar(attacks, live)
        return {
            "made": date.today().isoformat(),
            "software": __version__,
            "form": "full" if self.full else "short",
            "sessions_each": {kind: self.wanted(kind) for kind in self.kinds},
            "notes": list(NOTES),
            "gate": report.gate(attacks, live, limits, full=self.full, enough=self._enough()),
            "attacks": attacks,
            "live": live,
            "limits": {"attacks": dict(limits.attacks), "live": {"bpcer": limits.bpcer}},
            "thresholds": {
                "sha256": digest,
                "numbers": thresholds.of_the_product(),
                "history": thresholds.history(self.folder),
            },
            "models": {name: spec.sha256 for name, spec in specs().items()},
            "data": {
                "evaluation_data": company.data is not None,
                "people": list(company.names),
                "portraits": ["astronaut", "admiral"],
                "players": list(company.players),
            },
            "processor_seconds": {
                kind: round(sum(row.spent_s for row in rows), 1) for kind, rows in played.items()
            },
        }

    def _write(
        self,
        figures: dict[str, Any],
        played: Mapping[str, Sequence[Played]],
        clouds: Mapping[str, depth.Cloud],
        sets: Mapping[str, Set],
    ) -> None:
        pictures = self._draw(played, clouds, sets)
        text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
        (self.folder / "report.json").write_text(text, encoding="utf-8")
        (self.folder / "report.html").write_text(page.page(figures, pictures), encoding="utf-8")

    def _draw(
        self,
        played: Mapping[str, Sequence[Played]],
        clouds: Mapping[str, depth.Cloud],
        sets: Mapping[str, Set],
    ) -> list[tuple[str, str]]:
        where = self.folder / "plots"
        plots.parallax(clouds, where / "parallax.png")
        plots.scores(played, where / "scores.png")
        plots.times(played.get(LIVE, ()), where / "times.png")
        rows = [
            ("plots/gallery.jpg", "What was tried, one session of each kind"),
            ("plots/parallax.png", "Parallax against angle, frame by frame"),
            ("plots/scores.png", "Scores of finished and unfinished sessions"),
            ("plots/times.png", "How long the living take"),
        ]
        if sets:
            curves = {name: sets[name].det() for name in IN_DET if name in sets}
            plots.det(curves, where / "det.png")
            averaged = sets["card_1kb"].attempts
            own = averaged.mated
            near, far = averaged.distance[own].tolist(), averaged.distance[~own].tolist()
            plots.distances(near, far, where / "likeness.png")
            rows += [
                ("plots/det.png", "Comparison: false non-matches against false matches"),
                ("plots/likeness.png", "Comparison: the same person and others, five frames"),
            ]
        return rows


def real_clips(data: Path, splits: Splits, models_dir: Path) -> list[dict[str, Any]]:
    files = [p for p in sorted((data / "live").iterdir()) if p.suffix.lower() in RECORDINGS]
    judge = Judge(models_dir)
    return [
        {
            "clip": file.name,
            "half": splits.half_of_clip(file.name),
            **as_json(judge.judge(file)),
        }
        for file in files
    ]


def compared(data: Path, names: tuple[str, ...], models_dir: Path) -> dict[str, Set]:
    if len(names) < 2:
        return {}
    return verify(read_people(data / "verify", names), models_dir, seed=VERIFY_SEED)


@dataclass(frozen=True, slots=True)
class _Bar:
    progress: Progress
    task: Any

    def step(self, count: int) -> None:
        self.progress.advance(self.task, count)


def _report_people(splits: Splits, data: Path | None) -> tuple[str, ...]:
    from edge.evaluate.people import names_in

    names = names_in(data) if data else ()
    return tuple(name for name in names if splits.half_of_person(name) == settings.REPORT)


def as_json(clip: Clip) -> dict[str, Any]:
    return {
        "verdict": clip.judgement.value,
        "steps": [
            {"action": step.action.value, "at_s": round(step.at_s, 2), "depth": step.depth}
            for step in clip.steps
        ],
        "reasons": list(clip.reasons),
        "frames": clip.frames,
        "with_face": clip.with_face,
        "seconds": clip.seconds,
        "neutral": clip.neutral,
    }


def need_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """Checked names of kinds; all of them if none is given."""
    unknown = [name for name in names if name not in campaign.GENERATORS]
    if unknown:
        raise ConfigError("--kind", f"{unknown[0]} is none of {', '.join(campaign.GENERATORS)}")
    return tuple(names) or tuple(campaign.GENERATORS)
