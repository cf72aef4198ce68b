"""Settings in the sync process: wishes filed, the link's own values tried, the centre told.

The kiosk process judges a wish between residents; what it accepted about the link is tried here.
A new address is used by a new start of this process: a trial, a power cut in its middle and its end
are then one and the same path. The link is believed when the registry answers a question that went
out over it. A message that lay on a broker proves nothing: it may be years old.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from edge.domain import trial
from edge.domain.errors import StoreError
from edge.domain.settings import Refusal, Value, of_kiosk, of_link
from edge.domain.timebase import NS_PER_S, TimeSource
from edge.domain.trial import LinkState, Moment
from edge.wire.desired import Reported, SettingsState, reported_body

_log = logging.getLogger(__name__)

LOOK_S = 1.0

Describe = Callable[[Mapping[str, Value]], tuple[dict[str, Value], str]]
"""All values in force and the hash of the whole configuration, from those over the site file's."""


class Accepted(Protocol):
    """What the kiosk process made of a wish; `edge.store.settings_files.Accepted` is one."""

    @property
    def version(self) -> int: ...

    @property
    def values(self) -> Mapping[str, Value]: ...

    @property
    def refused(self) -> tuple[Refusal, ...]: ...

    @property
    def proven(self) -> bool: ...

    @property
    def rolled_back(self) -> bool: ...


class AcceptedFiles(Protocol):
    def load(self) -> Accepted: ...

    def stamp(self) -> tuple[int, int]: ...


class LinkFile(Protocol):
    def load(self) -> LinkState: ...

    def save(self, state: LinkState) -> None: ...


class Wishes(Protocol):
    def put(self, version: int, payload: bytes) -> bool: ...

    def seen(self) -> int: ...


class LinkTrial:
    """Which link values this process runs with; made before there is a link or a database."""

    def __init__(
        self,
        file: LinkFile,
        site: Mapping[str, Value],
        times: TimeSource,
        trial_s: float = trial.TRIAL_S,
    ) -> None:
        """`site` are the site file's own values of the link. Counts this start."""
        self._file = file
        self._site = site
        self._times = times
        self._trial_s = trial_s
        self.state = file.load()
        self._start()
        self.running = dict(self.state.in_force)

    def _start(self) -> None:
        """A start that cannot be counted is none of a trial, or one could go on for ever."""
        counted = trial.started(self.state, self._now(), self._trial_s)
        try:
            self._become(counted)
        except StoreError as error:
            _log.error("link_trial=uncounted error=%s", error)
            self.state = trial.failed(counted)

    @property
    def is_tried_here(self) -> bool:
        """Whether the link of this very process is the one on trial; before its new start it is
        still the old one, over which the registry's word proves nothing."""
        trial_ = self.state.trial
        return trial_ is not None and dict(trial_.values) == self.running

    def want(self, version: int, values: Mapping[str, Value]) -> None:
        wanted = {k: v for k, v in of_link(values).items() if v != self._site.get(k)}
        self._become(trial.want(self.state, version, wanted, self._now(), self._trial_s))

    def heard(self) -> None:
        self._become(trial.heard(self.state))
        _log.info("link_trial=proved")

    def look(self) -> bool:
        """Ends a trial whose time is over; True if this process runs with the wrong values."""
        if trial.is_over(self.state, self._now()):
            self._become(trial.failed(self.state))
            _log.error("link_trial=given_up version=%d", self.state.failed_version)
        return dict(self.state.in_force) != self.running

    def refusals(self) -> tuple[Refusal, ...]:
        """The values that were tried in vain."""
        tried = self.state.failed or {}
        return tuple(
            Refusal(key, "no_word")
            for key in sorted({*tried, *self.state.good})
            if self.state.failed is not None and tried.get(key) != self.state.good.get(key)
        )

    def _become(self, state: LinkState) -> None:
        if state != self.state:
            self._file.save(state)
            self.state = state

    def _now(self) -> Moment:
        now = self._times.now()
        return Moment(now.boot_id, now.boot_ns)


class SettingsKeeper:
    """The sync process's keeper of settings. Raises `StoreError` when the disk does not take it.

    `report` is what is to be told now: the same bytes as long as nothing changes.
    """

    def __init__(
        self,
        wishes: Wishes,
        accepted: AcceptedFiles,
        link: LinkTrial,
        times: TimeSource,
        describe: Describe,
        software: str,
    ) -> None:
        self._wishes = wishes
        self._files = accepted
        self._link = link
        self._times = times
        self._describe = describe
        self._software = software
        self._stamp: tuple[int, int] | None = None
        self._accepted: Accepted = accepted.load()
        self._described: tuple[Mapping[str, Value], tuple[dict[str, Value], str]] | None = None
        self._next_look_ns = 0
        self._ask = secrets.token_hex(8)
        self.report = b""

    def wish(self, version: int, payload: bytes) -> bool:
        """File a checked message; False if it is not news."""
        return self._wishes.put(version, payload)

    def heard(self, ask: str) -> None:
        """The registry has read a report of this very process."""
        if self._link.is_tried_here and ask == self._ask:
            self._link.heard()

    def turn(self) -> bool:
        """Look, now and then, what is wanted; True when this process has to start again."""
        now_ns = self._times.mono_ns()
        if now_ns < self._next_look_ns:
            return False
        self._next_look_ns = now_ns + int(LOOK_S * NS_PER_S)
        stamp = self._files.stamp()
        if stamp != self._stamp:
            self._accepted = self._files.load()
            self._link.want(self._accepted.version, self._accepted.values)
            self._stamp = stamp
        start_again = self._link.look()
        self.report = reported_body(self._reported())
        return start_again

    def _reported(self) -> Reported:
        accepted, link = self._accepted, self._link.state
        over_site = of_kiosk(accepted.values) | dict(link.in_force)
        if self._described is None or self._described[0] != over_site:
            self._described = (over_site, self._describe(over_site))
        values, config_sha256 = self._described[1]
        seen = max(self._wishes.seen(), accepted.version)
        return Reported(
            seen=seen,
            applied=accepted.version,
            state=self._standing(seen),
            refused=(*accepted.refused, *self._link.refusals()),
            values=values,
            software=self._software,
            config_sha256=config_sha256,
            ask=self._ask if self._link.is_tried_here else "",
        )

    def _standing(self, seen: int) -> SettingsState:
        accepted, link = self._accepted, self._link.state
        if seen > accepted.version:
            return SettingsState.WAITING
        if link.trial or not accepted.proven:
            return SettingsState.TRIAL
        if accepted.rolled_back or link.failed is not None:
            return SettingsState.ROLLED_BACK
        return SettingsState.REFUSED if accepted.refused else SettingsState.APPLIED
