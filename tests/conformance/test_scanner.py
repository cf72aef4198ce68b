"""What every `Scanner` promises: the serial driver on a simulated module, the camera driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from edge.app import cameras
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.scanner_camera import CameraScanner
from edge.drivers.scanner_serial import SerialScanner
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.scanner import Fault as Trouble
from edge.drivers.sim.scanner import SimScanner
from edge.ports import Scanner
from tests.scanner_bench import Sight, wait_until
from tests.technician import Do, Technician

RECOVERY_S = 5.0
CODE = "K-0001 健在 7f3a"


@dataclass
class Rig:
    """A scanner, somebody who shows it codes, and a cable that comes off."""

    scanner: Scanner
    show: Callable[[str], None]
    vanish: Callable[[], None]
    reconnect: Callable[[], None]
    elsewhere: Scanner
    patience_s: float = 3.0
    by_hand: bool = False


def mono_ns() -> MonoNs:
    return MonoNs(time.monotonic_ns())


def serial(kind: str) -> Iterator[Rig]:
    gm65 = kind == "gm65"
    ending = {"serial-crlf": b"\r\n", "serial-lf": b"\n"}.get(kind, b"\r")
    encoding = "gb18030" if kind == "serial-gb18030" else "utf-8"
    sim = SimScanner(triggered=gm65, ending=ending, encoding=encoding)
    if kind == "serial-split":
        sim.add(Trouble.SPLIT)
    scanner = SerialScanner(sim.port, mono_ns=mono_ns, trigger=gm65)
    elsewhere = SerialScanner("/nonexistent/scanner", mono_ns=mono_ns)
    yield Rig(scanner, sim.show, sim.vanish, sim.reconnect, elsewhere)
    scanner.close()
    sim.close()


def camera() -> Iterator[Rig]:
    sight = Sight()
    scanner = CameraScanner(SimCamera(sight, mono_ns), mono_ns)
    absent = Sight()
    absent.vanish()
    elsewhere = CameraScanner(SimCamera(absent, mono_ns), mono_ns)
    yield Rig(scanner, sight.show, sight.vanish, sight.reconnect, elsewhere)
    scanner.close()


def real(address: str, technician: Technician) -> Iterator[Rig]:
    """`/dev/scanner` sends by itself, `gm65:/dev/scanner` is told to look, `camera:0` is one."""
    kind, _, place = address.rpartition(":")
    scanner: Scanner
    elsewhere: Scanner
    if kind == "camera":
        scanner = CameraScanner(cameras.direct("opencv", place), mono_ns)
        elsewhere = CameraScanner(cameras.direct("opencv", "99"), mono_ns)
    else:
        scanner = SerialScanner(place, mono_ns=mono_ns, trigger=kind == "gm65")
        elsewhere = SerialScanner("/nonexistent/scanner", mono_ns=mono_ns)
    yield Rig(
        scanner,
        show=technician.show_code,
        vanish=lambda: technician.begin(Do.SCANNER_PULL),
        reconnect=lambda: technician.do(Do.SCANNER_PLUG),
        elsewhere=elsewhere,
        patience_s=60.0,
        by_hand=True,
    )
    scanner.close()


KINDS = ["serial-cr", "serial-crlf", "serial-lf", "serial-gb18030", "serial-split", "gm65"]


@pytest.fixture(params=[*KINDS, "camera", "hardware"])
def rig(
    request: pytest.FixtureRequest, hardware: dict[str, str], technician: Technician
) -> Iterator[Rig]:
    if request.param == "camera":
        yield from camera()
    elif request.param != "hardware":
        yield from serial(request.param)
    elif "scanner" in hardware:
        yield from real(hardware["scanner"], technician)
    else:
        pytest.skip("needs a scanner: pytest tests/conformance --hardware scanner=/dev/scanner")


def scan(rig: Rig, code: str) -> str | None:
    """Show a code to a scanner that is already waiting for one."""
    showing = threading.Timer(0.1, rig.show, (code,))
    showing.start()
    try:
        return rig.scanner.wait_for_code(rig.patience_s)
    finally:
        showing.join()


def open_and_wait(scanner: Scanner) -> None:
    scanner.open()
    scanner.wait_for_code(0.1)


def open_soon(scanner: Scanner) -> None:
    """A port may take a moment to appear again."""

    def is_open() -> bool:
        try:
            scanner.open()
        except DeviceError:
            return False
        return True

    assert wait_until(is_open, RECOVERY_S)


def test_it_says_what_it_is(rig: Rig) -> None:
    assert rig.scanner.name == "scanner"
    assert isinstance(rig.scanner.provenance, Provenance)
    rig.scanner.open()
    assert rig.scanner.health().ok
    assert rig.scanner.health().words


def test_no_code_is_an_answer_and_comes_in_time(rig: Rig) -> None:
    rig.scanner.open()
    for limit_s in (0.0, 0.2):
        start_s = time.monotonic()
        assert rig.scanner.wait_for_code(limit_s) is None
        assert limit_s <= time.monotonic() - start_s < limit_s + 1.0


def test_a_code_is_read(rig: Rig) -> None:
    rig.scanner.open()
    assert scan(rig, CODE) == CODE


def test_one_code_after_the_other(rig: Rig) -> None:
    rig.scanner.open()
    assert [scan(rig, code) for code in ("A-1", "B-2", "A-1")] == ["A-1", "B-2", "A-1"]


def test_the_same_code_shown_again_is_one_scan(rig: Rig) -> None:
    rig.scanner.open()
    assert scan(rig, CODE) == CODE
    if rig.by_hand:
        pytest.skip("nobody shows a code twice within two seconds")
    rig.show(CODE)
    assert rig.scanner.wait_for_code(0.4) is None


def test_close_twice_and_open_again(rig: Rig) -> None:
    for _ in range(2):
        rig.scanner.open()
        rig.scanner.close()
        rig.scanner.close()
    with pytest.raises(DeviceError) as raised:
        rig.scanner.wait_for_code(0.1)
    assert raised.value.fault is Fault.ABSENT
    rig.scanner.open()
    assert scan(rig, CODE) == CODE


def test_a_device_that_is_not_there(rig: Rig) -> None:
    with pytest.raises(DeviceError) as call:
        open_and_wait(rig.elsewhere)
    assert call.value.fault in (Fault.ABSENT, Fault.SILENT)
    rig.elsewhere.close()
    rig.elsewhere.close()


def test_unplugged_while_waiting_and_back_within_five_seconds(rig: Rig) -> None:
    rig.scanner.open()
    pulled = threading.Timer(0.1, rig.vanish)
    pulled.start()
    with pytest.raises(DeviceError) as call:
        rig.scanner.wait_for_code(max(10.0, rig.patience_s))
    pulled.join()
    assert call.value.fault in (Fault.ABSENT, Fault.SILENT)
    rig.reconnect()
    start_s = time.monotonic()
    open_soon(rig.scanner)
    if not rig.by_hand:
        assert scan(rig, CODE) == CODE
    assert time.monotonic() - start_s < RECOVERY_S
    assert rig.scanner.health().ok
    assert scan(rig, CODE + "!") == CODE + "!"


def test_close_ends_a_wait(rig: Rig) -> None:
    rig.scanner.open()
    ended: list[object] = []
    waiting = threading.Thread(target=lambda: ended.append(rig.scanner.wait_for_code(60)))
    closing = threading.Timer(0.2, rig.scanner.close)
    waiting.start()
    closing.start()
    waiting.join(5)
    closing.join()
    assert ended == [None]


@pytest.mark.parametrize(
    "trouble",
    [Trouble.GARBAGE, Trouble.NO_TERMINATOR, Trouble.OVERSIZE, Trouble.HALF],
)
def test_what_is_no_code_is_never_one(trouble: Trouble) -> None:
    """And the next code is read as ever."""
    sim = SimScanner()
    scanner = SerialScanner(sim.port, mono_ns=mono_ns)
    rig = Rig(scanner, sim.show, sim.vanish, sim.reconnect, scanner)
    scanner.open()
    sim.add(trouble)
    showing = threading.Timer(0.1, sim.show, ("S-9",))
    showing.start()
    assert scanner.wait_for_code(0.4) is None
    showing.join()
    sim.clear(trouble)
    assert wait_until(lambda: scanner.wait_for_code(0.25) is None)
    assert scan(rig, CODE) == CODE
    scanner.close()
    sim.close()


def test_an_answer_of_the_module_among_the_code_is_filtered_out() -> None:
    sim = SimScanner(triggered=True)
    sim.add(Trouble.CONTROL_REPLY)
    scanner = SerialScanner(sim.port, mono_ns=mono_ns, trigger=True)
    scanner.open()
    sim.show(CODE)
    assert scanner.wait_for_code(3.0) == CODE
    assert sim.looks == 1
    scanner.close()
    sim.close()
