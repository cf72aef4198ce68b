"""What a simulated day leaves behind: how long each step took, and how it ended.

Only `simulate` uses this. It keeps scores, times and ids, never a name, a
number or a picture of the session itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.domain.record import ProofRecord, Score, Verdict
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.events import Event
from edge.session.machine import Transition
from edge.session.states import Finished, PaperNews, State, Storing


class Evidence:
    """Watches a runner's transitions from the session thread."""

    def __init__(self, mono_ns: Callable[[], MonoNs]) -> None:
        self._mono_ns = mono_ns
        self._since_ns = mono_ns()
        self._state = "start"
        self.seconds: dict[str, float] = {}
        self.record: ProofRecord | None = None
        self.online = False
        self.paper = PaperNews.PRINTING

    def observe(self, event: Event | None, transition: Transition) -> None:  # noqa: ARG002
        state = transition.session.state
        name = _words(state)
        if name != self._state:
            self._close_step(name)
        match state:
            case Storing(record=record):
                self.record = record
            case Finished(online=online, paper=paper):
                self.online, self.paper = online, paper

    def _close_step(self, name: str) -> None:
        now_ns = self._mono_ns()
        spent = (now_ns - self._since_ns) / NS_PER_S
        self.seconds[self._state] = round(self.seconds.get(self._state, 0.0) + spent, 3)
        self._state, self._since_ns = name, now_ns

    def write(self, path: Path, screens: list[str]) -> None:
        path.write_text(json.dumps(self._facts(screens), indent=2) + "\n", encoding="utf-8")

    def _facts(self, screens: list[str]) -> dict[str, Any]:
        facts: dict[str, Any] = {"screens": screens, "seconds": self.seconds}
        if self.record is not None:
            facts |= {
                "outcome": self.record.outcome.value,
                "record_id": self.record.record_id,
                "receipt_no": self.record.receipt_no,
                "provenance": self.record.provenance.name,
                "attempts": self.record.attempts,
                "reasons": [reason.value for reason in self.record.reasons],
                "receipt": self.paper.value,
                "online": self.online,
                "software": self.record.software,
                **_scores(self.record.verdict),
            }
        return facts


def _scores(verdict: Verdict | None) -> dict[str, Any]:
    found: dict[str, Score | None] = {
        "liveness": verdict.liveness if verdict else None,
        "likeness": verdict.likeness if verdict else None,
    }
    scores = {name: score for name, score in found.items() if score is not None}
    return {
        "scores": {name: round(score.value, 4) for name, score in scores.items()},
        "thresholds": {name: round(score.threshold, 4) for name, score in scores.items()},
        "model_sha256": {name: score.model_sha256 for name, score in scores.items()},
        "actions": [action.value for action in verdict.actions] if verdict else [],
    }


def _words(state: State) -> str:
    """`AwaitingCard` becomes `awaiting_card`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(state).__name__).lower()
