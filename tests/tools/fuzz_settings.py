"""Mutated wishes about settings against one kiosk's whole path, from the signed message to a start.

    python -m tests.tools.fuzz_settings [--configs 1000] [--seed 1] [--out fuzz/settings.json]

Each round sends one wish through the sync process's receiver into the database, lets the kiosk
process judge it, starts both again where that is asked for, and then perhaps damages a file or
lets the kiosk come down again and again. What is in force is compared with `ALLOWED`, which is
written here once more and shares nothing with the program's own definition. Exit code 1 if

* applied_bad: a value that is not allowed was in force, or a start failed with what was;
* good_lost: an allowed value of an accepted wish was not in force;
* not_restored: after damage, or starts that failed, the last good settings did not return;
* replays_applied: a wish that was old, forged or somebody else's changed anything.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.progress import track

from edge.app import sync_process
from edge.app.clock import SystemTime, mono_ns
from edge.app.compose import context_maker, facts_of, receipt_maker
from edge.app.config import Config, load, value_of
from edge.app.layers import describer
from edge.app.sealing import Keyring
from edge.app.settings import (
    MAX_STARTS,
    PROVED_S,
    REST_S,
    KioskSettings,
    SignedWishes,
)
from edge.domain.record import Provenance
from edge.domain.settings import SETTINGS
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.ports import Incoming
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.outbox import SqliteOutbox
from edge.store.settings_files import AcceptedFiles, LinkFile
from edge.store.wishes import WishBox
from edge.sync.receiver import Receiver
from edge.sync.settings import LinkTrial, SettingsKeeper
from edge.wire import keys, messages, topics
from edge.wire.envelope import Header, sign
from provisioning.site import make_site

KIOSK = "k-001"
DAMAGE_EVERY, FAIL_EVERY, REPLAY_EVERY = 7, 11, 5


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _host(value: object) -> bool:
    """As RFC 1123 has it."""
    if not isinstance(value, str) or not 1 <= len(value) <= 253:
        return False
    labels = value.split(".")
    allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
    return all(
        1 <= len(label) <= 63 and set(label) <= set(allowed) and "-" not in (label[0], label[-1])
        for label in labels
    )


def _line(value: object) -> bool:
    if not isinstance(value, str) or not value.isprintable() or value != value.strip():
        return False
    return 1 <= len(value) <= 40 and not set(value) & set("[]{}<>&\\")


def _phone(value: object) -> bool:
    if not isinstance(value, str) or value != value.strip() or not 3 <= len(value) <= 20:
        return False
    return bool(re.match(r"^[0-9+]", value)) and set(value) <= set("0123456789 +-")


ALLOWED: Mapping[str, Callable[[object], bool]] = {
    "language": lambda value: value in ("zh", "en") and isinstance(value, str),
    "tries": _whole(1, 5),
    "agency.office": _line,
    "agency.phone": _phone,
    "screen.idle_s": _whole(60, 900),
    "devices.volume": _whole(0, 100),
    "devices.dialect": lambda value: isinstance(value, str) and value in ("none", "yue"),
    "panel.fill_light_percent": _whole(1, 100),
    "check.screen_light": lambda value: isinstance(value, str) and value in ("off", "on"),
    "check.passive": lambda value: isinstance(value, str) and value in ("auto", "off"),
    "check.passive_percent": _whole(0, 100),
    "check.camera_truth": lambda value: isinstance(value, str) and value in ("off", "on"),
    "store.retention_days": _whole(1, 30),
    "broker.host": _host,
    "broker.port": _whole(1, 65535),
    "broker.keepalive_s": _whole(10, 600),
}

GOOD: Mapping[str, tuple[object, ...]] = {
    "language": ("zh", "en"),
    "tries": (1, 2, 5),
    "agency.office": ("示范路2号", "Hall 3", "x" * 40, "一" * 40),
    "agency.phone": ("12333", "+86 10-12345678", "110"),
    "screen.idle_s": (60, 240, 900),
    "devices.volume": (0, 35, 100),
    "devices.dialect": ("none", "yue"),
    "panel.fill_light_percent": (1, 60, 100),
    "check.screen_light": ("off", "on"),
    "check.passive": ("auto", "off"),
    "check.passive_percent": (0, 5, 100),
    "check.camera_truth": ("off", "on"),
    "store.retention_days": (1, 7, 30),
    "broker.host": ("localhost", "127.0.0.1", "mq-2.example.org", "a" * 63 + ".b"),
    "broker.port": (1, 8883, 65535),
    "broker.keepalive_s": (10, 60, 600),
}

ODD: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2**31, -(2**63), 10**30, 0.5, 3.0, 1e308, "", " ", "3", "0x3",
    "zh ", "ZH", [], [1], {}, {"a": 1}, [["zh"]], "\n", "a\nb", "\x00", "\x1b[31m", "{agency}",
    "{0.__class__}", "[b]x[/b]", "%s%n", "../../etc/passwd", "a" * 41, "一" * 41, "a" * 10_000,
    "\u202eabc", "\ud7ff", "😀", "a..b", ".a", "a.", "-a", "a-", "a_b", "a b", "::1", "a" * 64,
    "localhost:8883", "١٢٣", "１２３", "+", "---", "1-", "900.0", 901, 29, 6, 101, 65536, 601, 9,
)  # fmt: skip

STRANGE_KEYS = (
    "", "mode", "data", "keys.sign", "devices.camera", "kiosk_id", "base", "tries ", "Tries",
    "screen", "screen.", ".tries", "screen.idle_s.x", "__class__", "broker", "a" * 500, "一",
)  # fmt: skip


def mutated(rng: random.Random) -> dict[str, object]:
    """A wish with some good values, some spoilt ones, some keys that do not exist."""
    keys_ = rng.sample(sorted(GOOD), rng.randint(0, len(GOOD)))
    wish: dict[str, object] = {key: _value(key, rng) for key in keys_}
    for _ in range(rng.choice((0, 0, 1, 3))):
        wish[rng.choice(STRANGE_KEYS)] = rng.choice(ODD)
    return wish


def _value(key: str, rng: random.Random) -> object:
    match rng.randrange(4):
        case 0:
            return rng.choice(ODD)
        case 1:
            return rng.choice(GOOD[rng.choice(sorted(GOOD))])  # another key's good value
        case _:
            return rng.choice(GOOD[key])


@dataclass
class Report:
    """What came of it. Times are of this machine; systemd adds two seconds to each start."""

    configs: int = 0
    values: int = 0
    values_good: int = 0
    starts: int = 0
    damaged: int = 0
    failed_starts: int = 0
    replays: int = 0
    applied_bad: int = 0
    good_lost: int = 0
    not_restored: int = 0
    replays_applied: int = 0
    restore_s_max: float = 0.0
    starts_until_back_max: int = 0
    seconds: float = 0.0
    seed: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        bad = self.applied_bad, self.good_lost, self.not_restored, self.replays_applied
        return self.configs > 0 and not any(bad)


class Bench:
    """One kiosk: both processes' parts, on one disk."""

    def __init__(self, root: Path) -> None:
        made = make_site(root / "site", [KIOSK, "k-002"])
        self.site = load(made.kiosk(KIOSK) / "site.toml")
        self.registry = keys.signing_key((made.registry / "sign.key").read_text())
        self.database = Database(self.site.database)
        self.times = SystemTime()
        self.keyring = Keyring.load(self.site)
        self.files = AcceptedFiles(self.site.database.parent)
        self.later_s = 0.0
        self.version = 1_000
        self.start()

    def start(self) -> Config:
        """Both processes anew; raises whatever a start raises."""
        self.kiosk = KioskSettings(self.site, lambda: MonoNs(mono_ns() + self._later_ns()))
        self.kiosk.wishes = SignedWishes(WishBox(self.database), self.keyring.wish)
        config = self.kiosk.start()
        of_site = {key: value_of(self.site, key) for key in SETTINGS if SETTINGS[key].cuts_off}
        link = LinkTrial(LinkFile(self.site.database.parent), of_site, self.times)
        box = WishBox(self.database)
        describe = describer(self.site)
        self.keeper = SettingsKeeper(box, self.files, link, self.times, describe, "fuzz")
        outbox, inbox = SqliteOutbox(self.database, self.times), Inbox(self.database)
        public = self.registry.public_key()
        self.receiver = Receiver(KIOSK, public, outbox, inbox, None, self.keeper)
        starts_up(config)
        return config

    def _later_ns(self) -> int:
        return int(self.later_s * NS_PER_S)

    def message(self, wish: object, **changes: Any) -> Incoming:
        """A wish as the registry sends it; `changes` are of the version, recipient or key."""
        version = changes.get("version", self.version)
        recipient = changes.get("recipient", KIOSK)
        body = json.dumps({"version": version, "values": wish}).encode()
        header = Header(messages.DESIRED, f"desired-{version}", messages.REGISTRY, recipient)
        payload = sign(header, body, changes.get("key", self.registry))
        return Incoming(topics.topic(KIOSK, topics.DESIRED), payload)

    def proved(self) -> None:
        self.later_s += PROVED_S
        self.kiosk.prove()

    def close(self) -> None:
        self.database.close()


def starts_up(config: Config) -> None:
    """Everything of a start that a setting could break, short of opening devices."""
    facts = facts_of(config, Provenance.SIMULATED)
    context_maker(config, facts, Keyring.load(config))(SystemTime().now(), mono_ns())
    receipt_maker(config)
    settings = sync_process.settings(config, "fuzz")
    sync_process._endpoint(settings)


def in_force(bench: Bench) -> dict[str, object]:
    return dict(bench.files.load().values)


def one_round(bench: Bench, number: int, rng: random.Random, report: Report) -> None:
    wish = mutated(rng)
    good = {key: v for key, v in wish.items() if key in ALLOWED and ALLOWED[key](v)}
    report.configs += 1
    report.values += len(wish)
    report.values_good += len(good)
    bench.version += rng.randint(1, 3)
    bench.receiver.take(bench.message(wish))
    bench.later_s += REST_S
    if bench.kiosk.take_in():
        report.starts += 1
        bench.start()
    _judge(bench, wish, good, report)
    if number % FAIL_EVERY == 0:
        _come_down(bench, report)
    bench.proved()
    if number % DAMAGE_EVERY == 0:
        _damage(bench, rng, report)
    if number % REPLAY_EVERY == 0:
        _replay(bench, rng, report)


def _judge(bench: Bench, wish: object, good: Mapping[str, object], report: Report) -> None:
    found = in_force(bench)
    bad = [key for key, value in found.items() if not (key in ALLOWED and ALLOWED[key](value))]
    report.applied_bad += len(bad)
    report.good_lost += sum(1 for key, value in good.items() if found.get(key) != value)
    if bad:
        report.notes.append(f"applied {bad} of {wish!r}"[:300])
    bench.keeper.turn()


def _come_down(bench: Bench, report: Report) -> None:
    """The kiosk fails with its newest settings, start after start."""
    accepted = bench.files.load()
    if accepted.proven:
        return
    report.failed_starts += 1
    last_good = dict(bench.files.last_good().values)
    began_s = time.monotonic()
    starts = 0
    while not bench.files.load().rolled_back and starts <= MAX_STARTS:
        bench.start()
        starts += 1
    _count_restored(bench, last_good, began_s, starts, report)


def _damage(bench: Bench, rng: random.Random, report: Report) -> None:
    """What is on the disk is spoilt while the kiosk is off."""
    report.damaged += 1
    last_good = dict(bench.files.last_good().values)
    expected = in_force(bench)
    path = bench.site.database.parent / "settings.json"
    data = bytearray(path.read_bytes())
    match rng.randrange(4):
        case 0:
            data = data[: rng.randrange(len(data))]
        case 1:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 2:
            data = bytearray(len(data))
        case _:
            data = bytearray(rng.randbytes(200))
    path.write_bytes(data)
    began_s = time.monotonic()
    bench.start()
    _count_restored(bench, last_good, began_s, 1, report)
    bench.later_s += REST_S
    bench.kiosk.take_in()
    bench.proved()
    report.not_restored += in_force(bench) != expected


def _count_restored(
    bench: Bench, last_good: object, began_s: float, starts: int, report: Report
) -> None:
    report.not_restored += in_force(bench) != last_good
    report.restore_s_max = max(report.restore_s_max, round(time.monotonic() - began_s, 3))
    report.starts_until_back_max = max(report.starts_until_back_max, starts)


def _replay(bench: Bench, rng: random.Random, report: Report) -> None:
    """Old, forged, or meant for another kiosk: nothing may come of it."""
    report.replays += 1
    before = in_force(bench)
    wish = {"tries": 1 if before.get("tries") != 1 else 2}
    for odd in (
        bench.message(wish),
        bench.message(wish, version=rng.randint(1, bench.version)),
        bench.message(wish, version=bench.version + 5, recipient="k-002"),
        bench.message(wish, version=bench.version + 5, key=Ed25519PrivateKey.generate()),
        bench.message(wish, version=-5),
        bench.message(wish, version=10**400),
        bench.message([["tries", 1]], version=bench.version + 5),
    ):
        bench.receiver.take(odd)
        bench.kiosk.take_in()
    report.replays_applied += in_force(bench) != before


@contextmanager
def _quiet() -> Iterator[None]:
    """Each refusal and each damage is a log line, as it should be; here there are thousands."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def run(configs: int, seed: int, root: Path, *, shown: bool = False) -> Report:
    report, rng, began_s = Report(seed=seed), random.Random(seed), time.monotonic()
    rounds = range(1, configs + 1)
    with _quiet(), closing(Bench(root)) as bench:
        for number in track(rounds, "wishes") if shown else rounds:
            one_round(bench, number, rng, report)
    report.seconds = round(time.monotonic() - began_s, 1)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--configs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz/settings.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(options.configs, options.seed, Path(folder), shown=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    plain = asdict(report) | {"ok": report.ok}
    options.out.write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(plain, indent=2, ensure_ascii=False))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
