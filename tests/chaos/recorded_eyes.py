"""Camera checks as they really went, played back without camera and models.

    python -m tests.chaos.recorded_eyes        plays real sessions and writes the recordings

Each recording is what `edge.models.watcher` said, step by step, while a simulated
resident stood before the real runner. Played back, its movements are exchanged for those
that this try draws; nothing else is. Records made this way are SIMULATED like all others
from simulated devices.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Generator
from dataclasses import asdict
from itertools import cycle
from pathlib import Path
from typing import Any

from edge.app.clock import mono_ns
from edge.domain.challenge import Action, Hint, Prompt, Reason, WatchProgress
from edge.domain.record import Provenance, Reference, Score, Verdict
from edge.ports import CheckResult, Frame, Health, Look, Picture, WatchOrder
from edge.session.events import Event, Judged, Watched
from edge.session.machine import Transition

RECORDINGS = Path(__file__).with_name("recordings") / "sessions.json"
SESSIONS = ("good-day", "good-day", "first-visit")

_PICTURE = Picture(2, 2, bytes(12))


class RecordedEyes:
    """Implements `edge.ports.Eyes`: one recording after the other, as fast as it is asked."""

    name = "camera"
    provenance = Provenance.SIMULATED

    def __init__(self) -> None:
        self._sessions = cycle(json.loads(RECORDINGS.read_text(encoding="utf-8")))

    def health(self) -> Health:
        return Health(True, "recorded sessions")

    def watch(self, order: WatchOrder) -> Generator[Look]:
        session = next(self._sessions)
        frame = Frame(_PICTURE, mono_ns())
        for fields in session["progress"]:
            progress = _progress(fields, order.actions)
            yield Look(frame, progress)
        yield Look(frame, progress, CheckResult(_verdict(session["verdict"], order), _PICTURE))


def recorded_verdict(name: str, order: WatchOrder) -> Verdict:
    """How the first recorded session of that day ended, with the movements of this order."""
    sessions = json.loads(RECORDINGS.read_text(encoding="utf-8"))
    return _verdict(sessions[SESSIONS.index(name)]["verdict"], order)


def _progress(fields: dict[str, Any], actions: tuple[Action, ...]) -> WatchProgress:
    prompt = Prompt(fields["prompt"])
    if prompt not in (Prompt.FRAME_FACE, Prompt.LOOK_AHEAD):
        prompt = Prompt.of(actions[fields["step"]])
    hint = Hint(fields["hint"]) if fields["hint"] else None
    return WatchProgress(prompt, hint, fields["step"], len(actions))


def _verdict(fields: dict[str, Any], order: WatchOrder) -> Verdict:
    liveness, likeness = fields["liveness"], fields["likeness"]
    return Verdict(
        live=fields["live"],
        actions=order.actions,
        liveness=Score(**liveness) if liveness else None,
        likeness=Score(**likeness) if likeness else None,
        reference=Reference(fields["reference"]),
        reasons=tuple(Reason(word) for word in fields["reasons"]),
        frames=fields["frames"],
        seconds=fields["seconds"],
    )


# --- recording ---


def record(scenario: str, root: Path) -> dict[str, Any]:
    """What the models said in one whole session."""
    from edge.drivers.sim.scenario import SCENARIOS
    from edge.models import build
    from tests.headless import HeadlessKiosk, make_config

    heard: list[WatchProgress] = []
    verdicts: list[Verdict] = []

    def listen(event: Event | None, _transition: Transition) -> None:
        match event:
            case Watched(_, progress):
                heard.append(progress)
            case Judged(_, verdict):
                verdicts.append(verdict)

    config = make_config(root, build.build())
    with HeadlessKiosk(config, SCENARIOS[scenario], listen) as kiosk:
        kiosk.play()
    return {
        "label": f"recorded from a real run of the runner and the models, day {scenario}",
        "progress": [asdict(progress) for progress in heard],
        "verdict": asdict(verdicts[-1]),
    }


def main() -> int:
    sessions = []
    for scenario in SESSIONS:
        with tempfile.TemporaryDirectory(prefix="record-") as root:
            sessions.append(record(scenario, Path(root)))
    RECORDINGS.parent.mkdir(exist_ok=True)
    text = json.dumps(sessions, indent=1, default=lambda word: word.value)
    RECORDINGS.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
