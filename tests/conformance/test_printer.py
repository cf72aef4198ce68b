"""The `Printer` port, fault by fault: it says "printed" only after the printer did.

Everything here runs the real driver over a serial line (a pseudo-terminal), over TCP,
and over USB as far up as the endpoints libusb would show.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.errors import DeviceError
from edge.domain.errors import Fault as Said
from edge.drivers.printer_cables import Cable, SerialCable, UsbCable, by_address
from edge.drivers.printer_escpos import EscposPrinter
from edge.drivers.sim.printer import Fault
from edge.ports import Line, Paper, ReceiptItem
from tests.leftovers import open_files
from tests.paper_bench import CODE, Desk, cable_to, desk, record, slip
from tests.scanner_bench import wait_until
from tests.technician import Do, Technician

ITEMS = slip(record())


KINDS = ("serial", "tcp", "usb")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[("serial", 48), *((kind, 32) for kind in KINDS)])
def at(request: pytest.FixtureRequest) -> Iterator[Desk]:
    kind, columns = request.param
    with desk(columns, kind=kind) as found:
        yield found


def failing(at: Desk, items: tuple[ReceiptItem, ...] = ITEMS) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        at.driver.print_receipt(items)
    return caught.value


def works_soon(driver: EscposPrinter) -> None:
    def works() -> bool:
        try:
            return driver.paper() is not Paper.OUT
        except DeviceError:
            return False

    assert wait_until(works, 5.0)


def test_k36_good_paper(at: Desk) -> None:
    assert at.driver.paper() is Paper.OK
    at.driver.print_receipt(ITEMS)
    at.driver.print_receipt([Line("第二张")])
    first, second = at.sim.sheets
    assert "验证成功。" in first
    assert second == "第二张"
    assert at.sim.oddities == ()
    assert at.driver.health().ok


def test_near_end_is_no_error(at: Desk) -> None:
    at.sim.add(Fault.NEAR_END)
    assert at.driver.paper() is Paper.NEAR_END
    at.driver.print_receipt(ITEMS)
    health = at.driver.health()
    assert health.ok
    assert health.words == "paper near end: change the roll soon"
    assert health.fix == "bring a new roll"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.SILENT, Said.SILENT),
        (Fault.RUBBISH, Said.GARBLED),
        (Fault.PAPER_OUT, Said.EMPTY),
        (Fault.COVER_OPEN, Said.REFUSED),
        (Fault.CUTTER_JAM, Said.REFUSED),
        (Fault.HOT, Said.REFUSED),
    ],
)
def test_e12_nothing_is_sent_to_a_printer_that_cannot(fault: Fault, said: Said, kind: str) -> None:
    with desk(kind=kind) as at:
        at.sim.add(fault)
        assert failing(at).fault is said
        health = at.driver.health()
        assert not health.ok
        assert health.fix
        at.sim.clear(fault)
        at.driver.print_receipt([Line("again")])
        assert at.sim.sheets == ("again",)


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.RUBBISH, Fault.COVER_OPEN, Fault.HOT])
def test_paper_is_never_ok_without_an_answer(at: Desk, fault: Fault) -> None:
    at.sim.add(fault)
    with pytest.raises(DeviceError):
        at.driver.paper()


def test_paper_out_is_an_answer(at: Desk) -> None:
    at.sim.add(Fault.PAPER_OUT)
    assert at.driver.paper() is Paper.OUT


@pytest.mark.parametrize(
    ("fault", "becomes", "said"),
    [
        (Fault.PAPER_OUT_MID_RECEIPT, Fault.PAPER_OUT, Said.EMPTY),
        (Fault.CUTTER_JAM_AT_CUT, Fault.CUTTER_JAM, Said.REFUSED),
        (Fault.PAPER_OUT_AT_END, Fault.PAPER_OUT, Said.EMPTY),
    ],
)
def test_e12_trouble_in_the_middle_leaves_nothing_for_the_next_person(
    at: Desk, fault: Fault, becomes: Fault, said: Said
) -> None:
    at.sim.add(fault)
    assert failing(at).fault is said
    assert not at.driver.health().ok  # by this answer the printer has seen everything sent before
    printed = at.sim.sheets
    at.sim.clear(becomes)
    assert at.sim.sheets == printed
    at.sim.tear()
    at.driver.print_receipt([Line("next person")])
    assert at.sim.text == "next person"


def test_e12_cable_pulled_in_the_middle(at: Desk) -> None:
    at.sim.add(Fault.VANISH_MID_RECEIPT)
    assert failing(at).fault is Said.ABSENT
    assert failing(at).fault is Said.ABSENT
    at.sim.reconnect()
    at.sim.tear()
    at.driver.print_receipt([Line("again")])
    assert at.sim.text == "again"


@pytest.mark.parametrize("deaf", [False, True])
def test_e12_line_broken_in_a_picture_swallows_nothing_of_the_next_receipt(
    at: Desk, deaf: bool
) -> None:
    """The printer keeps its power, and so still waits for the rest of the picture."""
    at.sim.stays_powered = True
    at.sim.add(Fault.LINE_BREAKS_MID_PICTURE)
    if deaf:
        at.sim.add(Fault.DEAF_IN_PICTURES)
    assert failing(at, (CODE, *ITEMS)).fault is Said.ABSENT
    at.sim.reconnect()
    works_soon(at.driver)
    at.driver.print_receipt([Line("next person")])
    assert at.sim.sheets[-1].splitlines()[-1] == "next person"
    at.driver.print_receipt(ITEMS)
    assert "王小明" not in at.sim.sheets[-2]
    assert at.sim.oddities == ()


def test_a_printer_left_in_a_picture_by_a_kiosk_that_died(kind: str) -> None:
    with desk(kind=kind) as at:
        at.sim.stays_powered = True
        at.sim.add(Fault.LINE_BREAKS_MID_PICTURE)
        failing(at, (CODE, *ITEMS))
        at.sim.reconnect()
        heir = EscposPrinter(cable_to(at.sim, kind), mono_ns=time.monotonic_ns)
        heir.open()
        heir.print_receipt([Line("after the start")])
        heir.close()
        assert at.sim.sheets[-1].splitlines()[-1] == "after the start"


def test_port_gone_while_idle(at: Desk) -> None:
    at.sim.vanish()
    with pytest.raises(DeviceError) as caught:
        at.driver.paper()
    assert caught.value.fault is Said.ABSENT
    at.sim.reconnect()
    assert at.driver.paper() is Paper.OK


def test_no_end_mark_is_not_printed(kind: str) -> None:
    with desk(kind=kind, hurried=True) as at:
        at.sim.add(Fault.NO_END_MARK)
        error = failing(at)
    assert error.fault is Said.SILENT
    assert "not confirmed" in error.detail


@pytest.mark.parametrize("kind", ["serial", "usb"])
def test_a_printer_that_takes_no_more_bytes_does_not_hold_the_kiosk(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.drivers.printer_cables.WRITE_S", 0.3)
    with desk(kind=kind, pictures=True) as at:
        at.sim.add(Fault.STUFFED_MID_RECEIPT)
        error = failing(at, ITEMS * 6)
    assert error.fault is Said.ABSENT
    assert error.detail.startswith("the line broke: ")


def test_bytes_that_the_network_took_and_the_printer_did_not() -> None:
    with desk(kind="tcp", hurried=True) as at:
        at.sim.add(Fault.STUFFED_MID_RECEIPT)
        assert failing(at, ITEMS * 6).fault is Said.SILENT


def test_slow_printer_is_waited_for(kind: str) -> None:
    with desk(kind=kind) as at:
        assert at.driver.paper() is Paper.OK  # asked all day, so no job is the first to come
        at.sim.byte_delay_s = 0.003
        at.sim.add(Fault.SLOW)
        at.driver.print_receipt([Line("慢慢来"), Line("but surely")])
        assert at.sim.text == "慢慢来\nbut surely"


def test_an_old_answer_is_not_taken_for_a_new_one(kind: str) -> None:
    with desk(kind=kind) as at:
        at.sim.add(Fault.SILENT)
        at.sim.blurt(b"\x12\x12\x12\x12\x12")
        with pytest.raises(DeviceError) as caught:
            at.driver.paper()
    assert caught.value.fault is Said.SILENT


def test_a_line_that_never_falls_silent_is_no_answer() -> None:
    """Noise as fast as it can be read; a full buffer lasts longer than the driver's patience."""
    with desk(hurried=True) as at:
        at.sim.blurt(b"\x80" * 3000)
        with pytest.raises(DeviceError) as caught:
            at.driver.paper()
    assert caught.value.fault is Said.GARBLED


@pytest.mark.parametrize(("n", "byte"), [(2, 0x32), (4, 0x32), (4, 0x52), (4, 0x72)])
def test_either_bit_means_no_paper(n: int, byte: int) -> None:
    with desk() as at:
        at.sim.stuck = {n: byte}
        assert at.driver.paper() is Paper.OUT
        assert failing(at).fault is Said.EMPTY


@given(st.integers(1, 4), st.integers(0, 255))
@settings(max_examples=50, deadline=None)
def test_any_status_byte_either_prints_or_fails_closed(n: int, byte: int) -> None:
    """Over all firmware: a byte off the pattern, or with a bit of trouble, never prints."""
    harmless = {1: 0x12 | 0x64, 2: 0x12, 3: 0x12, 4: 0x12 | 0x0C}[n]
    good = (byte & 0x93) == 0x12 and not byte & ~harmless & 0xFF
    with desk(hurried=True) as at:
        at.sim.stuck = {n: byte}
        if good:
            at.driver.print_receipt([Line("ok")])
            assert at.sim.text == "ok"
        else:
            failing(at)
            assert at.sim.text == ""


@pytest.mark.parametrize("pictures", [False, True])
@pytest.mark.parametrize("cutter", [False, True])
def test_options(pictures: bool, cutter: bool, tmp_path: Path) -> None:
    with desk(cutter=cutter, pictures=pictures) as at:
        at.driver.print_receipt(ITEMS)
        assert at.sim.oddities == ()
        assert ("dots" in at.sim.text) is pictures
        at.sim.save_png(tmp_path / "sheet.png")


def test_close_twice_and_after_a_failed_open() -> None:
    driver = EscposPrinter(SerialCable("/dev/no-such-printer"), mono_ns=time.monotonic_ns)
    with pytest.raises(DeviceError) as caught:
        driver.open()
    assert (caught.value.fault, caught.value.retry) == (Said.ABSENT, True)
    driver.close()
    driver.close()
    with pytest.raises(DeviceError):
        driver.paper()


def test_a_file_that_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "port").touch()
    driver = EscposPrinter(SerialCable(str(tmp_path / "port")), mono_ns=time.monotonic_ns)
    with pytest.raises(DeviceError) as caught:
        driver.open()
    assert caught.value.fault is Said.ABSENT
    driver.close()


def test_nothing_is_left_open(kind: str) -> None:
    def held() -> tuple[int, int]:
        return open_files(), threading.active_count()

    before = held()
    for fault in (None, Fault.VANISH_MID_RECEIPT, Fault.SILENT):
        with desk(kind=kind, hurried=True) as at:
            if fault:
                at.sim.add(fault)
                failing(at)
    assert held() == before


def test_no_personal_data_in_errors() -> None:
    with desk() as at:
        at.sim.add(Fault.PAPER_OUT_MID_RECEIPT)
        error = failing(at, slip(record(name="欧阳金丝雀")))
    chain: BaseException | None = error
    while chain:
        assert not any(secret in repr(chain) + str(chain) for secret in ("欧", "雀", "1101"))
        chain = chain.__context__


# --- a printer on the desk, and somebody who handles it ---


def by_name(address: str, columns: int) -> EscposPrinter:
    """`/dev/receipt`, `/dev/receipt@115200`, `usb:04b8:0202`; a simulator's `socket://…`, too."""
    cable: Cable
    if address.startswith("usb:"):
        cable = UsbCable(address.removeprefix("usb:"))
    else:
        port, _, baud = address.partition("@")
        cable = by_address(port, int(baud or 9600))
    return EscposPrinter(cable, mono_ns=time.monotonic_ns, columns=columns)


@pytest.fixture(params=["hardware"])
def real(hardware: dict[str, str]) -> Iterator[EscposPrinter]:
    """58 mm paper is enough for all that is printed here; the cutter may be missing."""
    if "printer" not in hardware:
        pytest.skip(
            "needs a printer: pytest tests/conformance --hardware printer=/dev/receipt@9600, "
            "or printer=usb:04b8:0202"
        )
    driver = by_name(hardware["printer"], 32)
    driver.open()
    yield driver
    driver.close()


def refusal(driver: EscposPrinter) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        driver.print_receipt([Line("这一行不应该出现 NOT TO BE SEEN")])
    return caught.value


def test_real_paper_says_what_was_sent(real: EscposPrinter, technician: Technician) -> None:
    assert real.paper() in (Paper.OK, Paper.NEAR_END)
    real.print_receipt((*ITEMS, CODE))
    assert technician.sees("Is there a whole receipt with 验证成功。 and a QR code?")
    assert real.health().ok


def test_real_cover_open_is_told_and_nothing_is_printed_after(
    real: EscposPrinter, technician: Technician
) -> None:
    technician.do(Do.COVER_OPEN)
    assert refusal(real).fault in (Said.REFUSED, Said.EMPTY)
    assert real.health().fix
    technician.do(Do.COVER_CLOSE)
    works_soon(real)
    real.print_receipt([Line("盖好了 closed again")])
    assert technician.sees("Is there one line, 盖好了 closed again, and nothing before it?")


def test_real_paper_out_is_told(real: EscposPrinter, technician: Technician) -> None:
    technician.do(Do.PAPER_OUT)
    assert real.paper() is Paper.OUT
    assert refusal(real).fault is Said.EMPTY
    technician.do(Do.PAPER_IN)
    works_soon(real)


def test_real_cable_pulled_and_back_within_five_seconds(
    real: EscposPrinter, technician: Technician
) -> None:
    assert real.paper() is not Paper.OUT
    technician.do(Do.PRINTER_PULL)
    with pytest.raises(DeviceError) as caught:
        real.paper()
    assert caught.value.fault in (Said.ABSENT, Said.SILENT)
    technician.do(Do.PRINTER_PLUG)
    works_soon(real)


def test_real_printer_opens_and_closes_as_often_as_one_likes(real: EscposPrinter) -> None:
    for _ in range(2):
        real.close()
        real.close()
        with pytest.raises(DeviceError):
            real.paper()
        real.open()
        assert real.paper() is not Paper.OUT
