"""How a new address of the broker is tried, and given up again.

Whoever sends a kiosk to a wrong address can never call it back. So such values hold only for
a while; unless the registry itself is heard over the new link in that time, what worked before
returns. A power cut in between must not make the trial endless: each start of the sync process
is counted, and after some of them the trial is over, too. Pure; the caller keeps `LinkState` on
the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edge.domain.settings import Value
from edge.domain.timebase import NS_PER_S

TRIAL_S = 300
MAX_STARTS = 3
"""A trial may outlive two power cuts; each gives it the whole time again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Time since boot; `boot_id` tells one boot from another."""

    boot_id: str
    boot_ns: int


@dataclass(frozen=True, slots=True)
class Trial:
    """Values being tried until `until_ns` of this boot; `starts` of the sync process so far."""

    version: int
    values: Mapping[str, Value]
    boot_id: str
    until_ns: int
    starts: int = 0


@dataclass(frozen=True, slots=True)
class LinkState:
    """`good` worked last (nothing: the site file's own); `failed` did not and is not tried again
    until something else was wanted; `failed_version` asked for it."""

    good: Mapping[str, Value] = field(default_factory=dict)
    trial: Trial | None = None
    failed: Mapping[str, Value] | None = None
    failed_version: int = 0

    @property
    def in_force(self) -> Mapping[str, Value]:
        return self.trial.values if self.trial else self.good


def want(
    state: LinkState, version: int, values: Mapping[str, Value], now: Moment, trial_s: float
) -> LinkState:
    """The centre wants these values; the state afterwards, the same one if nothing is new."""
    if state.trial and values == state.trial.values:
        return state
    if values == state.good:
        return LinkState(state.good) if state.trial or state.failed is not None else state
    if values == state.failed:
        return state
    return LinkState(state.good, Trial(version, values, now.boot_id, _end(now, trial_s)))


def started(state: LinkState, now: Moment, trial_s: float) -> LinkState:
    """The sync process has started; within one boot the clock of a trial runs on."""
    trial = state.trial
    if trial is None:
        return state
    if trial.starts >= MAX_STARTS:
        return failed(state)
    same_boot = trial.boot_id == now.boot_id
    until_ns = trial.until_ns if same_boot else _end(now, trial_s)
    counted = replace(trial, boot_id=now.boot_id, until_ns=until_ns, starts=trial.starts + 1)
    return replace(state, trial=counted)


def heard(state: LinkState) -> LinkState:
    """The registry was heard over the link that is on trial."""
    return LinkState(state.trial.values) if state.trial else state


def is_over(state: LinkState, now: Moment) -> bool:
    return state.trial is not None and now.boot_ns >= state.trial.until_ns


def failed(state: LinkState) -> LinkState:
    """What worked before returns."""
    if state.trial is None:
        return state
    return LinkState(state.good, None, state.trial.values, state.trial.version)


def _end(now: Moment, trial_s: float) -> int:
    return now.boot_ns + int(trial_s * NS_PER_S)
