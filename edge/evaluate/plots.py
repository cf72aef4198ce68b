"""The report's pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge.drivers.sim.portrait import Rgb
from edge.evaluate.campaign import AGAIN, LIVE
from edge.evaluate.depth import Cloud
from edge.evaluate.stage import Played
from edge.models.embedding import LIKENESS_THRESHOLD, likeness
from edge.models.observation import Limits
from edge.models.watcher import LIVENESS_THRESHOLD

INK, GRID, GOOD, BAD, THRESHOLD = "#22303c", "#d9dfe4", "#1f7a54", "#b5472f", "#6b4ea0"
NAMES = {LIVE: "living heads", "flat_print": "flat print", "flat_screen": "flat screen"}
mpl.rcParams.update(
    {
        "font.size": 10,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "axes.grid": True,
        "grid.color": GRID,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    }
)


def named(kind: str) -> str:
    if kind.startswith("bent_print_"):
        return f"bent print, radius {kind.removeprefix('bent_print_')} faces"
    return NAMES.get(kind, kind.replace("_", " "))


def parallax(clouds: Mapping[str, Cloud], path: Path) -> None:
    """One panel per kind: what moved how far, and whether it had depth; above the line counts."""
    limits = Limits()
    columns = 4
    rows = -(-len(clouds) // columns)
    figure = Figure(figsize=(13, 3.4 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    angle = np.linspace(0, 45, 100)
    needed = limits.parallax + limits.parallax_per_degree * np.clip(angle - limits.yaw, 0, None)
    for panel, (kind, cloud) in zip(panels, clouds.items(), strict=False):
        colour = GOOD if kind == LIVE else BAD
        for axis, mark in (("yaw", "o"), ("pitch", "^")):
            points = np.array([(x, y) for name, x, y in cloud if name == axis] or [(np.nan,) * 2])
            panel.plot(*points.T, mark, color=colour, ms=3.2, alpha=0.35, mew=0, label=axis)
        panel.plot(angle, needed, color=THRESHOLD, lw=1.4)
        panel.axvline(limits.pitch, color=THRESHOLD, lw=1, ls=":")
        panel.axvline(limits.yaw, color=THRESHOLD, lw=1, ls="--")
        panel.set_title(named(kind), fontsize=10.5)
        panel.set(xlim=(0, 45), ylim=(0, 0.62))
    for panel in panels[len(clouds) :]:
        panel.set_visible(False)
    panels[0].legend(loc="upper left", markerscale=1.8)
    figure.supxlabel("apparent angle, degrees (dashed: a turn counts; dotted: a nod counts)")
    figure.supylabel("parallax of the nose, eye distances")
    _save(figure, path)


def times(rows: Sequence[Played], path: Path) -> None:
    """How long accepted sessions of the living take."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    panel = figure.subplots()
    for manner, colour in (("brisk", GOOD), ("slow", BAD)):
        spent = sorted(r.seconds for r in rows if r.live and r.facts.get("manner") == manner)
        share = (np.arange(len(spent)) + 1) / max(1, len(spent))
        panel.step(spent, share, color=colour, lw=1.8, label=f"{manner} ({len(spent)} sessions)")
    panel.axhline(0.5, color=THRESHOLD, lw=1, ls="--")
    panel.axhline(0.95, color=THRESHOLD, lw=1, ls=":")
    panel.set(
        xlabel="seconds from the first frame to the verdict", ylabel="share done", ylim=(0, 1)
    )
    panel.set_xlim(left=0)
    panel.legend(loc="lower right")
    _save(figure, path)


def contact_sheet(rows: Mapping[str, Sequence[Rgb]], heads: Sequence[str], path: Path) -> None:
    """Pictures of one size; a row for each name, a column for each head."""
    figure = Figure(figsize=(1.9 * len(heads) + 1.7, 1.42 * len(rows) + 0.3), layout="constrained")
    panels = figure.subplots(len(rows), len(heads), squeeze=False)
    for line, (name, pictures) in zip(panels, rows.items(), strict=True):
        for panel, picture in zip(line, pictures, strict=True):
            panel.imshow(picture)
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        line[0].set_ylabel(name.replace(", ", "\n"), rotation=0, ha="right", va="center")
    for panel, head in zip(panels[0], heads, strict=True):
        panel.set_title(head, fontsize=10)
    _save(figure, path)


def scores(played: Mapping[str, Sequence[Played]], path: Path) -> None:
    """Liveness scores of whoever got as far as a judged movement, and likeness scores."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    living = [row for row in played.get(LIVE, ()) if row.evidence is not None]
    false = [r for kind, rows in played.items() if kind not in (LIVE, AGAIN) for r in rows]
    groups = {
        "living": [row.evidence for row in living if row.evidence is not None],
        "films and swaps": _evidence(r for r in false if r.kind.startswith(("replay", "swap"))),
        "paper, screens, stills, company": _evidence(
            r for r in false if not r.kind.startswith(("replay", "swap"))
        ),
    }
    _histogram(left, groups, LIVENESS_THRESHOLD, "liveness score (depth)")
    alike = {
        "the card holder, living": [r.likeness for r in living if r.likeness is not None],
        "the card holder, attacks": [r.likeness for r in false if r.likeness is not None],
    }
    _histogram(right, alike, LIKENESS_THRESHOLD, "likeness to the card")
    _save(figure, path)


def _evidence(rows: Iterable[Played]) -> list[float]:
    return [row.evidence for row in rows if row.evidence is not None]


def _histogram(panel: Axes, groups: Mapping[str, list[float]], limit: float, name: str) -> None:
    bins = np.linspace(0, 1, 41).tolist()
    for (label, values), colour in zip(groups.items(), (GOOD, BAD, "#d79a2b"), strict=False):
        text = f"{label} ({len(values)})"
        panel.hist(values, bins, color=colour, alpha=0.55, label=text)
    panel.axvline(limit, color=THRESHOLD, lw=1.4, ls="--")
    panel.set(xlabel=name, ylabel="sessions", yscale="symlog")
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=8.5)


def det(curves: Mapping[str, Mapping[str, Sequence[float]]], path: Path) -> None:
    """False non-matches against false matches, both on logarithmic scales."""
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    panel = figure.subplots()
    for name, curve in curves.items():
        floor = [max(value, 1e-4) for value in curve["fnmr"]]
        panel.plot(curve["fmr"], floor, lw=1.6, label=name.replace("_", " "))
    panel.set(xscale="log", yscale="log", xlim=(1e-5, 1), ylim=(9e-5, 1))
    panel.set(xlabel="false match rate", ylabel="false non-match rate (0 drawn at 0.0001)")
    for fmr in (1e-2, 1e-3, 1e-4):
        panel.axvline(fmr, color=THRESHOLD, lw=0.8, ls=":")
    panel.legend(fontsize=8.5)
    _save(figure, path)


def distances(mated: Sequence[float], other: Sequence[float], path: Path) -> None:
    """How alike people are to themselves and to others, averaged over five frames."""
    figure = Figure(figsize=(7.2, 3.6), layout="constrained")
    panel = figure.subplots()
    for values, label, colour in ((mated, "the same person", GOOD), (other, "others", BAD)):
        scored = [likeness(value) for value in values]
        text = f"{label} ({len(scored):,})"
        panel.hist(
            scored,
            np.linspace(0, 1, 61).tolist(),
            density=True,
            color=colour,
            alpha=0.55,
            label=text,
        )
    panel.axvline(LIKENESS_THRESHOLD, color=THRESHOLD, lw=1.4, ls="--")
    panel.set(xlabel="likeness score", ylabel="density")
    panel.legend(loc="upper left")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white")
