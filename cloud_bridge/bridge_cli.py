"""`bridge`: one worker, or several that share the kiosks' records and are kept running."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.domain.errors import ConfigError

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

MAX_WORKERS = 8
STOP_S = 10.0
WATCH_S = 0.2
FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 30.0
STEADY_S = 60.0
"""Whoever ran this long is started again at once."""


def add_parser(commands: _Commands) -> None:
    words = "file records and send rosters until SIGTERM"
    parser = commands.add_parser("bridge", help=words, description=words)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--workers", type=_number, default=1, metavar="N",
        help="processes that share the records, started again when they end (default: 1)",
    )  # fmt: skip
    which.add_argument(
        "--worker", type=_number, metavar="K",
        help="be the K-th of several that are started one by one, with certificate bridge-K.crt",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"1 to {MAX_WORKERS}")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.workers > 1:
        return _keep_running(options, stop)
    return _work(options.worker or 1, stop)


def _work(number: int, stop: threading.Event) -> int:
    from datetime import UTC, datetime

    from django.conf import settings

    from cloud_bridge.bridge.ingest import Ingest
    from cloud_bridge.bridge.mqtt_link import MqttLink
    from cloud_bridge.bridge.worker import Clock, Worker
    from cloud_bridge.registry import keyring

    broker = settings.REGISTRY.broker.of_worker(number)
    if not broker.cert.exists():
        why = "missing; `python -m provisioning site` makes what it finds missing"
        raise ConfigError(str(broker.cert), why)
    name = "bridge" if number == 1 else f"bridge-{number}"
    vault = keyring.vault()
    clock = Clock(now=lambda: datetime.now(UTC), mono_s=time.monotonic)
    ingest = Ingest(keyring.seal_key(), vault)
    link = MqttLink(broker, vault.broker_group, name)
    tree = settings.REGISTRY.fleet.tree
    Worker(link, ingest, vault, keyring.sign_key(), clock, name, tree).run(stop)
    return 0


@dataclass(slots=True)
class _Child:
    """One worker's process, and when to start the next."""

    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    wait_until_s: float = field(default=0.0)

    def watch(self, now_s: float) -> None:
        if self.process is not None and self.process.poll() is not None:
            self._ended(now_s, self.process.returncode)
        if self.process is None and now_s >= self.wait_until_s:
            self.process = subprocess.Popen(self.command, preexec_fn=_end_with_parent)
            self.started_s = now_s

    def _ended(self, now_s: float, code: int) -> None:
        steady = now_s - self.started_s >= STEADY_S
        self.pause_s = FIRST_PAUSE_S if steady else min(self.pause_s * 2, LAST_PAUSE_S)
        self.wait_until_s = now_s + (0.0 if code < 0 else self.pause_s)
        self.process = None
        print(f"cloud_bridge: worker ended with {code}", file=sys.stderr)

    def end(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _keep_running(options: argparse.Namespace, stop: threading.Event) -> int:
    line = [sys.executable, "-m", "cloud_bridge", "--config", str(options.config), "bridge"]
    children = [
        _Child([*line, "--worker", str(number)]) for number in range(1, options.workers + 1)
    ]
    while not stop.wait(WATCH_S):
        for child in children:
            child.watch(time.monotonic())
    for child in children:
        if child.process is not None:
            child.process.terminate()
    for child in children:
        child.end()
    return 0


def _end_with_parent() -> None:
    """In the new process: should this one be killed, they must not go on unwatched."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() == 1:
        os.kill(os.getpid(), signal.SIGTERM)
