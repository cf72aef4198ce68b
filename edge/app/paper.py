"""Something on the receipt printer from the command line, or the picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from edge.app.clock import mono_ns
from edge.app.compose import printer
from edge.app.config import Config
from edge.app.lock import devices_of
from edge.app.world import make_world
from edge.domain.record import Provenance
from edge.drivers.printer_cables import by_address
from edge.drivers.printer_escpos import EscposPrinter
from edge.drivers.sim.printer import SimPrinter
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import ReceiptItem

_DOTS = {32: 384, 48: 576}


def put_on_paper(config: Config, items: Sequence[ReceiptItem]) -> None:
    """Returns on the printer's own word. Raises `InUseError` while a kiosk has the devices."""
    with ExitStack() as stack:
        stack.enter_context(devices_of(config))
        world = None
        if config.mode == "demo":
            dots = _DOTS[config.devices.printer_columns]
            world = stack.enter_context(closing(make_world(SCENARIOS["good-day"], mono_ns, dots)))
        device = stack.enter_context(closing(printer(config, world)))
        device.open()
        device.print_receipt(items)


def draw(config: Config, items: Sequence[ReceiptItem], path: Path) -> None:
    """As the simulated printer puts it on paper; needs no device."""
    columns = config.devices.printer_columns
    with closing(SimPrinter(_DOTS[columns])) as paper:
        device = EscposPrinter(
            by_address(paper.port),
            mono_ns=mono_ns,
            columns=columns,
            cutter=config.devices.printer_cutter,
            pictures=config.devices.printer_raster,
            provenance=Provenance.SIMULATED,
        )
        with closing(device):
            device.open()
            device.print_receipt(items)
        paper.save_png(path)
