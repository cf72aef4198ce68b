"""Child processes of the demonstration: started, watched, and ended with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edge.domain.errors import KioskError

STOP_S = 8.0


class Processes:
    """Every process writes into a log file of its own; all are ended in reverse order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def start(
        self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None
    ) -> None:
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    def stop(self, name: str) -> None:
        process = self._running.pop(name)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def runs(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def kill(self, name: str) -> None:
        """As a power cut would end it."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def wait(self, name: str, timeout_s: float | None) -> int:
        """The exit code of a process that is expected to end."""
        try:
            return self._running[name].wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise KioskError(
                f"{name} did not end in {timeout_s:.0f} s\n{self.tail(name)}"
            ) from error

    def until(self, ready: Callable[[], bool], name: str, what: str, timeout_s: float) -> None:
        """Wait for something a process should bring about; its end or the time-out is an error."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self._running[name].poll() is not None:
                raise KioskError(f"{name} ended before {what}\n{self.tail(name)}")
            if time.monotonic() > deadline:
                raise KioskError(f"{what} did not come in {timeout_s:.0f} s\n{self.tail(name)}")
            time.sleep(0.1)

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines of a log, for an error message."""
        text = self._log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"--- end of {self._log(name)} ---", *text[-lines:]])

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port(wanted: int) -> int:
    """`wanted` if nobody has it, else one the system gives."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise KioskError("no free port on 127.0.0.1")
