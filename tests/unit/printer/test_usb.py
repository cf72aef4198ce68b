"""The USB cable: what is missing is named, packets and partial writes lose nothing.

The endpoints are a socket pair with the manners of libusb's bulk transfers. That a real
printer is found and claimed cannot be shown without one.
"""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from ctypes.util import find_library
from dataclasses import dataclass

import pytest

from edge.domain.errors import DeviceError, Fault
from edge.drivers import printer_cables
from edge.drivers.printer_cables import UsbCable
from edge.drivers.sim.printer import Fault as Broken
from edge.drivers.sim.printer import SimPrinter

NOWHERE = "ffff:fffe"


@pytest.fixture
def sim() -> Iterator[SimPrinter]:
    found = SimPrinter(usb=True)
    yield found
    found.close()


@pytest.fixture
def cable(sim: SimPrinter) -> Iterator[UsbCable]:
    found = UsbCable(sim.port, lambda _: sim.usb_endpoints())
    found.open()
    yield found
    found.close()


def heard(cable: UsbCable, count: int) -> bytes:
    """The next `count` bytes; the driver has a time limit, pytest has one here."""
    answer = b""
    while len(answer) < count:
        answer += cable.read()
    return answer


def test_without_libusb_its_package_is_named_and_without_a_printer_its_number() -> None:
    with pytest.raises(DeviceError) as caught:
        UsbCable(NOWHERE).open()
    assert caught.value.fault is Fault.ABSENT
    if find_library("usb-1.0") is None:
        assert "libusb-1.0-0" in caught.value.detail
        assert not caught.value.retry


def test_without_pyusb_its_package_is_named() -> None:
    code = (
        "import sys; sys.modules['usb'] = None\n"
        "from edge.drivers.printer_cables import UsbCable\n"
        "from edge.domain.errors import DeviceError\n"
        f"try: UsbCable({NOWHERE!r}).open()\n"
        "except DeviceError as error: print(error, error.retry)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == (
        "printer: absent: the Python package pyusb is missing: install it False\n"
    ), done.stderr


def test_long_jobs_go_in_packets_and_answers_come_back(cable: UsbCable, sim: SimPrinter) -> None:
    cable.write(b"\x1b@" + b"0123456789" * 300 + b"\n\x1dr\x01")
    assert heard(cable, 1) == b"\x00"
    assert sim.text.replace("\n", "") == "0123456789" * 300


def test_silence_is_nothing_and_soon(cable: UsbCable) -> None:
    assert cable.read() == b""


def test_an_empty_packet_is_not_the_end(cable: UsbCable, sim: SimPrinter) -> None:
    sim.blurt(b"")
    assert cable.read() == b""
    cable.write(b"\x10\x04\x01")
    assert heard(cable, 1) == b"\x12"


def test_an_answer_longer_than_a_packet_is_read_whole(cable: UsbCable, sim: SimPrinter) -> None:
    sim.blurt(bytes(range(150)))
    assert heard(cable, 150) == bytes(range(150))


@dataclass
class Sipping:
    """Endpoints of a printer that takes a hundred bytes, and then nothing for a while."""

    ends: printer_cables.Endpoints

    def write(self, code: bytes, timeout_ms: int) -> int:
        return self.ends.write(code[:100], timeout_ms)

    def read(self, timeout_ms: int) -> bytes:
        return self.ends.read(timeout_ms)

    def release(self) -> None:
        self.ends.release()


def test_a_printer_that_takes_a_part_gets_the_rest(sim: SimPrinter) -> None:
    """libusb says how much it sent and nothing else: python-escpos would lose the rest."""
    cable = UsbCable(sim.port, lambda _: Sipping(sim.usb_endpoints()))
    cable.open()
    cable.write(b"\x1b@" + b"0123456789" * 90 + b"\n\x1dr\x01")
    assert heard(cable, 1) == b"\x00"
    cable.close()
    assert sim.text.replace("\n", "") == "0123456789" * 90


def fill(ends: printer_cables.Endpoints) -> Iterator[int]:
    """What is taken, write by write."""
    while True:
        yield ends.write(bytes(100_000), 50)


def test_a_printer_that_takes_nothing_more_is_an_error_in_time(sim: SimPrinter) -> None:
    sim.add(Broken.STUFFED)
    ends = sim.usb_endpoints()
    taken: list[int] = []
    with pytest.raises(OSError, match="timed out") as caught:
        taken.extend(fill(ends))
    ends.release()
    assert caught.value.errno == errno.ETIMEDOUT
    assert 0 < sum(taken) < 100_000


def test_a_cable_that_was_pulled_is_an_error_each_way(cable: UsbCable, sim: SimPrinter) -> None:
    sim.vanish()
    for use in (cable.read, lambda: cable.write(b"\x10\x04\x01")):
        with pytest.raises(OSError, match="no such device"):
            use()
    cable.close()
    with pytest.raises(DeviceError) as caught:
        cable.open()
    assert caught.value.fault is Fault.ABSENT
    sim.reconnect()
    cable.open()
    cable.write(b"\x10\x04\x01")
    assert heard(cable, 1) == b"\x12"


@dataclass(frozen=True)
class Descriptor:
    """One endpoint as pyusb shows it."""

    bEndpointAddress: int
    bmAttributes: int


@dataclass(frozen=True)
class Described:
    ends: tuple[Descriptor, ...]

    def get_active_configuration(self) -> dict[tuple[int, int], tuple[Descriptor, ...]]:
        return {(0, 0): self.ends}


def test_bulk_endpoints_are_found_whatever_their_numbers() -> None:
    ends = (Descriptor(0x83, 3), Descriptor(0x81, 2), Descriptor(0x03, 2))
    assert printer_cables._bulk_endpoints(Described(ends)) == (0x81, 0x03)


def test_a_printer_that_cannot_answer_is_not_used() -> None:
    with pytest.raises(DeviceError, match="cannot answer"):
        printer_cables._bulk_endpoints(Described((Descriptor(0x01, 2),)))
