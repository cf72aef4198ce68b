"""One headless visit of somebody whose every detail is a canary, as a process of its own.

    canary_visit.py SITE_FILE MODELS SCENARIO --secrets FILE --reprs FILE [--break …] [--leak]

`--reprs`: what Python says of every event and state on the way; searched like everything
else. `--secrets`: face data made on the way, for the searcher's eyes only. `--break`: something
fails with a message full of canaries. `--leak`: records go out unsealed, to see the search
find them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from cloud_bridge.registry import id_number
from edge.app import logs, sealing
from edge.app.config import load
from edge.drivers.idcard_serial import SerialCardReader
from edge.drivers.printer_escpos import EscposPrinter
from edge.drivers.sim.scenario import SCENARIOS, Scenario
from edge.models.embedding import Embedder
from edge.session.events import Event
from edge.session.machine import Transition
from tests.headless import HeadlessKiosk

NAME = "欧阳蔚澜"
BIRTH = date(1941, 3, 7)
NUMBER = id_number.make("100000", BIRTH, 571)
ADDRESS = "金盏花测试里弄七十三号甲"

VISIT_S = 90.0
MOST = 8
"""Pieces of one kind from one visit; more only make the search slow."""


class Secrets:
    """Face data as hex, one list for each kind."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {"template": [], "portrait": [], "photo_block": []}

    def listen(self) -> None:
        """Keep a copy of every embedding and of the portrait that the person is shown."""
        embed = Embedder.embed_chip

        def embed_chip(embedder: Embedder, chip: Any) -> Any:
            made = embed(embedder, chip)
            for kind in ("float32", "float64"):
                self.keep("template", made.astype(kind).tobytes())
            return made

        Embedder.embed_chip = embed_chip  # type: ignore[method-assign]

    def keep(self, kind: str, data: bytes) -> None:
        if len(self.found[kind]) < MOST:
            self.found[kind].append(data.hex())


class Canary(HeadlessKiosk):
    """The card is the canary's; the face on it stays the simulated resident's."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        card = replace(
            self.world.card, name=NAME, number=NUMBER, birth=BIRTH, address=ADDRESS,
            new_address=ADDRESS,
        )  # fmt: skip
        self.world = replace(self.world, card=card)
        self.over = threading.Event()


def main() -> int:
    told = _arguments()
    logs.setup()
    sys.excepthook, threading.excepthook = logs.uncaught, logs.uncaught_in_thread
    if told.breaks:
        _BREAKS[told.breaks]()
    if told.leak:
        sealing.seal = lambda plain, _header, _key: plain  # type: ignore[assignment]
    secrets = Secrets()
    secrets.listen()
    config = replace(load(told.site), models=told.models)
    with told.reprs.open("a", encoding="utf-8") as reprs:
        _play(config, SCENARIOS[told.scenario], _observer(reprs.write), secrets)
    told.secrets.write_text(json.dumps(secrets.found))
    if told.breaks == "main":
        _fail()
    return 0


def _observer(write: Callable[[str], Any]) -> Callable[..., None]:
    def observe(event: Event | None, transition: Transition) -> None:
        write(f"{event!r}\n{transition!r}\n")

    return observe


def _play(config: Any, scenario: Scenario, observe: Any, secrets: Secrets) -> None:
    with Canary(config, scenario, observe) as kiosk:
        secrets.keep("photo_block", kiosk.world.card.photo_block)
        watcher = threading.Thread(target=_copy_portrait, args=(kiosk, secrets), name="copier")
        watcher.start()
        with contextlib.suppress(AssertionError):  # broken visits may stand still
            kiosk.play(VISIT_S)
        kiosk.over.set()
        watcher.join()


def _copy_portrait(kiosk: Canary, secrets: Secrets) -> None:
    """The picture that the person is shown before 提交, while it is there."""
    while not kiosk.over.wait(0.02):
        portrait = kiosk.runner.portrait()
        if portrait is not None:
            secrets.keep("portrait", bytes(portrait.rgb))
            return


def _fail(*_: object) -> None:
    raise RuntimeError(f"{NAME} {NUMBER} {ADDRESS}")


_BREAKS: dict[str, Callable[[], None]] = {
    "reader": lambda: setattr(SerialCardReader, "wait_for_removal", _fail),
    "printer": lambda: setattr(EscposPrinter, "print_receipt", _fail),
    "main": lambda: None,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("site", type=Path)
    parser.add_argument("models")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--secrets", type=Path, required=True)
    parser.add_argument("--reprs", type=Path, required=True)
    parser.add_argument("--break", dest="breaks", choices=_BREAKS)
    parser.add_argument("--leak", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
