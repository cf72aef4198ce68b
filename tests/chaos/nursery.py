"""Processes of the product, born quickly: everything is imported once, then forked.

    python -m tests.chaos.nursery CONFIG        one order per line on stdin, news on stdout

    {"process": "sync", "site": …, "point": …, "victim": …, "log": …}   ->  {"born": pid}
    {"kill": pid}                                                           ->  {"killed": pid}
                                                    when one ends ->  {"dead": pid, "code": …}

The next order may be given when the one before it was answered.
Each child is a process of its own with its own sockets and files and is killed like any
other; only the second it takes Python to import everything is saved. Pauses before a
record is sent again, or a connection tried again, are shortened (`SHORT_S`), so that a
campaign of hundreds of kills ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.app import logs, sync_process
from edge.app.config import load
from edge.drivers.sim.scenario import WISHES
from edge.session.events import Event
from edge.session.machine import Transition
from edge.session.states import Finished
from edge.sync import mqtt_link, publisher, service
from tests.chaos import disk
from tests.chaos.kiosk import QuickKiosk
from tests.chaos.points import POINTS, arm

SHORT_S = 0.3
TICK_S = 0.1
_PR_SET_PDEATHSIG = 1


def main(config: str) -> int:
    from cloud_bridge import cli

    cli._set_up_django(Path(config))
    from cloud_bridge.bridge import ingest, worker  # noqa: F401  so that no child has to

    children: set[int] = set()
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], 0.01)
        if readable and not _obey(sys.stdin.readline(), config, children):
            return 0
        for pid in sorted(children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                children.discard(pid)
                _tell(dead=pid, code=os.waitstatus_to_exitcode(status))


def _obey(line: str, config: str, children: set[int]) -> bool:
    if not line:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return False
    order = json.loads(line)
    if "kill" in order:
        if order["kill"] in children:
            os.kill(order["kill"], signal.SIGKILL)
        _tell(killed=order["kill"])
        return True
    pid = os.fork()
    if pid == 0:
        _live(order, config)
    children.add(pid)
    _tell(born=pid)
    return True


def _tell(**news: Any) -> None:
    print(json.dumps(news), flush=True)


def _live(order: dict[str, Any], config: str) -> None:
    """A child's whole life; never returns."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(log, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        with ExitStack() as stack:
            _prepare(order, stack)
            code = {"kiosk": _kiosk, "sync": _sync, "bridge": _bridge}[order["process"]](
                order, config
            )
    except BaseException as error:  # noqa: BLE001  a child must not fall back into its parent
        print(f"child ended: {type(error).__name__}: {error}", flush=True)
    finally:
        os._exit(code)


def _prepare(order: dict[str, Any], stack: ExitStack) -> None:
    short = publisher.Pace(resend_s=SHORT_S, resend_max_s=2 * SHORT_S)
    service.TICK_S = TICK_S
    service.Pace = lambda: short  # type: ignore[assignment,misc]
    mqtt_link.backoff_s = lambda failures, spread: SHORT_S * spread  # type: ignore[assignment]
    import cloud_bridge.bridge.mqtt_link as centre

    centre.FIRST_BACKOFF_S = centre.LAST_BACKOFF_S = SHORT_S
    if order["point"]:
        point = POINTS[order["point"]]
        if isinstance(point.when, int):
            stack.enter_context(disk.recorded(Path(order["folder"]))).events = None
        arm(point, order["victim"] or os.getpid(), order["folder"])


def _kiosk(order: dict[str, Any], _config: str) -> int:
    """One visit, for as long as it lives."""
    logs.setup()
    config = replace(load(Path(order["site"])), models="unused")
    told = open(order["told"], "a", encoding="ascii")  # noqa: SIM115  closed by its death

    def tell(_event: Event | None, transition: Transition) -> None:
        state = transition.session.state
        if isinstance(state, Finished):
            told.write(f"{state.record.record_id}\n")
            told.flush()

    kiosk = QuickKiosk(config, observe=tell)
    kiosk.runner.start()
    return 0 if kiosk.visit(WISHES) else 1  # and no tidying up: it ends like a killed one


def _sync(order: dict[str, Any], _config: str) -> int:
    logs.setup()
    return sync_process.main(sync_process.settings(load(Path(order["site"])), "chaos"))


def _bridge(_order: dict[str, Any], config: str) -> int:
    from cloud_bridge import cli

    return cli.main(["--config", config, "bridge"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
