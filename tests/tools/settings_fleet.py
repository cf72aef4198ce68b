"""One change of settings for a whole fleet: the real bridge, and every kiosk's real keepers.

    python -m tests.tools.settings_fleet [--kiosks 10000] [--seed 1] [--out FILE]

The change is made by the real command line, a process of its own. The broker is a dictionary of
retained messages; all kiosks and the bridge share one thread. Times are from the beginning of the
command, on this machine doing everybody's work. Four fifths of the kiosks are online. A
second change is made when the first has arrived; kiosks that were away come back in between and
afterwards, and the broker also repeats old messages to them. Exit code 1 unless every kiosk ends
with the second change and none ever went back to a lower version.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from edge.app.config import Config, load, value_of
from edge.app.layers import describer
from edge.app.sealing import Keyring
from edge.app.settings import KioskSettings, SignedWishes
from edge.domain.settings import SETTINGS
from edge.domain.timebase import CHINA, MonoNs
from edge.ports import Incoming
from edge.store.settings_files import AcceptedFiles, LinkFile
from edge.sync.receiver import Receiver
from edge.sync.settings import LinkTrial, SettingsKeeper
from edge.wire import topics
from provisioning.site import make_site
from tests.helpers_sync import HandTurnedTime

if TYPE_CHECKING:
    from tests.fixtures_cloud import TestRegistry

AWAY = 0.2
REPEATED = 0.1
LOOK_S = 0.5


@dataclass
class Report:
    kiosks: int
    seed: int
    command_s: float = 0.0
    online: int = 0
    online_95_s: float = 0.0
    online_all_s: float = 0.0
    fleet_all_s: float = 0.0
    converged: int = 0
    repeated: int = 0
    lower_applied: int = 0

    @property
    def ok(self) -> bool:
        return self.converged == self.kiosks and not self.lower_applied


class MemoryBox:
    """`edge.store.wishes.WishBox` without a disk."""

    def __init__(self) -> None:
        self._version, self._newest = 0, b""

    def put(self, version: int, payload: bytes) -> bool:
        if version <= self._version:
            return False
        self._version, self._newest = version, payload
        return True

    def seen(self) -> int:
        return self._version

    def newest(self) -> tuple[str, bytes] | None:
        return (str(self._version), self._newest) if self._newest else None


class Kiosk:
    """Both processes' keepers of one kiosk; what it says goes to `up`."""

    def __init__(
        self, kiosk_id: str, site: Config, keyring: Keyring, up: Callable[[bytes], None]
    ) -> None:
        self._times, box = HandTurnedTime(), MemoryBox()
        folder = site.database.parent
        folder.mkdir(parents=True)
        of_site = {key: value_of(site, key) for key in SETTINGS if SETTINGS[key].cuts_off}
        link = LinkTrial(LinkFile(folder), of_site, self._times)
        self._files = AcceptedFiles(folder)
        self._keeper = SettingsKeeper(box, self._files, link, self._times, describer(site), "fleet")
        nothing: Any = None
        self._receiver = Receiver(
            kiosk_id, keyring.registry_sign, nothing, nothing, None, self._keeper
        )
        self.settings = KioskSettings(site, lambda: MonoNs(0))
        self.settings.wishes = SignedWishes(box, replace(keyring, kiosk_id=kiosk_id).wish)
        self.settings.start()
        self._up = up
        self._told = b""
        self.versions: list[int] = []
        self.online = True

    def hear(self, topic: str, payload: bytes) -> None:
        self._receiver.take(Incoming(topic, payload))
        self.settings.take_in()
        self._times.boot_s += 1.5
        self._keeper.turn()
        self.versions.append(self._files.load().version)
        if self._keeper.report != self._told:
            self._told = self._keeper.report
            self._up(self._told)


class Fleet:
    """The broker and everybody at it; is the bridge's link."""

    def __init__(self, registry: TestRegistry, root: Path, report: Report) -> None:
        from cloud_bridge.registry import keyring

        self.report, self._rng = report, random.Random(report.seed)
        self.connected = True
        self._retained: dict[str, bytes] = {}
        self._old: dict[str, bytes] = {}
        self._up: deque[Any] = deque()
        made = make_site(root / "site", ["k-0"])
        (made.kiosk("k-0") / "registry-sign.pub").write_bytes(_public(keyring.sign_key()))
        site = load(made.kiosk("k-0") / "site.toml")
        keys = Keyring.load(site)
        self.kiosks: dict[str, Kiosk] = {}
        for number in range(report.kiosks):
            kiosk_id = f"f-{number:05d}"
            own = replace(site, data=str(root / "data" / kiosk_id))
            self.kiosks[kiosk_id] = Kiosk(kiosk_id, own, keys, self._uplink(kiosk_id))
        _add_devices(registry, list(self.kiosks))

    def _uplink(self, kiosk_id: str) -> Callable[[bytes], None]:
        from cloud_bridge.bridge.mqtt_link import Incoming as Arrived

        topic = topics.topic(kiosk_id, topics.REPORTED)

        def say(payload: bytes) -> None:
            self._up.append(Arrived(topic, payload, (1, 1, 1)))

        return say

    # --- the bridge's link

    def lead(self, leading: bool) -> None: ...

    def poll(self, timeout_s: float, limit: int) -> list[Any]:
        return [self._up.popleft() for _ in range(min(limit, len(self._up)))]

    def done(self, message: object) -> None: ...

    def tell(self, topic: str, payload: bytes, expires_s: int, correlation: bytes = b"") -> None:
        """A fleet in which nobody moves to another broker asks nothing."""

    def close(self) -> None: ...

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Any:
        from cloud_bridge.bridge.mqtt_link import Published

        kiosk_id, leaf = topics.split(topic)
        if leaf == topics.DESIRED and kiosk_id in self.kiosks:
            self._old.setdefault(kiosk_id, payload)
            self._retained[kiosk_id] = payload
            self._deliver(kiosk_id)
        return Published(arrived=lambda: True, lost=lambda: False)

    # --- what happens to kiosks

    def _deliver(self, kiosk_id: str) -> None:
        kiosk = self.kiosks[kiosk_id]
        if not kiosk.online or kiosk_id not in self._retained:
            return
        topic = topics.topic(kiosk_id, topics.DESIRED)
        kiosk.hear(topic, self._retained[kiosk_id])
        if self._rng.random() < REPEATED:
            self.report.repeated += 1
            kiosk.hear(topic, self._old[kiosk_id])

    def take_away(self) -> None:
        for kiosk in self.kiosks.values():
            kiosk.online = self._rng.random() >= AWAY

    def bring_back(self, share: float) -> None:
        for kiosk_id, kiosk in self.kiosks.items():
            if not kiosk.online and self._rng.random() < share:
                kiosk.online = True
                self._deliver(kiosk_id)


def _public(key: Any) -> bytes:
    from edge.wire import keys

    return keys.encode_key(key.public_key().public_bytes_raw()).encode()


def _add_devices(registry: TestRegistry, kiosk_ids: list[str]) -> None:
    """Rows only: no rosters and no badges are due for them."""
    from cloud_bridge.registry.models import Device, Site

    registry.kiosk("k-first")
    site = Site.objects.get(devices__kiosk_id="k-first")
    day = datetime.now(CHINA).date()
    done = {"roster_day": day, "staff_day": day, "roster_due": False, "staff_due": False}
    rows = [
        Device(
            kiosk_id=kiosk_id, site=site, sign_pub="", open_pub="", card_secret_sealed=b"", **done
        )
        for kiosk_id in kiosk_ids
    ]
    Device.objects.bulk_create(rows)
    Device.objects.update(**done)


class Campaign:
    def __init__(self, registry: TestRegistry, fleet: Fleet, config: Path) -> None:
        from cloud_bridge.bridge.worker import Clock, Worker
        from cloud_bridge.registry import keyring

        self._fleet, self._config = fleet, config
        self._stop = threading.Event()
        clock = Clock(now=lambda: datetime.now(UTC), mono_s=time.monotonic)
        self._worker = Worker(fleet, registry.ingest, registry.vault, keyring.sign_key(), clock)

    def change(self, tries: int) -> int:
        """By the command line, for all; returns a number that no new version is below."""
        above = self._newest_version()
        command = [sys.executable, "-m", "cloud_bridge", "--config", str(self._config), "settings"]
        self._writing = subprocess.Popen(
            [*command, "set", "--all", f"tries={tries}"], stdout=subprocess.DEVNULL
        )
        self._began_s = time.monotonic()
        return above + 1

    def _command_is_done(self) -> bool:
        code = self._writing.poll()
        if code == 0 and not self._fleet.report.command_s:
            self._fleet.report.command_s = round(time.monotonic() - self._began_s, 1)
        assert not code
        return code == 0

    @staticmethod
    def _newest_version() -> int:
        from django.db.models import Max

        from cloud_bridge.registry.models import SettingsVersion

        return SettingsVersion.objects.aggregate(newest=Max("version"))["newest"] or 0

    def until(self, version: int, needed: int) -> None:
        """Until the registry has so many kiosks' word that they have this version."""
        looked_s = 0.0
        while True:
            self._worker.turn(self._stop)
            if time.monotonic() - looked_s >= LOOK_S:
                looked_s = time.monotonic()
                done = self._command_is_done()
                if self._told(version) >= needed and (done or needed < self._fleet.report.online):
                    return

    @staticmethod
    def _told(version: int) -> int:
        from cloud_bridge.registry.models import KioskSettings

        found: int = KioskSettings.objects.filter(report__applied__gte=version).count()
        return found


def run(registry: TestRegistry, kiosks: int, seed: int, root: Path, config: Path) -> Report:
    report = Report(kiosks, seed)
    logging.disable(logging.CRITICAL)  # a line for each kiosk, twice
    try:
        fleet = Fleet(registry, root, report)
        campaign = Campaign(registry, fleet, config)
        fleet.take_away()
        report.online = sum(kiosk.online for kiosk in fleet.kiosks.values())
        began_s = time.monotonic()
        first = campaign.change(2)
        campaign.until(first, int(report.online * 0.95))
        report.online_95_s = round(time.monotonic() - began_s, 1)
        campaign.until(first, report.online)
        report.online_all_s = round(time.monotonic() - began_s, 1)
        fleet.bring_back(0.5)
        began_s = time.monotonic()
        second = campaign.change(4)
        fleet.bring_back(1.0)
        campaign.until(second, kiosks)
        report.fleet_all_s = round(time.monotonic() - began_s, 1)
    finally:
        logging.disable(logging.NOTSET)
    for kiosk in fleet.kiosks.values():
        report.converged += kiosk.settings.policy().tries == 4
        report.lower_applied += kiosk.versions != sorted(kiosk.versions)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description="One change of settings for a whole fleet.")
    parser.add_argument("--kiosks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz/settings-fleet.json"))
    options = parser.parse_args()
    from tests import fixtures_cloud

    fixtures_cloud._HOME.append(fixtures_cloud._set_up_django())
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        Progress() as progress,
    ):
        progress.add_task(f"{options.kiosks} kiosks", total=None)
        registry = fixtures_cloud.TestRegistry(Path(folder))
        registry.fill()
        report = run(registry, options.kiosks, options.seed, Path(folder), registry.config)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    plain = asdict(report) | {"ok": report.ok}
    options.out.write_text(json.dumps(plain, indent=2) + "\n")
    print(json.dumps(plain, indent=2))
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
