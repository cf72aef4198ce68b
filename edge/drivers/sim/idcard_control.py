"""Working a simulated card reader from outside while a kiosk or another client uses it.

`python -m edge.drivers.sim.idcard_control` starts a reader and prints two addresses: the
port a driver opens, and a TCP port on this machine for orders. An order is one line
of JSON with `do`, an answer is one line with `ok`; what cannot be done is answered
with `ok: false` and `why`. Several people may be connected, their orders are done
in turn.

==============================================  ============================================
order                                           what it does
==============================================  ============================================
{"do": "cards"}                                 names the cards there are
{"do": "present", "card": "resident"}           lays one down (a name, or its number from 0)
{"do": "lift"}                                  takes it away
{"do": "faults"}                                names the faults there are
{"do": "fault", "name": "late", "value": 2,     goes wrong so many times (null: until
"on": "3001", "times": 1}                       cleared), on one command only or, "", on all
{"do": "clear"}                                 ends all faults
{"do": "profile", "is": "b"}                    what FIND says after a good read
{"do": "out_of_turn", "sw3": 52}                what READ says without SELECT
{"do": "unplug"}, {"do": "plug_in"}             the port goes, the port is back
{"do": "log", "from": 0}                        the commands taken so far, from that one on
==============================================  ============================================
"""

from __future__ import annotations

import argparse
import json
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import Any

from edge.drivers.sim.idcard import FAULTS, SimSam
from edge.drivers.sim.idcard_cards import CATALOGUE

MAX_LINE = 4096  # bytes
Order = dict[str, Any]
Answer = dict[str, Any]


class SimControl:
    """Takes orders for `sam` on `address` (loopback, a free port) until it is closed."""

    def __init__(self, sam: SimSam, port: int = 0) -> None:
        self._sam = sam
        self._server = socket.create_server(("127.0.0.1", port))
        self._clients: dict[socket.socket, bytearray] = {}
        self._bell, self._bell_cord = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="sim-control", daemon=True)
        self.address: tuple[str, int] = self._server.getsockname()
        self._thread.start()

    def __enter__(self) -> SimControl:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """May be called twice."""
        self._bell_cord.close()
        self._thread.join()
        for end in (self._bell, self._server, *self._clients):
            end.close()

    def _run(self) -> None:
        while True:
            ready = select.select([self._bell, self._server, *self._clients], [], [])[0]
            if self._bell in ready:
                return
            for end in ready:
                if end is self._server:
                    self._clients[self._server.accept()[0]] = bytearray()
                else:
                    self._hear(end)

    def _hear(self, client: socket.socket) -> None:
        try:
            heard = client.recv(MAX_LINE)
            lines = self._clients[client]
            lines += heard
            while heard and b"\n" in lines:
                line, _, rest = lines.partition(b"\n")
                lines[:] = rest
                client.sendall(json.dumps(self._obey(bytes(line))).encode() + b"\n")
        except OSError:
            heard = b""
        if not heard or len(lines) > MAX_LINE:
            client.close()
            del self._clients[client]

    def _obey(self, line: bytes) -> Answer:
        try:
            order = json.loads(line)
            return {"ok": True, **self._do(order)}
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            return {"ok": False, "why": f"{type(error).__name__}: {error}"}

    def _do(self, order: Order) -> Answer:
        sam = self._sam
        match order["do"]:
            case "cards":
                return {"cards": list(CATALOGUE)}
            case "faults":
                return {"faults": list(FAULTS)}
            case "log":
                return {"log": list(sam.log[order.get("from", 0) :])}
            case "present":
                sam.present(CATALOGUE[_card(order["card"])])
            case "lift":
                sam.lift()
            case "fault":
                sam.fault(
                    str(order["name"]),
                    times=None if order.get("times", 1) is None else int(order.get("times", 1)),
                    on=str(order.get("on", "")),
                    value=float(order.get("value", 0)),
                )
            case "clear":
                sam.clear_faults()
            case "profile":
                sam.use_profile(order["is"])
            case "out_of_turn":
                sam.answer_out_of_turn(int(order["sw3"]))
            case "unplug":
                sam.vanish()
            case "plug_in":
                sam.come_back()
            case unknown:
                raise ValueError(f"no order is called {unknown}")
        return {}


def _card(name: str | int) -> str:
    return list(CATALOGUE)[name] if isinstance(name, int) else name


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m edge.drivers.sim.idcard_control",
        description="A simulated identity-card reader, and a port to work it from outside.",
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tcp", action="store_true", help="a TCP port instead of a terminal")
    parser.add_argument("--rate", type=int, default=115200, help="baud")
    parser.add_argument("--profile", choices=("a", "b"), default="a")
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="0: any free one")
    args = parser.parse_args(argv)
    end = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, end)  # before any thread begins
    with (
        SimSam(tcp=args.tcp, rate=args.rate, profile=args.profile, pace=True) as sam,
        SimControl(sam, args.control) as control,
    ):
        words = {"reader": sam.port, "control": "{}:{}".format(*control.address)}
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()
        signal.sigwait(end)
    return 0


if __name__ == "__main__":
    sys.exit(main())
