"""Sessions to figures: `report.json`. No mean over kinds of attack exists anywhere in it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edge.evaluate.campaign import AGAIN, LIVE, REPLAY
from edge.evaluate.settings import Limits
from edge.evaluate.stage import Played
from edge.evaluate.statistics import clopper_pearson, percentile

Figures = dict[str, Any]
BROKEN = ("face_changed", "face_lost")
FPS_CLASSES = ((0.0, 9.9), (10.0, 19.9), (20.0, 60.0))


def attacks(played: Mapping[str, Sequence[Played]]) -> dict[str, Figures]:
    """By kind. A replay is one, however its films were looked at; those drawn anew are also
    told apart."""
    found = {kind: attack(rows) for kind, rows in played.items() if kind not in (LIVE, AGAIN)}
    if played.get(AGAIN):
        anew = found.get(REPLAY)
        found[REPLAY] = attack([*played.get(REPLAY, ()), *played[AGAIN]])
        if anew:
            found[REPLAY]["pixel_level"] = {
                name: anew[name] for name in ("attempts", "accepted", "apcer", "ci95")
            }
    return found


def attack(rows: Sequence[Played]) -> Figures:
    """One kind. What was never presented (the session ended before) is counted apart."""
    shown = [row for row in rows if row.presented]
    accepted = sum(row.live for row in shown)
    silent = sum(row.asked == 0 for row in shown)
    answered = len(shown) - silent
    passed = sum(row.passed for row in shown)
    return {
        "attempts": len(shown),
        "accepted": accepted,
        "apcer": _share(accepted, len(shown)),
        "ci95": _interval(accepted, shown),
        "ci95_of_attempts": clopper_pearson(accepted, len(shown)),
        "apnrr": _share(silent, len(shown)),
        "apcer_of_responses": _share(accepted, answered),
        "iapar": _share(passed, len(shown)),
        "iapar_ci95": _interval(passed, shown),
        "not_presented": len(rows) - len(shown),
        **_origin(shown),
        "worst_person": _worst(shown),
        "movements": _movements(shown),
        "reasons": _reasons(shown),
    }


def living(rows: Sequence[Played]) -> Figures:
    refused = [row for row in rows if not row.live]
    unanswered = sum(row.asked == 0 for row in rows)
    accepted_s = [row.seconds for row in rows if row.live]
    broken = sum(any(reason in BROKEN for reason in row.reasons) for row in refused)
    return {
        "sessions": len(rows),
        "refused": len(refused),
        "bpcer": _share(len(refused), len(rows)),
        "ci95": clopper_pearson(len(refused), len(rows)),
        "bpnrr": _share(unanswered, len(rows)),
        "frr": _share(sum(not row.passed for row in rows), len(rows)),
        "seconds_p50": percentile(accepted_s, 0.5),
        "seconds_p95": percentile(accepted_s, 0.95),
        "false_breaks": _share(broken, len(rows)),
        "false_breaks_ci95": clopper_pearson(broken, len(rows)),
        **_origin(rows),
        "movements": _movements(rows),
        "reasons": _reasons(refused),
        "by": _parts(rows),
    }


def _interval(hits: int, rows: Sequence[Played]) -> tuple[float, float]:
    """Clopper-Pearson over distinct renders: showing one again teaches nothing about others."""
    renders = _renders(rows)
    share = hits / len(rows) * renders if rows else 0.0
    low, high = math.floor(share + 1e-9), math.ceil(share - 1e-9)
    return clopper_pearson(low, renders)[0], clopper_pearson(high, renders)[1]


def _renders(rows: Sequence[Played]) -> int:
    return len({(row.kind, row.render) for row in rows})


def _share(hits: int, tries: int) -> float | None:
    return hits / tries if tries else None


def _origin(rows: Sequence[Played]) -> Figures:
    seeds = [row.seed for row in rows]
    return {
        "distinct_renders": _renders(rows),
        "identities": len({row.people[0] for row in rows}),
        "seeds": [min(seeds), max(seeds)] if seeds else [],
    }


def _worst(rows: Sequence[Played]) -> Figures | None:
    """Whose sessions are accepted most often; an interval over renders hides such a one."""
    tries, hits = Counter(r.people[0] for r in rows), Counter(r.people[0] for r in rows if r.live)
    if not hits:
        return None
    name = max(hits, key=lambda person: hits[person] / tries[person])
    return {"person": name, "accepted": hits[name], "attempts": tries[name]}


def _movements(rows: Iterable[Played]) -> dict[str, dict[str, int]]:
    """How often each movement was asked for and accepted, so that a kind that only fails for
    want of a blink is not taken for one that depth has stopped."""
    asked, done = Counter[str](), Counter[str]()
    for row in rows:
        reached = len(row.done) + (len(row.done) < len(row.order) and row.asked > 0)
        asked.update(row.order[:reached])
        done.update(row.done)
    return {name: {"asked": asked[name], "done": done[name]} for name in sorted(asked)}


def _reasons(rows: Iterable[Played]) -> dict[str, int]:
    counted = Counter("+".join(row.reasons) for row in rows if row.reasons)
    return dict(counted.most_common())


def _parts(rows: Sequence[Played]) -> dict[str, Figures]:
    """The living, by what makes sessions hard."""
    parts = {
        "slow": [row for row in rows if row.facts.get("manner") == "slow"],
        "brisk": [row for row in rows if row.facts.get("manner") == "brisk"],
        **{
            f"{manner}, {name}": [
                row
                for row in rows
                if row.facts.get("manner") == manner and row.facts.get("by_ear", False) is by_ear
            ]
            for manner in ("brisk", "slow")
            for name, by_ear in (("by the sign", False), ("by the voice", True))
        },
        "elder mode": [row for row in rows if row.slow],
        "dim": [row for row in rows if float(row.facts.get("gain", 1.0)) < 0.75],
        "light from one side": [row for row in rows if float(row.facts.get("shadow", 0.0)) > 0],
    }
    for low, high in FPS_CLASSES:
        parts[f"{low:.0f} to {high:.0f} frames/s"] = [r for r in rows if low <= r.fps <= high]
    return {name: _part(some) for name, some in parts.items() if some}


def _part(rows: Sequence[Played]) -> Figures:
    times = [row.seconds for row in rows if row.live]
    return {
        "sessions": len(rows),
        "refused": sum(not row.live for row in rows),
        "seconds_p50": percentile(times, 0.5),
        "seconds_p95": percentile(times, 0.95),
    }


def add_riapar(attacks: dict[str, Figures], live: Figures) -> None:
    """IAPAR + FRR, so that no system looks safe by refusing everybody."""
    for row in attacks.values():
        if row["iapar"] is not None and live["frr"] is not None:
            row["riapar"] = row["iapar"] + live["frr"]


def gate(
    attacks: dict[str, Figures],
    live: Figures,
    limits: Limits,
    *,
    full: bool = False,
    enough: bool = True,
) -> Figures:
    """What blocks a release, and what lies above its limit without being sure of it."""
    blocked, above = [], []
    rows = [
        *((kind, row["apcer_of_responses"], row["ci95"]) for kind, row in attacks.items()),
        ("live bpcer", live["bpcer"], live["ci95"]),
        ("live false_breaks", live["false_breaks"], live["false_breaks_ci95"]),
    ]
    allowed = {
        **limits.attacks,
        "live bpcer": limits.bpcer,
        "live false_breaks": limits.false_breaks,
    }
    for name, share, (low, _high) in rows:
        if share is None:
            continue
        limit = allowed.get(name, 0.0)  # a kind nobody has set a limit for may not get through
        if (share if full else low) > limit:
            blocked.append({"what": name, "measured": share, "limit": limit})
        elif share > limit:
            above.append({"what": name, "measured": share, "limit": limit})
    return {
        "released": enough and not blocked,
        "enough": enough,
        "blocked_by": blocked,
        "above_but_not_sure": above,
    }
