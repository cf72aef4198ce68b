"""Where the cable goes into the simulated printer: pseudo-terminal, TCP, or USB endpoints.

One plug at a time talks to one host. `read` with what is ready gives bytes (none: a
host came or went); `write` drops what the host does not fetch.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import tempfile
import tty
from pathlib import Path
from typing import Protocol

PACKET_BYTES = 64  # of a full-speed bulk endpoint
_SMALLEST_BUFFER = 1  # the kernel makes some kilobytes of it: a printer's input buffer


class Plug(Protocol):
    """`address` stays the same over `close` and `open`, as a name given by udev does."""

    address: str

    def open(self) -> None: ...

    def close(self) -> None: ...

    def forget(self) -> None: ...

    def watched(self) -> list[int]: ...

    def read(self, ready: int) -> bytes: ...

    def write(self, code: bytes) -> None: ...


class Terminal:
    """A serial line."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sim-printer-")
        self.address = str(Path(self._folder.name) / "port")
        self._ours = self._theirs = -1

    def open(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        Path(self.address).symlink_to(os.ttyname(self._theirs))

    def close(self) -> None:
        if self._ours < 0:
            return
        Path(self.address).unlink()
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def forget(self) -> None:
        self._folder.cleanup()

    def watched(self) -> list[int]:
        return [self._ours]

    def read(self, ready: int) -> bytes:
        return os.read(ready, 4096)

    def write(self, code: bytes) -> None:
        if self._ours >= 0:
            os.write(self._ours, code)


class Listener:
    """A TCP port on this machine; a new host takes the place of the old one."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as first:
            self._address = first.getsockname()
        self.address = "socket://{}:{}".format(*self._address)
        self._server: socket.socket | None = None
        self._host: socket.socket | None = None

    def open(self) -> None:
        self._server = socket.create_server(self._address)
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALLEST_BUFFER)

    def close(self) -> None:
        self._hang_up()
        if self._server:
            self._server.close()
            self._server = None

    def forget(self) -> None:
        """Nothing outlives `close`."""

    def watched(self) -> list[int]:
        return [end.fileno() for end in (self._server, self._host) if end]

    def read(self, ready: int) -> bytes:
        if self._server and ready == self._server.fileno():
            self._hang_up()
            self._host, _ = self._server.accept()
            self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        heard = b""
        with contextlib.suppress(ConnectionError):
            heard = self._host.recv(4096) if self._host else b""
        if not heard:
            self._hang_up()
        return heard

    def write(self, code: bytes) -> None:
        if self._host:
            with contextlib.suppress(ConnectionError):
                self._host.sendall(code)

    def _hang_up(self) -> None:
        if self._host:
            self._host.close()
            self._host = None


class UsbSocket:
    """Two bulk endpoints: packets over a socket pair, each behind one byte of its own.

    That byte tells an empty packet from a cable that was pulled.
    """

    address = "04b8:0202"

    def __init__(self) -> None:
        self._device: socket.socket | None = None
        self._host: socket.socket | None = None

    def open(self) -> None:
        self.forget()
        self._device, self._host = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._device.setblocking(False)
        self._host.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALLEST_BUFFER)

    def close(self) -> None:
        if self._device:
            self._device.close()
            self._device = None

    def forget(self) -> None:
        if self._host:
            self._host.close()

    def endpoints(self) -> SimEndpoints:
        """As the host finds them; `OSError` ENODEV while the plug is out."""
        if self._device is None or self._host is None:
            raise OSError(errno.ENODEV, "no such device")
        return SimEndpoints(self._host.dup())

    def watched(self) -> list[int]:
        return [self._device.fileno()] if self._device else []

    def read(self, _ready: int) -> bytes:
        return self._device.recv(1 + PACKET_BYTES)[1:] if self._device else b""

    def write(self, code: bytes) -> None:
        """Whole packets and the rest; no bytes at all make an empty packet."""
        for at in range(0, len(code) or 1, PACKET_BYTES):
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                if self._device:
                    self._device.send(b"\0" + code[at : at + PACKET_BYTES])


class SimEndpoints:
    """What libusb would show of this printer, time-outs and partial writes included."""

    def __init__(self, host: socket.socket) -> None:
        self._host = host

    def write(self, code: bytes, timeout_ms: int) -> int:
        """The number of bytes taken before the printer stopped taking any."""
        self._host.settimeout(timeout_ms / 1000)
        taken = 0
        while taken < len(code):
            packet = code[taken : taken + PACKET_BYTES]
            try:
                self._host.send(b"\0" + packet)
            except TimeoutError:
                if taken:
                    return taken
                raise OSError(errno.ETIMEDOUT, "operation timed out") from None
            except ConnectionError:
                raise OSError(errno.ENODEV, "no such device") from None
            taken += len(packet)
        return taken

    def read(self, timeout_ms: int) -> bytes:
        self._host.settimeout(timeout_ms / 1000)
        try:
            packet = self._host.recv(1 + PACKET_BYTES)
        except TimeoutError:
            raise OSError(errno.ETIMEDOUT, "operation timed out") from None
        except ConnectionError:
            packet = b""
        if not packet:
            raise OSError(errno.ENODEV, "no such device")
        return packet[1:]

    def release(self) -> None:
        self._host.close()
