"""What the site file says of the printer is what the printer gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.app.compose import printer
from edge.app.config import Devices, load
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.drivers.sim.printer import SimPrinter
from edge.ports import Line, Printer

SITE = """\
kiosk_id = "K-1"
terminal_no = "001"
site = "测试社区"
mode = "demo"
[agency]
name = "测试中心"
office = "测试路1号"
phone = "12333"
[devices]
"""


def named(folder: Path, devices: str) -> Printer:
    path = folder / "site.toml"
    path.write_text(SITE + devices, encoding="utf-8")
    return printer(load(path), None)


@pytest.fixture
def sim() -> Iterator[SimPrinter]:
    found = SimPrinter(576, tcp=True)
    yield found
    found.close()


@pytest.mark.parametrize("raster", [False, True])
@pytest.mark.parametrize("cutter", [False, True])
def test_columns_cutter_and_raster(
    cutter: bool, raster: bool, sim: SimPrinter, tmp_path: Path
) -> None:
    driver = named(
        tmp_path,
        f'printer_port = "{sim.port}"\nprinter_columns = 48\n'
        f"printer_cutter = {str(cutter).lower()}\nprinter_raster = {str(raster).lower()}\n",
    )
    assert driver.provenance is Provenance.LIVE
    driver.open()
    driver.print_receipt([Line("生" * 24)])
    driver.print_receipt([Line("存")])
    driver.close()
    assert len(sim.sheets) == (2 if cutter else 1)
    assert sim.sheets[0].splitlines()[0] == ("[576 x 30 dots]" if raster else "生" * 24)


def test_baud_rate_reaches_the_port(tmp_path: Path) -> None:
    import termios

    serial_sim = SimPrinter()
    driver = named(tmp_path, f'printer_port = "{serial_sim.port}"\nprinter_baud = 19200\n')
    driver.open()
    with open(serial_sim.port, "rb", buffering=0) as port:
        assert termios.tcgetattr(port)[5] == termios.B19200
    driver.close()
    serial_sim.close()


def test_usb_is_asked_for_by_its_number(tmp_path: Path) -> None:
    """No printer here has this number, so whatever is installed says so or what is missing."""
    driver = named(tmp_path, 'printer = "escpos-usb"\nprinter_usb = "ffff:fffe"\n')
    with pytest.raises(DeviceError) as caught:
        driver.open()
    driver.close()
    assert caught.value.fault is Fault.ABSENT
    assert "ffff:fffe" in caught.value.detail or "install it" in caught.value.detail


def test_every_printer_setting_is_described() -> None:
    settings = {name for name in Devices.__dataclass_fields__ if name.startswith("printer")}
    assert settings == {
        "printer", "printer_port", "printer_usb", "printer_baud", "printer_columns",
        "printer_cutter", "printer_raster",
    }  # fmt: skip
    assert all(Devices.__dataclass_fields__[name].metadata["doc"] for name in settings)
