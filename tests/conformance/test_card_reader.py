"""What every `CardReader` promises, simulated or on the desk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from edge.domain.errors import DeviceError, Fault
from edge.domain.people import CardIdentity, CardKind, Sex
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.idcard_serial import SerialCardReader
from edge.drivers.sim.idcard import SimSam
from edge.ports import CardReader
from tests.idcard_bench import CARDS
from tests.technician import Do, Technician

SLACK_S = 2.0  # a wait may outlast its limit by one command


@dataclass
class Rig:
    """A reader, somebody who lays cards on it, and a way to make a second reader."""

    reader: CardReader
    lay: Callable[[], None]
    lift: Callable[[], None]
    elsewhere: Callable[[], CardReader]


def serial_reader(port: str, provenance: Provenance) -> SerialCardReader:
    return SerialCardReader(
        port, mono_ns=lambda: MonoNs(time.monotonic_ns()), provenance=provenance
    )


def simulated(tcp: bool, profile: str) -> Iterator[Rig]:
    with SimSam(tcp=tcp, profile=profile, pace=True, work_s={"3001": 0.2}) as sam:
        reader = serial_reader(sam.port, Provenance.SIMULATED)
        yield Rig(
            reader,
            lay=lambda: sam.present(CARDS["R"]),
            lift=sam.lift,
            elsewhere=lambda: serial_reader("/nonexistent/reader", Provenance.SIMULATED),
        )
        reader.close()


def real(address: str, technician: Technician) -> Iterator[Rig]:
    reader = serial_reader(address, Provenance.LIVE)
    technician.do(Do.CARD_OFF_FIRST)
    yield Rig(
        reader,
        lay=lambda: technician.do(Do.CARD_ON),
        lift=lambda: technician.do(Do.CARD_OFF),
        elsewhere=lambda: serial_reader("/nonexistent/reader", Provenance.LIVE),
    )
    reader.close()


@pytest.fixture(params=["terminal-a", "tcp-b", "hardware"])
def rig(
    request: pytest.FixtureRequest, hardware: dict[str, str], technician: Technician
) -> Iterator[Rig]:
    if request.param != "hardware":
        line, _, profile = request.param.partition("-")
        yield from simulated(line == "tcp", profile)
    elif "card_reader" in hardware:
        yield from real(hardware["card_reader"], technician)
    else:
        pytest.skip("needs a reader: pytest tests/conformance --hardware card_reader=/dev/ttyUSB0")


def read_one(rig: Rig) -> CardIdentity:
    rig.lay()
    assert rig.reader.wait_for_card(5)
    return rig.reader.read()


def test_it_says_what_it_is(rig: Rig) -> None:
    assert rig.reader.name == "card_reader"
    assert not rig.reader.health().ok
    rig.reader.open()
    assert rig.reader.health().ok
    assert rig.reader.health().words
    assert len(rig.reader.reader_id()) in (0, 36)
    assert isinstance(rig.reader.provenance, Provenance)


def test_no_card_is_an_answer_and_comes_in_time(rig: Rig) -> None:
    rig.reader.open()
    for limit_s in (0.0, 0.5):
        start_s = time.monotonic()
        assert rig.reader.wait_for_card(limit_s) is False
        assert limit_s <= time.monotonic() - start_s < limit_s + SLACK_S


def test_a_card_is_read(rig: Rig) -> None:
    rig.reader.open()
    card = read_one(rig)
    assert isinstance(card.kind, CardKind)
    assert isinstance(card.sex, Sex)
    assert isinstance(card.birth, date)
    assert card.name
    assert len(card.id_number) in (15, 18)
    assert len(card.photo) in (0, 1024)
    assert len(card.name_raw) in (30, 92, 120)
    assert card.name not in repr(card)
    assert card.id_number not in repr(card)


def test_a_lying_card_is_there_and_a_lifted_one_is_gone(rig: Rig) -> None:
    rig.reader.open()
    read_one(rig)
    assert rig.reader.wait_for_removal(1.0) is False
    rig.lift()
    assert rig.reader.wait_for_removal(5) is True
    assert rig.reader.wait_for_card(0.5) is False


def test_one_visit_after_the_other(rig: Rig) -> None:
    rig.reader.open()
    for _ in range(2):
        assert read_one(rig).id_number
        rig.lift()
        assert rig.reader.wait_for_removal(5)


def test_reading_without_a_card_asks_for_one(rig: Rig) -> None:
    rig.reader.open()
    with pytest.raises(DeviceError) as call:
        rig.reader.read()
    assert call.value.fault is Fault.GARBLED
    assert read_one(rig).id_number


def test_a_card_taken_away_before_the_read(rig: Rig) -> None:
    rig.reader.open()
    rig.lay()
    assert rig.reader.wait_for_card(5)
    rig.lift()
    with pytest.raises(DeviceError) as call:
        rig.reader.read()
    assert call.value.fault is Fault.GARBLED
    assert read_one(rig).id_number


def test_close_twice_and_open_again(rig: Rig) -> None:
    for _ in range(2):
        rig.reader.open()
        rig.reader.close()
        rig.reader.close()
    for call in (rig.reader.read, lambda: rig.reader.wait_for_card(0.1)):
        with pytest.raises(DeviceError) as raised:
            call()
        assert raised.value.fault is Fault.ABSENT
    rig.reader.open()
    assert read_one(rig).id_number


def test_a_device_that_is_not_there(rig: Rig) -> None:
    reader = rig.elsewhere()
    with pytest.raises(DeviceError) as call:
        reader.open()
    assert call.value.fault is Fault.ABSENT
    assert call.value.device == reader.name
    assert reader.health().fix
    reader.close()
    reader.close()


def test_close_ends_a_wait(rig: Rig) -> None:
    rig.reader.open()
    ended: list[object] = []
    ended_s: list[float] = []
    about_to_wait = threading.Event()

    def wait() -> None:
        about_to_wait.set()
        try:
            ended.append(rig.reader.wait_for_card(60))
        except DeviceError as error:  # closed just before the wait began
            ended.append(error.fault)
        ended_s.append(time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert about_to_wait.wait(5)
    start_s = time.monotonic()
    rig.reader.close()
    waiting.join(5)
    assert ended_s[0] - start_s < 0.5
    assert ended in ([False], [Fault.ABSENT])
