"""Settings from the centre in the kiosk process: judged, taken over between residents, kept.

Three layers, each over the one before it: what is built in, the site file, what the centre wants.
Each wish names all keys it wants; a value that cannot be in force is refused alone, with a reason
that goes back to the centre, and the others hold.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from edge.app.config import Config, value_of
from edge.app.layers import layered
from edge.domain.errors import StoreError, WireError
from edge.domain.settings import SETTINGS, Refusal, Takes, Value, of_kiosk
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.machine import Policy
from edge.store.settings_files import Accepted, AcceptedFiles
from edge.store.wishes import WishBox
from edge.wire.desired import Desired

log = logging.getLogger("edge.settings")

QUIET_S = 10.0
"""How long nothing must have happened on the first screen before anything changes."""
PROVED_S = 10.0
REST_S = 90.0
"""Between two starts for settings: systemd gives a kiosk up after ten starts in ten minutes."""
MAX_STARTS = 3

Hook = Callable[[int], None]


class Wishes(Protocol):
    """What the centre wants, as `SignedWishes` has it."""

    def newest(self) -> Desired | None: ...


class SignedWishes:
    """Those that came through the sync process; the signature is checked here again."""

    def __init__(self, box: WishBox, read: Callable[[bytes], Desired]) -> None:
        self._box = box
        self._read = read
        self._sha256 = ""
        self._newest: Desired | None = None

    def newest(self) -> Desired | None:
        found = self._box.newest()
        if found is not None and found[0] != self._sha256:
            self._sha256, self._newest = found[0], self._checked(found[1])
        return self._newest

    def _checked(self, payload: bytes) -> Desired | None:
        try:
            return self._read(payload)
        except WireError as error:
            log.error("settings=refused error=%s", error)
            return None


class KioskSettings:
    """The kiosk process's keeper of settings; the session thread alone uses it after `start`.

    `live` takes over values that need no new start, by key.
    """

    def __init__(
        self, site: Config, mono_ns: Callable[[], MonoNs], *, quiet_s: float = QUIET_S
    ) -> None:
        self.quiet_s = quiet_s
        self.wishes: Wishes | None = None
        self.live: dict[str, Hook] = {}
        self._site = site
        self._files = AcceptedFiles(site.database.parent)
        self._mono_ns = mono_ns
        self._accepted = Accepted()
        self._started_ns = MonoNs(0)
        self._policy = Policy()

    def start(self) -> Config:
        """The configuration to start with. Settings with which the kiosk came down again and again
        are given up for the last good ones."""
        self._accepted = self._counted(self._files.load())
        self._started_ns = self._mono_ns()
        config = layered(self._site, of_kiosk(self._accepted.values)).config
        self._policy = policy_of(config)
        return config

    def policy(self) -> Policy:
        """What a site may decide about sessions, as of now."""
        return self._policy

    def take_in(self) -> bool:
        """Between residents: take over what the centre wants; True if that needs a new start.

        Raises `StoreError`; then nothing has changed and it is tried again.
        """
        wish = self.wishes.newest() if self.wishes else None
        if wish is None or wish.version <= self._accepted.version:
            return False
        after = layered(self._site, wish.values)
        needs_start = Takes.KIOSK in self._kinds_changed(after.values)
        if needs_start and self._ran_s() < REST_S:
            return False
        known = self._accepted
        accepted = Accepted(
            wish.version,
            after.values,
            after.refused,
            starts=0 if needs_start else known.starts,
            proven=known.proven and not needs_start,
        )
        self._files.save(accepted)
        before, self._accepted = self._accepted.values, accepted
        log.info("settings=accepted version=%d refused=%d", wish.version, len(after.refused))
        self._go_live(before, after.config)
        return needs_start

    def _kinds_changed(self, values: Mapping[str, Value]) -> set[Takes]:
        before = self._accepted.values
        changed = {key for key in {*before, *values} if before.get(key) != values.get(key)}
        return {SETTINGS[key].takes for key in changed if key in SETTINGS}

    def _go_live(self, before: Mapping[str, Value], config: Config) -> None:
        self._policy = policy_of(config)
        for key, hook in self.live.items():
            if before.get(key) != self._accepted.values.get(key):
                hook(int(value_of(config, key)))

    def prove(self) -> None:
        """Whoever has run for `PROVED_S` has started. Raises `StoreError`."""
        if self._accepted.proven or not self._accepted.starts or self._ran_s() < PROVED_S:
            return
        proven = replace(self._accepted, proven=True, starts=0)
        self._files.save(proven)
        self._accepted = proven
        log.info("settings=proved version=%d", proven.version)

    def _ran_s(self) -> float:
        return (self._mono_ns() - self._started_ns) / NS_PER_S

    def _counted(self, accepted: Accepted) -> Accepted:
        """This start is written down before anything can go wrong with it."""
        if accepted.proven:
            return accepted
        if accepted.starts >= MAX_STARTS:
            accepted = _rolled_back(accepted, self._files.last_good())
            log.error("settings=rolled_back version=%d starts=%d", accepted.version, MAX_STARTS)
        else:
            accepted = replace(accepted, starts=accepted.starts + 1)
        try:
            self._files.save(accepted)
        except StoreError as error:  # a start that cannot be counted could be one of any number
            log.error("settings=uncounted error=%s", error)
            return self._files.last_good()
        return accepted


def _rolled_back(bad: Accepted, good: Accepted) -> Accepted:
    """The last good values, under the number of the wish that was given up."""
    changed = {k for k, v in of_kiosk(bad.values).items() if good.values.get(k) != v}
    why = tuple(Refusal(key, "no_start") for key in sorted(changed))
    return Accepted(bad.version, good.values, bad.refused + why, rolled_back=True)


def policy_of(config: Config) -> Policy:
    return Policy(config.tries, config.screen.idle_s)
