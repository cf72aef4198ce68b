"""The real bridge with a worse network: `--settings` names a port and faults of the link.

    bridge_child.py --config registry.toml --settings '{"port": 1234, "faults": {"drop": 0.1}}'

Everything but the way to the broker is what `python -m cloud_bridge bridge` runs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import replace
from typing import Any

import cloud_bridge.bridge.mqtt_link as real
from cloud_bridge import cli
from cloud_bridge.bridge.mqtt_link import Incoming, Published
from cloud_bridge.config import Broker

SETTINGS: dict[str, Any] = {}


class WorseLink(real.MqttLink):
    """Messages vanish, come twice and come late; connecting again is quick."""

    def __init__(self, broker: Broker, group: str, client_id: str = "bridge") -> None:
        faults = SETTINGS["faults"]
        self._chance = random.Random(faults.get("seed", 0))
        self._faults = faults
        self._late: list[Incoming] = []
        super().__init__(replace(broker, port=SETTINGS["port"] or broker.port), group, client_id)

    def poll(self, timeout_s: float, limit: int) -> list[Incoming]:
        late, self._late = self._late, []
        kept = late
        for message in super().poll(timeout_s, limit):
            if self._happens("drop"):
                self.done(message)  # the broker forgets it, and nobody has filed it
            elif self._happens("delay"):
                self._late.append(message)
            else:
                kept += [message] * (2 if self._happens("duplicate") else 1)
        if self._happens("reorder"):
            self._chance.shuffle(kept)
        return kept

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> Published | None:
        if self._happens("drop"):
            return Published(arrived=lambda: True, lost=lambda: False)
        if self._happens("duplicate"):
            super().publish(topic, payload, retain=retain)
        return super().publish(topic, payload, retain=retain)

    def _happens(self, name: str) -> bool:
        chance: float = self._faults.get(name, 0.0)
        return bool(chance) and self._chance.random() < chance


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    told = parser.parse_args()
    SETTINGS.update(told.settings)
    real.LAST_BACKOFF_S = 0.5
    cli_link = real.MqttLink
    real.MqttLink = WorseLink  # type: ignore[misc]
    try:
        return cli.main(["--config", told.config, "bridge"])
    finally:
        real.MqttLink = cli_link  # type: ignore[misc]


if __name__ == "__main__":
    sys.exit(main())
