"""Roll-outs in the registry: opened by an operator, driven by outcomes, stopped by themselves.

The rules are in `rollout.py`; here they meet the tables. Every turn may be done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from cloud_bridge.fleet.repository import FleetError
from cloud_bridge.fleet.rollout import Policy, Tally, Verdict, judge, rings_of
from cloud_bridge.registry import audit
from cloud_bridge.registry.models import Device, KioskRelease, Rollout, RolloutKiosk
from cloud_bridge.registry.vault import Vault
from edge.domain.errors import WireError
from edge.wire.updates import BAD_PHASES, GOOD_PHASES, UpdateState

Outcome: Any = RolloutKiosk.Outcome
State: Any = Rollout.State


@dataclass(frozen=True, slots=True)
class Plan:
    """What an operator asks for. `ask`: no ring but the first opens without approval."""

    serial: int
    version: str
    manifest_sha256: str
    policy: Policy
    window: tuple[int, int] = (0, 0)
    defer_days: int = 7
    ask: bool = False


@transaction.atomic
def start(plan: Plan, kiosks: Any, vault: Vault, who: str, now: datetime) -> Rollout:
    """Begin with the first ring. `kiosks`: a queryset of devices. Raises `FleetError`."""
    open_ones = Rollout.objects.filter(state__in=(State.RUNNING, State.PAUSED))
    if other := open_ones.first():
        raise FleetError(f"release {other.serial} is on its way: pause, stop or finish it first")
    newest = Rollout.objects.aggregate(serial=Max("serial"))["serial"] or 0
    if plan.serial <= newest:
        raise FleetError(
            f"release {plan.serial}: {newest} was rolled out already; use a new serial"
        )
    kinds = {device.pk: _kind(device) for device in kiosks.select_related("site")}
    if not kinds:
        raise FleetError("no kiosks to roll out to")
    rings = rings_of(plan.policy, kinds, plan.serial)
    row = Rollout.objects.create(
        serial=plan.serial,
        version=plan.version,
        manifest_sha256=plan.manifest_sha256,
        policy=asdict(plan.policy),
        window_begins=plan.window[0],
        window_ends=plan.window[1],
        defer_days=plan.defer_days,
        ring_at=now,
        approved_ring=0 if plan.ask else len(rings) - 1,
        started_by=who,
        started_at=now,
    )
    RolloutKiosk.objects.bulk_create(
        RolloutKiosk(rollout=row, device_id=kiosk_id, ring=number)
        for number, ring in enumerate(rings)
        for kiosk_id in ring
    )
    _note(vault, who, "start", row)
    _open_ring(row, 0, now)
    return row


def _kind(device: Device) -> str:
    """What it has in common with others: its site's region and the software it runs."""
    return f"{device.site.region_id[:6]} {device.software}"


@transaction.atomic
def turn(vault: Vault, now: datetime) -> list[Rollout]:
    """Judge what runs; returns the roll-outs that changed."""
    changed = []
    for row in Rollout.objects.select_for_update().filter(state=State.RUNNING):
        policy = policy_of(row)
        _count_silence(row, policy, now)
        verdict = judge(policy, tally(row, now))
        if verdict is Verdict.STOP:
            _end(row, State.STOPPED, "too many failed", vault, audit.SYSTEM, now)
        elif verdict is Verdict.DONE:
            _end(row, State.DONE, "", vault, audit.SYSTEM, now)
        elif verdict is Verdict.NEXT and row.ring < row.approved_ring:
            _open_ring(row, row.ring + 1, now)
            _note(vault, audit.SYSTEM, "ring", row)
        else:
            continue
        changed.append(row)
    return changed


def policy_of(row: Rollout) -> Policy:
    return Policy(**row.policy | {"rings": tuple(row.policy["rings"])})


def tally(row: Rollout, now: datetime) -> Tally:
    """What became of the kiosks so far."""
    told = list(row.kiosks.exclude(assigned_at=None).values_list("ring", "outcome", "told_at"))
    good = [ring for ring, outcome, _ in told if outcome == Outcome.GOOD]
    failed = [ring for ring, outcome, _ in told if outcome in (Outcome.FAILED, Outcome.SILENT)]
    last = max([at for *_, at in told if at], default=row.ring_at)
    return Tally(
        ring=row.ring,
        exposed=len(told),
        good=len(good),
        failed=len(failed),
        ring_good=good.count(row.ring),
        ring_failed=failed.count(row.ring),
        quiet_s=(now - max(last, row.ring_at)).total_seconds(),
    )


def waits_for_approval(row: Rollout, now: datetime) -> bool:
    next_one = judge(policy_of(row), tally(row, now)) is Verdict.NEXT
    return row.state == State.RUNNING and next_one and row.ring >= row.approved_ring


@transaction.atomic
def told(kiosk_id: str, state: UpdateState, now: datetime) -> None:
    """A kiosk says what it runs and where its update stands. Raises `WireError` for no kiosk of
    ours: its row would break the whole batch at the commit."""
    if not Device.objects.filter(pk=kiosk_id).exists():
        raise WireError("topic", "no kiosk of ours")
    row, _ = KioskRelease.objects.get_or_create(device_id=kiosk_id)
    row.running, row.phase, row.word, row.told_at = state.running, state.phase, state.word, now
    row.save(update_fields=["running", "phase", "word", "told_at"])
    outcome = _outcome(state, row.serial)
    if outcome and row.rollout_id:
        places = RolloutKiosk.objects.filter(rollout=row.rollout_id, device=kiosk_id)
        open_ones = places.filter(outcome__in=(Outcome.OPEN, Outcome.SILENT))
        open_ones.update(outcome=outcome, word=state.word, told_at=now)


def _outcome(state: UpdateState, wanted: int) -> str:
    if state.phase in GOOD_PHASES and state.running == wanted:
        return str(Outcome.GOOD)
    if state.phase in BAD_PHASES and state.wanted == wanted:
        return str(Outcome.FAILED)
    return ""


@transaction.atomic
def steer(serial: int, order: str, vault: Vault, who: str, now: datetime) -> Rollout:
    """`pause`, `resume`, `approve` the next ring, or `stop`. Raises `FleetError`."""
    row = Rollout.objects.select_for_update().filter(serial=serial).first()
    if row is None:
        raise FleetError(f"release {serial}: no such roll-out")
    if row.state not in _FROM[order]:
        raise FleetError(f"release {serial}: {order} is not possible, it is {row.state}")
    if order == "stop":
        _end(row, State.STOPPED, "by hand", vault, who, now)
        return row
    if order == "approve":
        row.approved_ring = row.ring + 1
    else:
        row.state = State.PAUSED if order == "pause" else State.RUNNING
    row.save()
    _note(vault, who, order, row)
    return row


_FROM: Mapping[str, tuple[str, ...]] = {
    "pause": (State.RUNNING,),
    "resume": (State.PAUSED,),
    "approve": (State.RUNNING, State.PAUSED),
    "stop": (State.RUNNING, State.PAUSED),
}


def to_send() -> Any:
    return KioskRelease.objects.filter(due=True)


def sent(kiosk_id: str, seq: int, now: datetime) -> None:
    KioskRelease.objects.filter(pk=kiosk_id, seq=seq).update(due=False, sent_at=now)


def _open_ring(row: Rollout, ring: int, now: datetime) -> None:
    row.ring, row.ring_at = ring, now
    row.save(update_fields=["ring", "ring_at"])
    places = row.kiosks.filter(ring=ring)
    places.update(assigned_at=now)
    for place in places.select_related("device"):
        _assign(place.device_id, row.serial, row.manifest_sha256, row, now)


def _assign(
    kiosk_id: str, serial: int, sha256: str, rollout: Rollout | None, now: datetime
) -> None:
    """`seq` is the time or more, so that a registry restored from a copy counts on."""
    row, _ = KioskRelease.objects.get_or_create(device_id=kiosk_id)
    row.seq = max(int(now.timestamp()), row.seq + 1)
    row.serial, row.manifest_sha256, row.rollout, row.due = serial, sha256, rollout, True
    row.save()


def _count_silence(row: Rollout, policy: Policy, now: datetime) -> None:
    """A kiosk that was assigned and has said nothing since counts as failed, for now."""
    before = now - timedelta(seconds=policy.silence_s)
    quiet = row.kiosks.filter(outcome=Outcome.OPEN, assigned_at__lte=before)
    quiet.update(outcome=Outcome.SILENT, told_at=now)


def _end(row: Rollout, state: str, why: str, vault: Vault, who: str, now: datetime) -> None:
    """Whoever has not switched yet keeps what it runs."""
    row.state, row.why, row.ended_at = state, why, now
    row.save()
    if state == State.STOPPED:
        for place in row.kiosks.filter(outcome__in=(Outcome.OPEN, Outcome.SILENT)).exclude(
            assigned_at=None
        ):
            _assign_back(place.device_id, now)
    _note(vault, who, state, row)


def _assign_back(kiosk_id: str, now: datetime) -> None:
    row = KioskRelease.objects.get(pk=kiosk_id)
    before = Rollout.objects.filter(serial=row.running).first()
    _assign(kiosk_id, row.running, before.manifest_sha256 if before else "", None, now)


def _note(vault: Vault, who: str, what: str, row: Rollout) -> None:
    reason = f"ring {row.ring} {row.why}".strip()
    audit.write(vault, who, f"rollout.{what}", ("release", str(row.serial)), reason=reason)
