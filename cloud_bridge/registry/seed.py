"""An invented county of any size, to try things on: people, households, three years of proofs.

The same seed, day and number of people make the same county. Names are put together from
lists, numbers are of region 100000, which belongs to nobody. Proofs are written past
`registry.standing`, a million at a time; `last_pass_on` is what it would have written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from cloud_bridge.registry import audit, id_number, invented
from cloud_bridge.registry.bulk import Table, in_a_hurry, renumber, settle
from cloud_bridge.registry.models import (
    ROOT_REGION,
    Certification,
    ChainState,
    DeathReport,
    Device,
    Household,
    ImportRun,
    LifeSignal,
    Person,
    Proof,
    Region,
    Site,
    Task,
)
from cloud_bridge.registry.vault import Vault

WHO = "seed"
MAX_PEOPLE = 2_000_000
PER_COMMUNITY = 1500
BATCH = 2000
NUMBER_REGION = "100000"
_EPOCH = "seed"
_NO_HASH = "0" * 64

# As often in the tuple as it shall come up among a hundred.
_CATEGORIES = ("retired",) * 50 + ("dibao",) * 28 + ("dibian",) * 14 + ("tekun",) * 8
_METHODS = (
    *("kiosk",) * 62, *("data",) * 15, *("visit",) * 12, *("video",) * 7, *("manual",) * 4,
)  # fmt: skip
_SIZES = (1,) * 45 + (2,) * 45 + (3,) * 10
_SOURCES = ("医保就诊", "社区走访", "交通出行", "银行柜面")
_DEATH_SOURCES = ("certificate", "police", "funeral", "family", "committee")
_SOFTWARE = ("jianzai 0.1.0", "jianzai 0.2.0", "jianzai 0.3.0")
_STAMP = '{"utc": "%s.000Z", "boot_ns": 60000000000, "boot_id": "seed", "trust": "ntp"}'
_FAILED = ('["timed_out"]', '["too_early"]', '["not_alike"]', '["no_reference"]', '["light"]')


_T = TypeVar("_T")


_WRITTEN = (Household, Person, LifeSignal, Certification, Proof, Task, DeathReport)


class SeedRefused(Exception):
    """Nothing was written; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    people: int
    seed: int
    today: date


@dataclass(frozen=True, slots=True)
class Filled:
    people: int
    proofs: int
    records: int
    communities: int


Tell = Callable[[int, int], None]
"""Called with people made so far and people in all."""


def fill(wish: Wish, vault: Vault, tell: Tell) -> Filled:
    """Raises `SeedRefused` on a registry that already holds people or records."""
    _check(wish)
    county = _County(wish, vault)
    with in_a_hurry(_WRITTEN):
        with transaction.atomic():
            county.write_places()
            audit.write(vault, WHO, "registry.seed", ("registry", ""), reason=f"{wish.people}")
        for made in county.batches():
            tell(made, wish.people)
        with transaction.atomic():
            county.write_chains()
        renumber(Household, LifeSignal, Proof, Task, DeathReport, Site, ImportRun)
    settle()
    return county.filled()


def _check(wish: Wish) -> None:
    if not 1 <= wish.people <= MAX_PEOPLE:
        raise SeedRefused(f"people: 1 to {MAX_PEOPLE}")
    for table in (Person, Certification, Device):
        if table.objects.exists():
            raise SeedRefused(
                "this registry holds people, records or kiosks already; "
                "invented ones go into an empty registry only"
            )


@dataclass(slots=True)
class _Kiosk:
    kiosk_id: str
    site_name: str
    seq: int = 0
    last: str = _NO_HASH

    def next(self, sha256: str) -> tuple[int, str]:
        """Place in its chain, and the hash before."""
        before, self.last = self.last, sha256
        self.seq += 1
        return self.seq, before


@dataclass(frozen=True, slots=True)
class _Somebody:
    """What every row about one person needs."""

    person_id: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    key: str
    age: int
    region: str
    kiosk: _Kiosk


class _County:
    """Makes rows in batches of `BATCH` people and writes each batch in one transaction."""

    def __init__(self, wish: Wish, vault: Vault) -> None:
        self._wish = wish
        self._vault = vault
        self._rng = Random(wish.seed)
        self._days = [wish.today - timedelta(days=n) for n in range(3 * 366)]
        self._texts = [day.isoformat() for day in self._days]
        self._regions = list(invented.regions(math.ceil(wish.people / PER_COMMUNITY)))
        self._communities = [code for code, _ in self._regions if code[9:] != "000"]
        self._kiosks: dict[str, _Kiosk] = {}
        self._serials: dict[tuple[date, int], int] = {}
        self._households, self._proofs, self._signals = count(1), count(1), count(1)
        self._tasks, self._deaths = count(1), count(1)
        self._counted = {"proofs": 0, "records": 0}
        self._tables = _tables()
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in self._tables}
        self._liveness = [_liveness(self._rng) for _ in range(64)]

    # --- places

    def write_places(self) -> None:
        known = set(Region.objects.values_list("code", flat=True))
        for code, name in self._regions:
            if code not in known:
                parent, level = Region.parent_code(code), Region.level_of(code)
                Region.objects.create(code=code, name=name, level=level, parent_id=parent)
        streets = [(code, name) for code, name in self._regions if Region.level_of(code) == 4]
        for number, (code, name) in enumerate(streets, start=1):
            self._write_kiosk(number, code, f"{name}便民服务中心")
        now = timezone.now()
        ImportRun.objects.create(
            pk=1, kind="life", state="applied", file_name="seed", sha256=_NO_HASH,
            by=WHO, at=now, applied_at=now, region_id=ROOT_REGION,
        )  # fmt: skip

    def _write_kiosk(self, number: int, street: str, site_name: str) -> None:
        """Its keys were thrown away: nobody can ever speak for it."""
        kiosk_id = f"seed-{number:04d}"
        site = Site.objects.create(name=f"{site_name}（{number}）", region_id=street)
        Device.objects.create(
            kiosk_id=kiosk_id,
            site=site,
            sign_pub=_NO_HASH[:44],
            open_pub=_NO_HASH[:44],
            card_secret_sealed=self._vault.seal(_NO_HASH[:44], kiosk_id),
            simulated_only=True,
            staff_due=False,
        )
        self._kiosks[street[:9]] = _Kiosk(kiosk_id, site.name)

    def write_chains(self) -> None:
        ChainState.objects.bulk_create(
            ChainState(device_id=kiosk.kiosk_id, epoch=_EPOCH, highest=kiosk.seq)
            for kiosk in self._kiosks.values()
        )

    # --- people

    def batches(self) -> Iterator[int]:
        """Yields how many people are written so far."""
        made = 0
        while made < self._wish.people:
            goal = min(made + BATCH, self._wish.people)
            while made < goal:
                made += self._household(made, goal)
            self._write()
            yield made

    def _write(self) -> None:
        with transaction.atomic():
            for name, table in self._tables.items():
                table.insert(self._rows[name])
                self._rows[name].clear()

    def filled(self) -> Filled:
        made = self._counted
        return Filled(self._wish.people, made["proofs"], made["records"], len(self._communities))

    def _household(self, made: int, goal: int) -> int:
        """One to three people who live together; returns how many."""
        rng, number = self._rng, next(self._households)
        size = min(_any(rng, _SIZES), goal - made)
        community = self._communities[made * len(self._communities) // self._wish.people]
        self._rows["household"].append((number, f"示例-{number:07d}"))
        surname = invented.surname(rng)
        for _ in range(size):
            self._person(surname if rng.random() < 0.6 else "", community, number)
        return size

    def _person(self, surname: str, community: str, household: int) -> None:
        rng = self._rng
        category = _any(rng, _CATEGORIES)
        man = rng.random() < 0.48
        birth, age = self._birth(category)
        number = self._number(birth, man)
        one = _Somebody(
            f"p{rng.getrandbits(96):024x}",
            invented.name(rng, surname, man),
            number,
            self._vault.lookup(number),
            age,
            community,
            self._kiosks[community[:9]],
        )
        died = rng.randrange(1, len(self._days)) if rng.random() < 0.0003 * (age - 15) else 0
        last = self._past(one, died)
        self._rows["person"].append((
            one.person_id, one.name, one.key, self._vault.seal(number, one.person_id),
            "1" if man else "2", birth.isoformat(), category, rng.random() < 0.93,
            None if last is None else self._texts[last], self._texts[died] if died else None,
            community, household, f"{self._texts[-1]} 01:00:00",
        ))  # fmt: skip
        if died:
            self._death(one, died)

    def _birth(self, category: str) -> tuple[date, int]:
        rng = self._rng
        low, high, mode = (55, 102, 68) if category == "retired" else (18, 100, 62)
        age = int(rng.triangular(low, high, mode))
        today = self._wish.today
        birth = date(today.year - age, 1, 1) + timedelta(days=int(rng.random() * 365))
        return birth, age - (birth.replace(year=today.year, day=min(birth.day, 28)) > today)

    def _number(self, birth: date, man: bool) -> str:
        """Serials of a day are used up one after the other; a full day moves to the next year."""
        while True:
            used = self._serials.get((birth, man), 0)
            if used < 499:
                self._serials[birth, man] = used + 1
                return id_number.make(NUMBER_REGION, birth, 2 * used + (1 if man else 2))
            birth += timedelta(days=1)

    # --- what happened to them

    def _past(self, one: _Somebody, died: int) -> int | None:
        """Three years of proofs, none after a death; the offset of the last that counts."""
        rng, this_year = self._rng, self._wish.today.timetuple().tm_yday
        spans = (
            (0, this_year, 0.62, 0.0),
            (this_year, this_year + 365, 0.97, 0.21),
            (this_year + 365, len(self._days), 0.97, 0.21),
        )
        last: int | None = None
        for first, end, once, again in spans:
            for chance in (once, again):
                day = first + int(rng.random() * (end - first))
                if rng.random() < chance and day > died:
                    counts = self._proof(one, day)
                    last = day if counts and (last is None or day < last) else last
        return last

    def _proof(self, one: _Somebody, day: int) -> bool:
        """One proof and what it rests on; False if it was voided later."""
        rng, number = self._rng, next(self._proofs)
        method = _any(rng, _METHODS)
        record = signal = None
        place = by = voided = None
        if method in ("kiosk", "manual"):
            record = self._record(one, day, number, passed=method == "kiosk")
        elif method == "data":
            signal = next(self._signals)
            source = _SOURCES[signal % len(_SOURCES)]
            self._rows["signal"].append(
                (signal, one.person_id, "life", source, self._texts[day], 1)
            )
        else:
            by, place = f"worker-{one.region[:9]}", "家中"
            voided = f"{self._texts[max(day - 3, 0)]} 02:00:00" if rng.random() < 0.003 else None
        self._rows["proof"].append((
            number, one.person_id, method, self._texts[day], self._moment(day), by or "",
            record, signal, place or "", "不便拍照" if place else "",
            voided, "supervisor" if voided else "", "复核不符" if voided else "",
        ))  # fmt: skip
        self._counted["proofs"] += 1
        return voided is None

    def _record(self, one: _Somebody, day: int, number: int, *, passed: bool) -> str:
        """A kiosk's record; one that staff confirmed, and now and then one more that failed."""
        if passed and self._rng.random() < (0.07 if one.age >= 80 else 0.03):
            failed = self._certification(one, day, "needs_review", "")
            self._task(one, failed, day)
        outcome = "passed" if passed else "needs_review"
        return self._certification(one, day, outcome, f"{self._texts[day]}-{number:07d}")

    def _certification(self, one: _Somebody, day: int, outcome: str, receipt: str) -> str:
        rng, kiosk = self._rng, one.kiosk
        bits = rng.getrandbits(256)
        sha256 = f"{bits:064x}"
        record_id = f"{sha256[:8]}-{sha256[8:12]}-7{sha256[12:15]}-8{sha256[15:18]}-{sha256[18:30]}"
        seq, before = kiosk.next(sha256)
        moment = self._moment(day)
        stamp = _STAMP % moment.replace(" ", "T")
        passed = outcome == "passed"
        self._rows["certification"].append((
            record_id, kiosk.kiosk_id, kiosk.site_name, one.name, one.key,
            self._vault.seal(one.number, record_id), "resident", "kiosk", outcome,
            "[]" if passed else _FAILED[bits % len(_FAILED)],
            1 + (bits % 10 < (4 if one.age >= 80 else 2)) + (bits % 100 < 5),
            receipt, "0501.seed", None, self._liveness[bits % 64], stamp, stamp, moment,
            self._texts[day], False, _SOFTWARE[2 - day * 3 // len(self._days)], _EPOCH, seq,
            before, b"", sha256, moment, one.person_id,
        ))  # fmt: skip
        self._counted["records"] += 1
        return record_id

    def _task(self, one: _Somebody, record: str, day: int) -> None:
        """What is older than six weeks has been dealt with."""
        done = day > 42
        self._rows["task"].append((
            next(self._tasks), "review", "done" if done else "open", one.person_id, record,
            one.region, self._moment(day), f"worker-{one.region[:9]}" if done else "",
            self._moment(day - 7) if done else None, "已上门核实" if done else "",
        ))  # fmt: skip

    def _death(self, one: _Somebody, day: int) -> None:
        source = self._rng.choice(_DEATH_SOURCES)
        entered, decided = self._moment(max(day - 4, 0)), self._moment(max(day - 6, 0))
        self._rows["death"].append((
            next(self._deaths), one.person_id, self._texts[day], source, "approved",
            f"worker-{one.region[:9]}", entered, "supervisor", decided,
        ))  # fmt: skip

    def _moment(self, day: int) -> str:
        """Within office hours, China time, written in UTC."""
        minutes = 40 + int(self._rng.random() * 500)
        return f"{self._texts[day]} {minutes // 60:02d}:{minutes % 60:02d}:{minutes % 47:02d}"


def _tables() -> dict[str, Table]:
    """In the order in which one row needs another."""
    return {
        "household": Table(Household, "id", "number"),
        "person": Table(
            Person, "person_id", "name", "number_key", "number_sealed", "sex", "birth", "category",
            "covered", "last_pass_on", "dead_since", "region_id", "household_id", "created_at",
        ),
        "signal": Table(LifeSignal, "id", "person_id", "kind", "source", "on", "run_id"),
        "certification": Table(
            Certification, "record_id", "device_id", "site_name", "subject_name", "subject_key",
            "subject_sealed", "card_kind", "method", "outcome", "reasons", "attempts",
            "receipt_no", "reader_id", "consent", "liveness", "started", "finished",
            "finished_at", "certified_on", "clock_unsure", "software", "epoch", "seq",
            "prev_sha256", "envelope", "sha256", "filed_at", "person_id",
        ),
        "proof": Table(
            Proof, "id", "person_id", "method", "on", "at", "by", "record_id", "signal_id",
            "place", "exemption", "voided_at", "voided_by", "void_reason",
        ),
        "task": Table(
            Task, "id", "kind", "state", "person_id", "record_id", "region_id", "created_at",
            "done_by", "done_at", "note",
        ),
        "death": Table(
            DeathReport, "id", "person_id", "died_on", "source", "state", "entered_by",
            "entered_at", "decided_by", "decided_at",
        ),
    }  # fmt: skip


def _any(rng: Random, choices: Sequence[_T]) -> _T:
    """As `rng.choice`, three times as fast."""
    return choices[int(rng.random() * len(choices))]


def _liveness(rng: Random) -> str:
    score = {"band": "clear", "threshold": 0.5, "model": "5eed" * 16}
    return json.dumps({
        "live": True, "actions": rng.sample(("left", "right", "up", "down", "mouth"), 2),
        "liveness": score, "likeness": score, "reference": "chip",
        "frames": rng.randrange(90, 300), "seconds": round(rng.uniform(5, 28), 1),
    })  # fmt: skip
