"""Campaign: honest residents and two people cut against each other; a JSON report.

    python -m tests.tools.models_swaps --rounds 4 --honest 16 --report report.json

`--without seam` or `--without proofs` takes one of the two layers away, to see the other alone;
`--without both` shows that the attacks are good enough to pass otherwise.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
from rich.progress import track

from edge.models import build
from edge.models.observation import Limits
from edge.models.watcher import Watcher
from tests.face_swaps import ATTACKS, PAIRS, RATES, SPECS, Cast, order_of, try_it
from tests.helpers_models import PromptedCamera

WITHOUT = {
    "nothing": Limits(),
    "seam": Limits(seam=9.0),
    "proofs": Limits(same_person=9.0, other_person=9.0),
    "both": Limits(same_person=9.0, other_person=9.0, seam=9.0),
}


def upper_bound(count: int) -> float:
    """Exact, 95 %, one-sided, for none out of `count`."""
    return float(1.0 - 0.05 ** (1.0 / count)) if count else 1.0


def honest(watcher: Watcher, cast: Cast, count: int) -> dict[str, object]:
    accepted, refused, seconds = 0, Counter[str](), []
    jobs = [(name, fps, seed) for seed in range(count) for name in SPECS for fps in RATES]
    for name, fps, seed in track(jobs, "honest"):
        order = order_of(np.random.default_rng(1000 + seed))
        verdict = try_it(watcher, cast.honest(name, seed, 1 / fps), order, name)
        accepted += verdict.passed
        seconds.append(verdict.seconds)
        if not verdict.passed:
            reasons = "+".join(reason.value for reason in verdict.reasons)
            refused[f"{name} {fps} fps seed {seed}: {reasons}"] += 1
    median_s = float(np.median(seconds)) if seconds else 0.0
    return {"tries": len(jobs), "accepted": accepted, "refused": refused, "median_s": median_s}


def attacks(watcher: Watcher, cast: Cast, rounds: int) -> dict[str, object]:
    reasons: dict[str, Counter[str]] = {attack.name: Counter() for attack in ATTACKS}
    accepted, steps = Counter[str](), Counter[int]()
    jobs = [
        (attack, pair, fps, seed)
        for seed in range(rounds)
        for attack in ATTACKS
        for pair in PAIRS
        for fps in RATES
    ]
    for attack, (victim, helper), fps, seed in track(jobs, "attacks"):
        order = order_of(np.random.default_rng(2000 + seed))
        camera = cast.attack(victim, helper, attack, seed, 1 / fps)
        verdict = try_it(watcher, camera, order, victim)
        accepted[attack.name] += verdict.live
        steps[len(verdict.actions)] += 1
        reasons[attack.name].update(reason.value for reason in verdict.reasons)
    total = sum(accepted.values())
    return {
        "tries": len(jobs),
        "accepted": total,
        "accepted_by_attack": {name: count for name, count in accepted.items() if count},
        "upper_bound_95": upper_bound(len(jobs)) if total == 0 else None,
        "reasons": reasons,
        "movements_done": steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="sequences per attack")
    parser.add_argument("--honest", type=int, default=8, help="sequences per portrait and rate")
    parser.add_argument("--without", choices=WITHOUT, default="nothing")
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    nobody = PromptedCamera(lambda *_: np.zeros((480, 640, 3), np.uint8))
    watcher = Watcher(nobody, build.build(), nobody.mono_ns, WITHOUT[asked.without])
    cast = Cast()
    report = {
        "without": asked.without,
        "honest": honest(watcher, cast, asked.honest),
        "attacks": attacks(watcher, cast, asked.rounds),
    }
    text = json.dumps(report, indent=2)
    print(text)
    if asked.report:
        asked.report.parent.mkdir(parents=True, exist_ok=True)
        asked.report.write_text(text)


if __name__ == "__main__":
    main()
