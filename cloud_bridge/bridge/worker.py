"""The bridge's loop: gather, file in one transaction, answer, acknowledge, send rosters.

There may be several of these processes. All of them file records; one of them, by a lease in
the database, does what only one may: it hears all the rest, sends, asks and seals the audit log.

The order is the promise: commit first, then the signed acknowledgement to the
kiosk, then the broker's. A crash between any two only makes the same message
come again, and filing it again changes nothing.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from cloud_bridge.bridge import dispatch
from cloud_bridge.bridge.deletions import Deletions
from cloud_bridge.bridge.ingest import Ingest, Reply
from cloud_bridge.bridge.mqtt_link import Incoming, Published
from cloud_bridge.bridge.opening import MAX_SEQ, Arrival
from cloud_bridge.bridge.owed_acks import OwedAcks
from cloud_bridge.bridge.questions import Questions
from cloud_bridge.bridge.releases import Releases
from cloud_bridge.bridge.settings_post import SettingsPost
from cloud_bridge.bridge.staff_lists import StaffLists
from cloud_bridge.bridge.throttle import Cost, Throttle
from cloud_bridge.registry import audit, lease, rosters
from cloud_bridge.registry.models import Device
from cloud_bridge.registry.vault import Vault
from edge.domain.errors import WireError
from edge.wire import messages, topics
from edge.wire.messages import AckStatus

log = logging.getLogger(__name__)

BATCH = 200
GATHER_S = 0.05
RETRY_S = 0.5
LEASE_S = 2.0
"""So often it is renewed; see `registry.lease.LASTS`."""
CHECKPOINT_S = 600.0
_AWAY = (OperationalError, InterfaceError)
"""Nothing is wrong with what was to be done: the database is away, locked, or had to choose."""
ROSTER_EVERY_S = 1.0
ROSTERS_AT_ONCE = 20
ROSTERS_S = 0.3
"""At midnight all are due: records must not wait for the whole fleet's, nor for a county's."""
MAX_DEVICES = 20
_CHINA = ZoneInfo("Asia/Shanghai")
_COSTS = {
    AckStatus.FILED: Cost.NEW,
    AckStatus.KNOWN: Cost.PLAIN,
    AckStatus.QUARANTINED: Cost.REFUSED,
}
Answer = Callable[[str, bytes, datetime, float], tuple[str, bytes]]
"""Kiosk, question, now and seconds to the question's id and what is answered."""
_WORD = re.compile(r"[a-z][a-z_]{0,29}")


class Link(Protocol):
    """What the worker needs of MQTT; `mqtt_link.MqttLink` is one, a test may be another."""

    @property
    def connected(self) -> bool: ...

    def lead(self, leading: bool) -> None: ...

    def poll(self, timeout_s: float, limit: int) -> list[Incoming]: ...

    def done(self, message: Incoming) -> None: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None: ...

    def tell(
        self, topic: str, payload: bytes, expires_s: int, correlation: bytes = b""
    ) -> None: ...

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
    """`name`: which of the workers this is; no two have the same. `tree`: of releases, if any."""

    def __init__(
        self,
        link: Link,
        ingest: Ingest,
        vault: Vault,
        sign_key: Ed25519PrivateKey,
        clock: Clock,
        name: str = "bridge",
        tree: Path | None = None,
    ) -> None:
        self._link = link
        self._name = name
        self._leads = False
        self._next_lease_s = 0.0
        self._next_checkpoint_s = 0.0
        self._ingest = ingest
        self._vault = vault
        self._sign_key = sign_key
        self._clock = clock
        self._questions = Questions(vault, sign_key, ingest.seal_key)
        self._throttle = Throttle()
        self._rosters: dict[str, _Sent] = {}
        self._staff = StaffLists(link, vault, sign_key)
        self._deletions = Deletions(link, sign_key)
        self._settings = SettingsPost(link, sign_key)
        self._owed = OwedAcks(link, sign_key)
        self._releases = Releases(link, vault, sign_key, tree)
        self._next_roster_s = 0.0
        self._locked_logged = False

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; survives a missing broker and a locked database."""
        try:
            while not stop.is_set():
                self.turn(stop)
        finally:
            self._link.close()
            self._leave()
            connection.close()

    def _leave(self) -> None:
        """Whoever is left need not wait until the lease runs out."""
        try:
            lease.leave(self._name)
        except _AWAY as error:
            log.warning("lease not given back: %s", type(error).__name__)

    def turn(self, stop: threading.Event) -> None:
        """One round: at most one batch of messages, then rosters if it is time."""
        batch = self._link.poll(GATHER_S, BATCH)
        if batch:
            self._until_done(lambda: self._handle(batch), stop)
        if self._clock.mono_s() >= self._next_roster_s:
            self._next_roster_s = self._clock.mono_s() + ROSTER_EVERY_S
            self._until_done(self._look_after, stop)
            self._until_done(self._keep_lease, stop)
            if self._leads:
                self._lead(stop)

    def _keep_lease(self) -> None:
        now_s = self._clock.mono_s()
        if now_s < self._next_lease_s:
            return
        self._next_lease_s = now_s + LEASE_S
        leads = lease.hold(self._name, self._clock.now())
        if leads != self._leads:
            log.info("worker=%s %s", self._name, "leads" if leads else "follows")
        self._leads = leads
        self._link.lead(leads)

    def _lead(self, stop: threading.Event) -> None:
        """What only one worker does."""
        self._until_done(self._send_rosters, stop)
        self._until_done(self._ask, stop)
        self._until_done(self._send_staff, stop)
        self._until_done(lambda: self._deletions.turn(self._clock.now()), stop)
        self._until_done(lambda: self._settings.turn(self._clock.now()), stop)
        self._until_done(self._owed.turn, stop)
        self._until_done(lambda: self._releases.turn(self._clock.now()), stop)
        self._until_done(self._seal_log, stop)

    def _seal_log(self) -> None:
        now_s = self._clock.mono_s()
        if now_s >= self._next_checkpoint_s:
            self._next_checkpoint_s = now_s + CHECKPOINT_S
            audit.checkpoint(self._vault, self._sign_key, self._clock.now())

    def _until_done(self, work: Callable[[], None], stop: threading.Event) -> None:
        """Repeat while the database is locked or away; nothing was acknowledged meanwhile."""
        while True:
            try:
                work()
            except _AWAY as error:
                connection.close()
                self._log_locked(error)
                if stop.wait(RETRY_S):
                    return
            else:
                self._locked_logged = False
                return

    def _log_locked(self, error: Exception) -> None:
        if not self._locked_logged:
            why = getattr(error.__cause__, "sqlite_errorname", type(error).__name__)
            log.error("database not available, trying again: %s", why)
            self._locked_logged = True

    def _handle(self, batch: Sequence[Incoming]) -> None:
        now = self._clock.now()
        arrivals = self._sorted_out(batch, now)
        replies = self._ingest.ingest(arrivals, now) if arrivals else []
        self._charge(arrivals, replies)
        for kiosk_id, payload in dispatch.ack_envelopes(replies, self._sign_key).items():
            self._link.publish(topics.topic(kiosk_id, topics.ACK), payload)
        for message in batch:
            self._link.done(message)
        if arrivals:
            log.info("batch arrived=%d answered=%d", len(arrivals), len(replies))

    def _sorted_out(self, batch: Sequence[Incoming], now: datetime) -> list[Arrival]:
        """The records of a batch; everything else is dealt with here, in one transaction."""
        arrivals, others = [], []
        for message in batch:
            kiosk_id, leaf = _place(message.topic)
            if not self._throttle.admits(kiosk_id, self._clock.mono_s()):
                continue
            if leaf == topics.RECORD:
                arrivals.append(Arrival(kiosk_id, message.payload))
            else:
                others.append((kiosk_id, leaf, message))
        if others:
            with transaction.atomic():
                for other in others:
                    self._take(*other, now)
        return arrivals

    def _take(self, kiosk_id: str, leaf: str, message: Incoming, now: datetime) -> None:
        """Anything but a record; what is no message of ours costs the kiosk dearly.

        Nothing one kiosk can write may stop the bridge for all: what a message does is
        done whole or not at all, and an error nobody thought of is one refused message.
        """
        cost = Cost.REFUSED
        try:
            with transaction.atomic():
                self._file(kiosk_id, leaf, message, now)
            cost = Cost.PIECE if leaf == topics.FETCH else Cost.PLAIN
        except WireError as error:
            log.warning("ignored topic=%r reason=%s", message.topic[:80], error.reason)
        except _AWAY:
            raise  # not the message's fault: the batch is tried again
        except Exception as error:  # noqa: BLE001 - top of the bridge's thread, for one message
            log.error("unfileable topic=%r error=%s", message.topic[:80], type(error).__name__)
        self._throttle.charge(kiosk_id, cost.value, self._clock.mono_s())

    def _file(self, kiosk_id: str, leaf: str, message: Incoming, now: datetime) -> None:
        if leaf == topics.PRESENCE:
            store_presence(kiosk_id, messages.parse_presence(message.payload), now)
        elif leaf == topics.HEALTH:
            store_health(kiosk_id, messages.parse_health(message.payload), now)
        elif leaf == topics.LOOKUP:
            self._answer(kiosk_id, message, now, self._questions.answer, topics.ANSWER)
        elif leaf == topics.ASK_HISTORY:
            self._answer(kiosk_id, message, now, self._questions.history, topics.HISTORY)
        elif leaf == topics.TOLD:
            self._questions.told(kiosk_id, message.payload)
        elif leaf == topics.REPORTED:
            self._settings.reported(kiosk_id, message.payload, now)
        elif leaf == topics.UPDATE:
            self._releases.told(kiosk_id, message.payload, now)
        elif leaf == topics.FETCH:
            self._releases.give(kiosk_id, message)
        else:
            raise WireError("topic", "nothing we listen to")

    def _answer(
        self, kiosk_id: str, message: Incoming, now: datetime, answer: Answer, leaf: str
    ) -> None:
        """Nothing about a person leaves before the look at them is written down for good."""
        now_s = self._clock.mono_s()
        question, payload = answer(kiosk_id, message.payload, now, now_s)
        topic = topics.topic(kiosk_id, leaf)
        transaction.on_commit(
            lambda: self._link.tell(topic, payload, messages.LOOKUP_S, question.encode())
        )

    def _charge(self, arrivals: Sequence[Arrival], replies: Sequence[Reply]) -> None:
        """A record without an answer, or one that was put aside, was not worth looking at."""
        costs: dict[str, float] = defaultdict(float)
        for arrival in arrivals:
            costs[arrival.kiosk_id] += Cost.REFUSED.value
        for reply in replies:
            costs[reply.kiosk_id] += _COSTS[reply.ack.status].value - Cost.REFUSED.value
        for kiosk_id, cost in costs.items():
            self._throttle.charge(kiosk_id, cost, self._clock.mono_s())

    def _look_after(self) -> None:
        """Whose messages were dropped is told."""
        for kiosk_id, number in self._throttle.to_tell(self._clock.mono_s()).items():
            note_dropped(kiosk_id, number, self._clock.now())

    def _ask(self) -> None:
        if not self._link.connected:
            return
        for kiosk_id, payload in self._questions.to_ask(self._clock.mono_s()):
            self._link.tell(topics.topic(kiosk_id, topics.ASK), payload, messages.ASK_S)

    def _send_rosters(self) -> None:
        self._settle_rosters()
        if not self._link.connected:
            self._rosters.clear()
            return
        now = self._clock.now()
        today = now.astimezone(_CHINA).date()
        due = rosters.to_send(now, today).exclude(pk__in=self._rosters)
        enough_s = self._clock.mono_s() + ROSTERS_S
        for device in due.select_related("site__region")[:ROSTERS_AT_ONCE]:
            self._send_roster(device, today)
            if self._clock.mono_s() > enough_s:
                break

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


def note_dropped(kiosk_id: str, number: int, now: datetime) -> None:
    """The alarm: one line in the log, and what the console shows."""
    log.warning("throttled kiosk=%s dropped=%d", kiosk_id, number)
    rows = Device.objects.filter(kiosk_id=kiosk_id)
    rows.update(throttled=F("throttled") + number, throttled_at=now)


def _place(topic: str) -> tuple[str, str]:
    """Kiosk and leaf; two empty texts for a topic that is none of ours."""
    try:
        return topics.split(topic)
    except WireError:
        return "", ""


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
