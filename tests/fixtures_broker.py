"""A real mosquitto on a loopback port, with a site folder of its own."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.site import Site, make_site

MOSQUITTO = Path("/usr/sbin/mosquitto")
KIOSKS = ("k-001", "k-002")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Broker:
    """Starts, kills and restarts one mosquitto. `site` holds every certificate and key."""

    OPTIONS: tuple[str, ...] = ("-v",)
    """Tests read everything in the log; without, the broker logs what its configuration says."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self.site: Site = make_site(root / "site", KIOSKS, broker_port=self.port)
        self.log = root / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [MOSQUITTO, *self.OPTIONS, "-c", self.site.broker_conf], stdout=log, stderr=log
            )
        deadline_s = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                self.stop()
                pytest.fail(f"mosquitto does not start:\n{self.log.read_text()}")

    def reload(self) -> None:
        """Read the rules, certificates and the list of revoked ones again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """As a power cut would."""
        self._end("kill")

    def stop(self) -> None:
        self._end("terminate")

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            getattr(process, how)()
            process.wait(10)

    def _answers(self) -> bool:
        """Whether a TLS handshake with a kiosk's certificate succeeds; waits a little if not."""
        kiosk = self.site.kiosk(KIOSKS[0])
        context = ssl.create_default_context(cafile=kiosk / "ca.crt")
        context.load_cert_chain(kiosk / "tls.crt", kiosk / "tls.key")
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=1) as plain,
                context.wrap_socket(plain, server_hostname="localhost"),
            ):
                return True
        except OSError:
            assert self._process is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
            return False


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker with the kiosks of `KIOSKS` and a bridge."""
    if not MOSQUITTO.exists():
        pytest.skip("mosquitto is not installed")
    running = Broker(tmp_path)
    running.start()
    yield running
    running.stop()
