"""Ways to a receipt printer: a serial port, USB, or TCP to a simulator on this machine.

All behave alike. `read` returns soon with what has come, or with nothing; `write`
returns only after every byte was taken; a cable that broke, or a printer that takes
no more bytes, is an `OSError`. python-escpos opens them; its own reading and writing
would wait without an end (USB), or lose the rest of a piece that was taken in part.
"""

from __future__ import annotations

import errno
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import escpos.exceptions
import escpos.printer

from edge.domain.errors import DeviceError, Fault

QUIET_S = 0.02  # the line counts as drained after this much silence
WRITE_S = 3.0  # beyond the time on the line; a printer in trouble may take no more bytes
PIECE_BYTES = 256  # at most for one `write`: a centimetre or three of paper
BULK_BYTES_PER_S = 100_000  # USB full speed carries ten times that; nobody waits for the line


class Cable(Protocol):
    """A byte pipe to the printer; `open` raises `DeviceError` ABSENT, the others `OSError`."""

    bytes_per_s: int

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self) -> bytes: ...

    def write(self, code: bytes) -> None: ...


def by_address(port: str, baud_rate: int = 9600) -> Cable:
    """`socket://host:port`, or the path of a serial port."""
    if not port.startswith("socket://"):
        return SerialCable(port, baud_rate)
    host, _, number = port.removeprefix("socket://").rpartition(":")
    return NetworkCable(host, int(number))


def absent(detail: str, *, retry: bool = True) -> DeviceError:
    return DeviceError("printer", Fault.ABSENT, detail, retry=retry)


def _opened(end: Any) -> Any:
    if end is None:
        raise OSError(errno.ENODEV, "not open")
    return end


class SerialCable:
    """RS-232, TTL, or a USB printer that shows itself as a serial port."""

    def __init__(self, port: str, baud_rate: int = 9600) -> None:
        self.bytes_per_s = baud_rate // 10  # eight data bits, a start and a stop bit
        self._port = port
        self._baud_rate = baud_rate
        self._vendor: escpos.printer.Serial | None = None

    def open(self) -> None:
        vendor = escpos.printer.Serial(self._port, baudrate=self._baud_rate, timeout=QUIET_S)
        try:
            vendor.open()
            vendor.device.write_timeout = WRITE_S + PIECE_BYTES / self.bytes_per_s
        except (escpos.exceptions.Error, OSError) as error:
            raise absent(f"cannot open {self._port}") from error
        self._vendor = vendor

    def close(self) -> None:
        """The port first: the vendor's own `close` waits for bytes that nobody takes."""
        vendor, self._vendor = self._vendor, None
        if vendor is None:
            return
        with suppress(OSError, termios.error):  # the port may be gone already
            vendor.device.reset_output_buffer()
        vendor.device.close()
        vendor.close()

    def read(self) -> bytes:
        heard: bytes = _opened(self._vendor).device.read(1)
        return heard

    def write(self, code: bytes) -> None:
        _opened(self._vendor).device.write(code)


class _Network(escpos.printer.Network):  # type: ignore[misc]  # the vendor has no types
    """Closes the socket of a connection that was refused; the vendor only forgets it."""

    _device: Any

    @property
    def device(self) -> Any:
        return self._device

    @device.setter
    def device(self, device: Any) -> None:
        if device is None and self._device:
            self._device.close()
        self._device = device


class NetworkCable:
    """TCP, for a simulator; the kiosk process has no network in the field."""

    bytes_per_s = BULK_BYTES_PER_S

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._vendor: _Network | None = None

    def open(self) -> None:
        vendor = _Network(self._host, self._port, timeout=WRITE_S)
        try:
            vendor.open()
        except escpos.exceptions.Error as error:
            raise absent(f"nobody answers at {self._host}:{self._port}") from error
        self._vendor = vendor

    def close(self) -> None:
        vendor, self._vendor = self._vendor, None
        if vendor:
            vendor.close()

    def read(self) -> bytes:
        device = _opened(self._vendor).device
        device.settimeout(QUIET_S)
        try:
            heard: bytes = device.recv(64)
        except TimeoutError:
            return b""
        if not heard:
            raise ConnectionError("closed by the other side")
        return heard

    def write(self, code: bytes) -> None:
        device = _opened(self._vendor).device
        device.settimeout(WRITE_S)
        device.sendall(code)


class Endpoints(Protocol):
    """The two bulk endpoints of a USB printer, as libusb shows them.

    `write` may take a part only, and says how much; nothing at all within the
    time is `OSError` ETIMEDOUT, as is a `read` for which no packet came. A packet
    may be empty. A device that was pulled out is `OSError` ENODEV.
    """

    def write(self, code: bytes, timeout_ms: int) -> int: ...

    def read(self, timeout_ms: int) -> bytes: ...

    def release(self) -> None: ...


class UsbCable:
    """A printer of USB class 07 by its vendor and product number, `04b8:0202` say."""

    bytes_per_s = BULK_BYTES_PER_S

    def __init__(self, vendor_product: str, find: Callable[[str], Endpoints] | None = None) -> None:
        self._id = vendor_product
        self._find = find or _find_by_libusb
        self._ends: Endpoints | None = None

    def open(self) -> None:
        try:
            self._ends = self._find(self._id)
        except OSError as error:
            raise absent(f"no USB printer {self._id}: {error}") from error

    def close(self) -> None:
        ends, self._ends = self._ends, None
        if ends:
            ends.release()

    def read(self) -> bytes:
        try:
            return bytes(_opened(self._ends).read(round(QUIET_S * 1000)))
        except OSError as error:
            if error.errno == errno.ETIMEDOUT:
                return b""
            raise

    def write(self, code: bytes) -> None:
        while code:
            taken = _opened(self._ends).write(code, round(WRITE_S * 1000))
            if not taken:
                raise OSError(errno.ETIMEDOUT, "the printer takes no bytes")
            code = code[taken:]


def _find_by_libusb(vendor_product: str) -> Endpoints:
    vendor_id, product_id = (int(number, 16) for number in vendor_product.split(":"))
    libusb = _fresh_libusb()
    vendor = escpos.printer.Usb(vendor_id, product_id, usb_args={"backend": libusb})
    try:
        vendor.open()
        return _LibusbEndpoints(vendor, libusb)
    except (escpos.exceptions.Error, OSError) as error:
        _let_go(vendor, libusb)
        words = f"no USB printer {vendor_product}, or this user may not use it (group lp)"
        raise absent(words) from error
    except DeviceError:
        _let_go(vendor, libusb)
        raise


def _let_go(vendor: escpos.printer.Usb, libusb: Any) -> None:
    vendor.close()
    libusb.finalize()  # nobody else would: each open would cost two descriptors


def _fresh_libusb() -> Any:
    """One that has just looked at the bus.

    The one that pyusb keeps hears of a printer plugged in later from udev, and udev's
    messages do not reach a process that has no network.
    """
    try:
        from usb.backend import libusb1
    except ImportError as error:
        raise absent("the Python package pyusb is missing: install it", retry=False) from error
    kept = libusb1.get_backend()
    if kept is None:
        raise absent("the Debian package libusb-1.0-0 is missing: install it", retry=False)
    return type(kept)(kept.lib)


class _LibusbEndpoints:
    """A thin skin over pyusb's device; everything above it runs in tests, this does not."""

    def __init__(self, vendor: escpos.printer.Usb, libusb: Any) -> None:
        self._vendor = vendor
        self._libusb = libusb
        self._in, self._out = _bulk_endpoints(vendor.device)

    def write(self, code: bytes, timeout_ms: int) -> int:
        return int(self._vendor.device.write(self._out, code, timeout_ms))

    def read(self, timeout_ms: int) -> bytes:
        """Asks for whole packets of any size: a shorter request would be an overflow error."""
        return bytes(self._vendor.device.read(self._in, 512, timeout_ms))

    def release(self) -> None:
        _let_go(self._vendor, self._libusb)


def _bulk_endpoints(device: Any) -> tuple[int, int]:
    """Addresses of the first bulk IN and OUT; bit 7 of an address means IN, type 2 is bulk."""
    interface = device.get_active_configuration()[(0, 0)]
    bulk = [end.bEndpointAddress for end in interface if end.bmAttributes & 3 == 2]
    into = next((address for address in bulk if address & 0x80), None)
    out = next((address for address in bulk if not address & 0x80), None)
    if into is None or out is None:
        raise absent("this USB printer cannot answer: it has no bulk pair", retry=False)
    return into, out
