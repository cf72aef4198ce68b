"""The bridge's loop: gather, file in one transaction, answer, acknowledge, send rosters.

The order is the promise: commit first, then the signed acknowledgement to the
kiosk, then the broker's. A crash between any two only makes the same message
come again, and filing it again changes nothing.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import OperationalError, connection, transaction

from cloud_bridge.bridge import dispatch
from cloud_bridge.bridge.ingest import Ingest
from cloud_bridge.bridge.mqtt_link import Incoming, Published
from cloud_bridge.bridge.opening import MAX_SEQ, Arrival
from cloud_bridge.bridge.staff_lists import StaffLists
from cloud_bridge.registry import rosters
from cloud_bridge.registry.models import Device
from cloud_bridge.registry.vault import Vault
from edge.domain.errors import WireError
from edge.wire import messages, topics

log = logging.getLogger(__name__)

BATCH = 50
GATHER_S = 0.05
RETRY_S = 0.5
ROSTER_EVERY_S = 1.0
ROSTERS_AT_ONCE = 20
"""At midnight all are due: records must not wait for the whole fleet's."""
MAX_DEVICES = 20
_CHINA = ZoneInfo("Asia/Shanghai")
_WORD = re.compile(r"[a-z][a-z_]{0,29}")


class Link(Protocol):
    """What the worker needs of MQTT; `mqtt_link.MqttLink` is one, a test may be another."""

    @property
    def connected(self) -> bool: ...

    def poll(self, timeout_s: float, limit: int) -> list[Incoming]: ...

    def done(self, message: Incoming) -> None: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the worker gets its time; tests bring their own."""

    now: Callable[[], datetime]
    mono_s: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A roster on its way, the day it was written for and what is wrong with it."""

    version: int
    day: date
    problem: str
    published: Published


class Worker:
    def __init__(
        self, link: Link, ingest: Ingest, vault: Vault, sign_key: Ed25519PrivateKey, clock: Clock
    ) -> None:
        self._link = link
        self._ingest = ingest
        self._vault = vault
        self._sign_key = sign_key
        self._clock = clock
        self._rosters: dict[str, _Sent] = {}
        self._staff = StaffLists(link, vault, sign_key)
        self._next_roster_s = 0.0
        self._locked_logged = False

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; survives a missing broker and a locked database."""
        try:
            while not stop.is_set():
                self.turn(stop)
        finally:
            self._link.close()
            connection.close()

    def turn(self, stop: threading.Event) -> None:
        """One round: at most one batch of messages, then rosters if it is time."""
        batch = self._link.poll(GATHER_S, BATCH)
        if batch:
            self._until_done(lambda: self._handle(batch), stop)
        if self._clock.mono_s() >= self._next_roster_s:
            self._next_roster_s = self._clock.mono_s() + ROSTER_EVERY_S
            self._until_done(self._send_rosters, stop)
            self._until_done(self._send_staff, stop)

    def _until_done(self, work: Callable[[], None], stop: threading.Event) -> None:
        """Repeat while the database is locked or away; nothing was acknowledged meanwhile."""
        while True:
            try:
                work()
            except OperationalError as error:
                connection.close()
                self._log_locked(error)
                if stop.wait(RETRY_S):
                    return
            else:
                self._locked_logged = False
                return

    def _log_locked(self, error: OperationalError) -> None:
        if not self._locked_logged:
            why = getattr(error.__cause__, "sqlite_errorname", type(error).__name__)
            log.error("database not available, trying again: %s", why)
            self._locked_logged = True

    def _handle(self, batch: Sequence[Incoming]) -> None:
        now = self._clock.now()
        arrivals = self._sorted_out(batch, now)
        replies = self._ingest.ingest(arrivals, now) if arrivals else []
        for kiosk_id, payload in dispatch.ack_envelopes(replies, self._sign_key).items():
            self._link.publish(topics.topic(kiosk_id, topics.ACK), payload)
        for message in batch:
            self._link.done(message)
        if arrivals:
            log.info("batch arrived=%d answered=%d", len(arrivals), len(replies))

    def _sorted_out(self, batch: Sequence[Incoming], now: datetime) -> list[Arrival]:
        """The records of a batch; presence and health are stored here, the rest is passed over."""
        arrivals = []
        for message in batch:
            try:
                kiosk_id, leaf = topics.split(message.topic)
                if leaf == topics.RECORD:
                    arrivals.append(Arrival(kiosk_id, message.payload))
                elif leaf == topics.PRESENCE:
                    store_presence(kiosk_id, messages.parse_presence(message.payload), now)
                elif leaf == topics.HEALTH:
                    store_health(kiosk_id, messages.parse_health(message.payload), now)
            except WireError as error:
                log.warning("ignored topic=%r reason=%s", message.topic[:80], error.reason)
        return arrivals

    def _send_rosters(self) -> None:
        self._settle_rosters()
        if not self._link.connected:
            self._rosters.clear()
            return
        now = self._clock.now()
        today = now.astimezone(_CHINA).date()
        due = rosters.to_send(now, today).exclude(pk__in=self._rosters)
        for device in due.select_related("site__region")[:ROSTERS_AT_ONCE]:
            self._send_roster(device, today)

    def _send_staff(self) -> None:
        now = self._clock.now()
        self._staff.turn(now, now.astimezone(_CHINA).date())

    def _send_roster(self, device: Device, today: date) -> None:
        version = _next_version(device, self._clock.now())
        try:
            made = dispatch.roster(device, version, today, self._vault, self._sign_key)
        except dispatch.RosterProblem as problem:
            log.error("no roster kiosk=%s problem=%s", device.kiosk_id, problem)
            rows = Device.objects.filter(pk=device.pk)
            rows.update(roster_due=False, roster_day=today, roster_problem=str(problem)[:200])
            return
        topic = topics.topic(device.kiosk_id, topics.ROSTER)
        published = self._link.publish(topic, made.payload, retain=True)
        if published:
            self._rosters[device.kiosk_id] = _Sent(version, today, made.problem, published)

    def _settle_rosters(self) -> None:
        """A roster the broker has taken is no longer due, unless it was asked for again."""
        for kiosk_id, sent in list(self._rosters.items()):
            if sent.published.arrived():
                self._settle(kiosk_id, sent)
            elif sent.published.lost():
                del self._rosters[kiosk_id]  # still due, so it goes out again

    def _settle(self, kiosk_id: str, sent: _Sent) -> None:
        del self._rosters[kiosk_id]
        now = self._clock.now()
        rows = Device.objects.filter(pk=kiosk_id, roster_version=sent.version)
        rows.update(
            roster_due=False,
            roster_day=sent.day,
            roster_sent_at=now,
            roster_problem=sent.problem[:200],
        )
        log.info("roster sent kiosk=%s version=%d", kiosk_id, sent.version)


def store_presence(kiosk_id: str, presence: messages.Presence, now: datetime) -> None:
    """Presence is unsigned: it is shown, never relied on. An old will loses by `boot_seq`."""
    if not 0 <= presence.boot_seq <= MAX_SEQ or not presence.software.isprintable():
        raise WireError("body", "presence out of range")
    rows = Device.objects.filter(kiosk_id=kiosk_id, boot_seq__lte=presence.boot_seq)
    rows.update(
        online=presence.online,
        boot_seq=presence.boot_seq,
        software=presence.software[:120],
        seen_at=now,
    )


def store_health(kiosk_id: str, devices: Sequence[messages.DeviceHealth], now: datetime) -> None:
    """Unsigned like presence: shown, never relied on. `health_at` is when it last changed here."""
    if len(devices) > MAX_DEVICES or not all(map(_may_be_shown, devices)):
        raise WireError("body", "health out of range")
    told = [asdict(device) for device in devices]
    rows = Device.objects.filter(kiosk_id=kiosk_id)
    if rows.values_list("health", flat=True).first() != told:
        rows.update(health=told, health_at=now)


def _may_be_shown(device: messages.DeviceHealth) -> bool:
    if not all(map(_WORD.fullmatch, (device.device, device.word))):
        return False
    try:
        return datetime.fromisoformat(device.since).tzinfo is not None
    except ValueError:
        return False


def _next_version(device: Device, now: datetime) -> int:
    """Seconds since 1970, or one more than the last: no two rosters ever share a version.

    By the time, because a registry restored from yesterday's copy would otherwise count
    below what the kiosk has and be ignored.

    Until it has arrived it stays due; what is filed from here on makes it stale again.
    """
    with transaction.atomic():
        rows = Device.objects.filter(pk=device.pk)
        last: int = rows.values_list("roster_version", flat=True).get()
        version = max(int(now.timestamp()), last + 1)
        rows.update(roster_version=version, roster_due=True, roster_stale=False)
    return version
