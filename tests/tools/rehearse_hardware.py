"""The way to a real device, walked with a simulator at the end of a real cable.

    python -m tests.tools.rehearse_hardware printer

runs `pytest tests/conformance --hardware printer=…` with a stand-in for the person at
the desk, who does to the simulator what a technician is asked to do to the device.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.drivers.sim.idcard import SimSam
from edge.drivers.sim.printer import Fault, SimPrinter
from edge.drivers.sim.scanner import SimScanner
from tests.alsa_bench import SoundCards
from tests.idcard_bench import CARDS
from tests.panel_bench import PINS, Housing
from tests.technician import Do

Acts = Mapping[Do, Callable[[], object]]


@dataclass
class StandIn:
    """Implements `Technician`. Whatever it is not told how to do is an error of the suite."""

    acts: Acts
    show: Callable[[str], None] = lambda code: None
    looks: Callable[[str], bool] = lambda question: True

    def do(self, what: Do) -> None:
        self.acts[what]()

    def begin(self, what: Do) -> None:
        self.acts[what]()

    def show_code(self, code: str) -> None:
        self.show(code)

    def sees(self, question: str) -> bool:
        return self.looks(question)


@dataclass
class Brings:
    """A pytest plugin that gives the suite its technician."""

    technician: StandIn

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self.technician, "technician")


@dataclass
class Bench:
    """What stands on the desk: the address for `--hardware`, and who handles it."""

    address: str
    technician: StandIn


@contextmanager
def card_reader() -> Iterator[Bench]:
    with SimSam(tcp=False) as sam:
        acts: Acts = {
            Do.CARD_OFF_FIRST: sam.lift,
            Do.CARD_ON: lambda: sam.present(CARDS["R"]),
            Do.CARD_OFF: sam.lift,
        }
        yield Bench(sam.port, StandIn(acts))


@contextmanager
def printer() -> Iterator[Bench]:
    """On a pseudo-terminal; what is seen on the paper is what the simulator printed."""
    sim = SimPrinter(384)

    def read(question: str) -> bool:
        if "盖好了" in question:
            return sim.sheets[-1] == "盖好了 closed again"
        return "验证成功。" in sim.sheets[-1] and "dots" in sim.sheets[-1]

    acts: Acts = {
        Do.COVER_OPEN: lambda: sim.add(Fault.COVER_OPEN),
        Do.COVER_CLOSE: lambda: sim.clear(Fault.COVER_OPEN),
        Do.PAPER_OUT: lambda: sim.add(Fault.PAPER_OUT),
        Do.PAPER_IN: lambda: sim.clear(Fault.PAPER_OUT),
        Do.PRINTER_PULL: sim.vanish,
        Do.PRINTER_PLUG: sim.reconnect,
    }
    yield Bench(sim.port + "@115200", StandIn(acts, looks=read))
    sim.close()


@contextmanager
def scanner() -> Iterator[Bench]:
    """A GM65 on a pseudo-terminal."""
    sim = SimScanner(triggered=True)
    acts: Acts = {Do.SCANNER_PULL: sim.vanish, Do.SCANNER_PLUG: sim.reconnect}
    yield Bench("gm65:" + sim.port, StandIn(acts, show=sim.show))
    sim.close()


@contextmanager
def voice() -> Iterator[Bench]:
    """`aplay` under a configuration whose card writes a file."""
    with tempfile.TemporaryDirectory() as folder:
        cards = SoundCards(Path(folder))
        os.environ["ALSA_CONFIG_PATH"] = str(cards.config)

        def heard(_question: str) -> bool:
            """The last utterance has to be over first."""
            end_s = time.monotonic() + 5
            while len(cards.played) < 22_050 and time.monotonic() < end_s:
                time.sleep(0.05)
            return any(cards.played)

        acts: Acts = {Do.SOUND_PULL: cards.unplug, Do.SOUND_PLUG: cards.plug_in}
        yield Bench("Desk", StandIn(acts, looks=heard))
        os.close(cards.pipe)


@contextmanager
def panel() -> Iterator[Bench]:
    """gpiozero's mock pins in the place of lgpio's, below `pi_board`: the nearest thing to a Pi."""
    housing = Housing()
    pins = types.ModuleType("gpiozero.pins.lgpio")
    pins.LGPIOFactory = lambda: housing  # type: ignore[attr-defined]
    pins.lgpio = types.SimpleNamespace(error=OSError)  # type: ignore[attr-defined]
    sys.modules[pins.__name__] = pins

    def drive(pin: int, level: bool | None) -> Callable[[], None]:
        return lambda: housing.drive(pin, level)

    acts: Acts = {
        Do.TAMPER_OPEN: drive(PINS.tamper, None),
        Do.TAMPER_CLOSE: drive(PINS.tamper, False),
        Do.PAPER_SWITCH_OPEN: drive(PINS.paper, None),
        Do.PAPER_SWITCH_CLOSE: drive(PINS.paper, False),
        Do.CALL_PRESS: drive(PINS.call_button, False),
        Do.CALL_RELEASE: drive(PINS.call_button, None),
    }
    yield Bench("default", StandIn(acts, looks=lambda question: _is_lit(housing, question)))


_LEDS = {
    "Is only the ready light on?": (True, False, False),
    "Is only the busy light on?": (False, True, False),
    "Is the busy and the trouble light on?": (False, True, True),
    "Is only the trouble light on?": (False, False, True),
    "Are all status lights dark?": (False, False, False),
}


def _is_lit(housing: Housing, question: str) -> bool:
    if question in _LEDS:
        return housing.leds() == _LEDS[question]
    percent = question.removeprefix("Is the fill light at ").removesuffix("%?")
    return round(100 * housing.level(PINS.fill_light)) == int(percent)


BENCHES = {
    "card_reader": card_reader,
    "panel": panel,
    "printer": printer,
    "scanner": scanner,
    "voice": voice,
}


def main(device: str, *options: str) -> int:
    with ExitStack() as stack:
        bench = stack.enter_context(BENCHES[device]())
        suite = f"tests/conformance/test_{device}.py"
        named = [suite, "-k", "hardware", "--hardware", f"{device}={bench.address}"]
        return int(pytest.main([*named, "-q", *options], plugins=[Brings(bench.technician)]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
