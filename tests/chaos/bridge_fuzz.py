"""The real worker of the bridge, fed by hand: hostile messages by the ten thousand.

    bridge_fuzz.py --config registry.toml --kiosks SITE/kiosks --count 100000 --seed 1

Prints a line of JSON now and then (`{"done": n}`), and at last what was found. The clock is
turned by hand, so that the throttle lets everything through; in the second part it stands.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

BATCH = 50
FLOOD = 3000
HONEST, HOSTILE = "k-001", "k-002"


class HandFed:
    """A `Link` of the worker: what is laid in comes out, what is sent goes nowhere."""

    connected = True

    def __init__(self) -> None:
        self.coming: deque[Any] = deque()

    def lead(self, _leading: bool) -> None: ...

    def poll(self, _timeout_s: float, limit: int) -> list[Any]:
        return [self.coming.popleft() for _ in range(min(limit, len(self.coming)))]

    def done(self, message: Any) -> None: ...

    def publish(self, _topic: str, _payload: bytes, *, retain: bool = False) -> Any:
        from cloud_bridge.bridge.mqtt_link import Published

        return Published(arrived=lambda: True, lost=lambda: False)

    def tell(self, *_what: Any) -> None: ...

    def close(self) -> None: ...


class Bench:
    """One worker on a clock that is turned by hand."""

    def __init__(self) -> None:
        from cloud_bridge.bridge.ingest import Ingest
        from cloud_bridge.bridge.worker import Clock, Worker
        from cloud_bridge.registry import keyring

        self.now_s = 1000.0
        self.link = HandFed()
        self.errors: Counter[str] = Counter()
        vault = keyring.vault()
        ingest = Ingest(keyring.seal_key(), vault)
        clock = Clock(now=lambda: datetime.now(UTC), mono_s=lambda: self.now_s)
        self._make: Callable[[], Worker] = lambda: Worker(
            self.link, ingest, vault, keyring.sign_key(), clock
        )
        self._worker = self._make()
        self._stop = threading.Event()

    def turn(self) -> None:
        try:
            self._worker.turn(self._stop)
        except Exception as error:  # noqa: BLE001  each would have ended the bridge
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.errors[f"{type(error).__name__} at {Path(where.filename).name}:{where.name}"] += 1
            self.link.coming.clear()
            self._worker = self._make()


def main() -> None:
    told = _arguments()
    _set_up_django(told.config)
    logging.disable(logging.CRITICAL)  # every message refused has a line
    from tests.chaos import hostile, samples
    from tests.chaos.ends import keys_of

    chance = random.Random(told.seed)
    honest, enemy = (keys_of(told.kiosks / name, name) for name in (HONEST, HOSTILE))
    party = hostile.Party(HOSTILE, "registry", enemy.sign_key, enemy.registry_seal)
    kinds = samples.up(enemy)
    forge = hostile.Forge(kinds, party, chance)
    bench = Bench()
    sent = _feed(bench, forge, honest, chance, told.count)
    flood = _flood(bench, forge, honest)
    print(json.dumps({
        "messages": told.count + FLOOD,
        "by_way": forge.made,
        "kinds_without_sample": hostile.missing_kinds(kinds, up=True),
        "errors": dict(bench.errors),
        "honest_sent": sent + flood["honest_sent"],
        "honest_filed": _filed_of(HONEST),
        "flood": flood,
    }))  # fmt: skip


def _feed(bench: Bench, forge: Any, honest: Any, chance: random.Random, count: int) -> int:
    """Batches of hostile messages, one honest record in each; time enough in between."""
    sent = 0
    for start in range(0, count, BATCH - 1):
        bench.link.coming += _messages(forge, min(BATCH - 1, count - start), chance)
        bench.link.coming.append(_message(HONEST, "up/rec", honest.record(provenance="simulated")))
        sent += 1
        bench.now_s += 200.0
        bench.turn()
        print(json.dumps({"done": min(BATCH - 1, count - start)}), flush=True)
    return sent


def _flood(bench: Bench, forge: Any, honest: Any) -> dict[str, int]:
    """The same at the speed of a flood: the clock hardly moves."""
    chance, sent = random.Random(1), 0
    for _ in range(0, FLOOD, BATCH - 1):
        bench.link.coming += _messages(forge, BATCH - 1, chance, kiosk=HOSTILE)
        bench.link.coming.append(_message(HONEST, "up/rec", honest.record(provenance="simulated")))
        sent += 1
        bench.now_s += 0.5
        bench.turn()
    bench.now_s += 60.0
    bench.turn()
    return {"messages": FLOOD, "honest_sent": sent, "dropped": _dropped(HOSTILE)}


def _messages(forge: Any, count: int, chance: random.Random, kiosk: str = "") -> list[Any]:
    places = (HOSTILE,) * 8 + ("k-999", "", HONEST.upper(), "\0")
    return [
        _message(kiosk or chance.choice(places), leaf, payload)
        for leaf, payload in islice(forge, count)
    ]


def _message(kiosk: str, leaf: str, payload: bytes) -> Any:
    from cloud_bridge.bridge.mqtt_link import Incoming

    return Incoming(f"jz/v1/d/{kiosk}/{leaf}", payload, (0, 0, 0))


def _filed_of(kiosk: str) -> int:
    from cloud_bridge.registry.models import Rehearsal

    return int(Rehearsal.objects.filter(device_id=kiosk).count())


def _dropped(kiosk: str) -> int:
    from cloud_bridge.registry.models import Device

    return int(Device.objects.get(pk=kiosk).throttled)


def _set_up_django(config: Path) -> None:
    os.environ["CLOUD_BRIDGE_CONFIG"] = str(config)
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django

    django.setup()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--kiosks", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
