"""The simulated module against the description of the protocol; the driver plays no part."""

from __future__ import annotations

import hashlib
import os
import select
import socket
import termios
import threading
import tty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.drivers.sim.idcard import FAULTS, SamMachine, SimSam, sim_frame
from tests.idcard_bench import CARDS, VECTORS
from tests.leftovers import open_files

STATUS = "AAAAAA9669 0003 11FF ED"
SAM_ID = "AAAAAA9669 0003 12FF EE"
FIND = "AAAAAA9669 0003 2001 22"
SELECT = "AAAAAA9669 0003 2002 21"
READ = "AAAAAA9669 0003 3001 32"
ADDRESS = "AAAAAA9669 0003 3003 30"
FINGERPRINTS = "AAAAAA9669 0003 3010 23"

OK = "AAAAAA9669 0004 000090 94"
FOUND = "AAAAAA9669 0008 00009F 00000000 97"
SELECTED = "AAAAAA9669 000C 000090 0000000000000000 9C"
NO_CARD = "AAAAAA9669 0004 000080 84"
NOT_SELECTED = "AAAAAA9669 0004 000081 85"
NOT_READ = "AAAAAA9669 0004 000041 45"
NO_ADDRESS = "AAAAAA9669 0004 000091 95"


def say(sam: SamMachine, order: str, now_s: float = 0.0) -> bytes:
    sam.receive(bytes.fromhex(order), now_s)
    return sam.send(now_s)


def talk(sam: SamMachine, *exchange: tuple[str, str]) -> None:
    for order, reply in exchange:
        assert say(sam, order) == bytes.fromhex(reply)


def read_card(sam: SamMachine) -> bytes:
    talk(sam, (FIND, FOUND), (SELECT, SELECTED))
    return say(sam, READ)


@pytest.mark.parametrize("name", VECTORS)
def test_cards_are_the_published_vectors(name: str) -> None:
    sam = SamMachine()
    sam.present(CARDS[name])
    reply = read_card(sam)
    assert CARDS[name].text_block() == VECTORS[name].text
    assert (len(reply), reply[-1]) == (1295, VECTORS[name].chk)
    assert hashlib.sha256(reply).hexdigest() == VECTORS[name].sha256


def test_the_published_session() -> None:
    sam = SamMachine()
    talk(sam, (STATUS, OK), (FIND, NO_CARD))
    sam.present(CARDS["R"])
    assert read_card(sam) == VECTORS["R"].reply
    talk(sam, (ADDRESS, NO_ADDRESS))
    sam.lift()
    talk(sam, (ADDRESS, NOT_READ), (ADDRESS, NOT_READ))
    assert sam.log == ("11FF", "2001", "2001", "2002", "3001", "3003", "3003", "3003")


def test_module_number_and_later_address() -> None:
    sam = SamMachine()
    number = "AAAAAA9669 0014 000090 05000300A53A340187D61200B168DE3A 56"
    talk(sam, (SAM_ID, number))
    sam.present(replace(CARDS["R"], new_address="测试省测试市新址路9号"))
    talk(sam, (FIND, FOUND), (SELECT, SELECTED))
    reply = say(sam, ADDRESS)
    assert (len(reply), reply[5:7].hex(), reply[-1]) == (81, "004a", 0xCD)


def test_out_of_order() -> None:
    sam = SamMachine()
    talk(sam, (SELECT, NOT_SELECTED), (READ, NOT_READ), (ADDRESS, NOT_READ))
    sam.present(CARDS["R"])
    talk(sam, (SELECT, NOT_SELECTED), (READ, NOT_READ), (ADDRESS, NOT_READ))
    other = SamMachine(wrong_state_sw3=0x34)
    assert say(other, READ) == sim_frame(0x34)


def test_profiles_differ_after_a_good_read() -> None:
    for profile, after in (("a", NO_CARD), ("b", FOUND)):
        sam = SamMachine(profile=profile)
        sam.present(CARDS["R"])
        read_card(sam)
        talk(sam, (FIND, after))
        sam.lift()
        sam.present(CARDS["R"])
        assert read_card(sam) == VECTORS["R"].reply
    with pytest.raises(ValueError, match="profile"):
        SamMachine(profile="c")


def test_what_it_does_not_understand() -> None:
    sam = SamMachine()
    assert say(sam, FINGERPRINTS) == sim_frame(0x21)
    assert say(sam, "AAAAAA9669 0003 2001 23") == sim_frame(0x10)
    assert say(sam, "AAAAAA9669 0004 2001 00 25") == sim_frame(0x11)
    assert say(sam, "00FFAAAA" + FIND) == sim_frame(0x80)


def test_commands_may_arrive_in_pieces_and_are_done_in_turn() -> None:
    sam = SamMachine(work_s={"2001": 1.0})
    for byte in bytes.fromhex(FIND + STATUS):
        sam.receive(bytes([byte]), 0.0)
    assert sam.send(0.5) == b""
    assert sam.due_s() == 1.0
    assert sam.send(1.0) + sam.send(1.0) == sim_frame(0x80) + sim_frame(0x90)


def test_a_card_lifted_during_the_read_is_not_read() -> None:
    sam = SamMachine(work_s={"3001": 0.9})
    sam.present(CARDS["R"])
    talk(sam, (FIND, FOUND), (SELECT, SELECTED))
    assert say(sam, READ) == b""
    sam.lift()
    assert sam.send(1.0) == bytes.fromhex(NOT_READ)


def test_the_wire_takes_its_time() -> None:
    sam = SamMachine(baud=9600)
    sam.present(CARDS["R"])
    sam.receive(bytes.fromhex(FIND), 0.0)
    assert sam.send(0.015) == b""
    assert sam.send(0.0157) == bytes.fromhex(FOUND)
    sam.receive(bytes.fromhex(SELECT), 1.0)
    sam.send(2.0)
    sam.receive(bytes.fromhex(READ), 2.0)
    halfway = sam.send(2.0 + 0.675)
    assert 600 < len(halfway) < 650
    assert halfway + sam.send(2.0 + 1295 * 10 / 9600 + 1e-6) == VECTORS["R"].reply


FOUND_RAW = bytes.fromhex(FOUND)
SPOILT = {
    "bad_sum": lambda heard: heard[:-1] == FOUND_RAW[:-1] and heard[-1] != FOUND_RAW[-1],
    "duplicate": lambda heard: heard == 2 * FOUND_RAW,
    "garbage_after": lambda heard: heard.startswith(FOUND_RAW) and len(heard) > 15,
    "garbage_before": lambda heard: heard.endswith(FOUND_RAW) and len(heard) > 15,
    "glued": lambda heard: heard == FOUND_RAW + sim_frame(0x90),
    "lifted": lambda heard: heard == sim_frame(0x80),
    "short": lambda heard: heard == FOUND_RAW[:8],
    "silence": lambda heard: heard == b"",
    "stuck_80": lambda heard: heard == sim_frame(0x80),
    "time_out_frame": lambda heard: heard == bytes.fromhex("AAAAAA966905050505"),
    "too_long": lambda heard: int.from_bytes(heard[5:7], "big") > 2560,
    "vendor_header": lambda heard: heard.startswith(b"\xca\xdf") and heard.endswith(FOUND_RAW),
}


@pytest.mark.parametrize("name", SPOILT)
def test_faults(name: str) -> None:
    sam = SamMachine()
    sam.present(CARDS["R"])
    sam.fault(name, on="2001", value=8)
    assert say(sam, STATUS) == sim_frame(0x90)
    assert SPOILT[name](say(sam, FIND))
    sam.present(CARDS["R"])
    assert say(sam, FIND) == FOUND_RAW, "once means once"


def test_faults_that_need_time_or_a_value() -> None:
    sam = SamMachine()
    sam.fault("late", value=2)
    sam.fault("sw3", on="2001", value=0x66)
    assert say(sam, STATUS, 0.0) == b""
    assert say(sam, FIND, 1.0) == b"", "it works in turn"
    assert sam.send(2.0) + sam.send(2.0) == sim_frame(0x90) + sim_frame(0x66)
    sam.fault("one_byte_writes")
    sam.receive(bytes.fromhex(STATUS), 3.0)
    assert len(sam._out) == 11
    assert set(FAULTS) == {*SPOILT, "late", "sw3", "one_byte_writes"}
    with pytest.raises(ValueError, match="no fault is called smoke"):
        sam.fault("smoke")


def test_faults_last_until_they_are_cleared() -> None:
    sam = SamMachine()
    sam.fault("silence", times=None)
    assert [say(sam, STATUS) for _ in range(3)] == [b""] * 3
    sam.clear_faults()
    assert say(sam, STATUS) == sim_frame(0x90)


def test_after_a_read_error_the_card_has_to_be_lifted() -> None:
    sam = SamMachine()
    sam.present(CARDS["R"])
    sam.fault("sw3", on="3001", value=0x33)
    assert read_card(sam) == sim_frame(0x33)
    talk(sam, (FIND, NO_CARD))
    sam.present(CARDS["R"])
    assert read_card(sam) == VECTORS["R"].reply


# --- behind a terminal and behind a port, with a client of a dozen lines -----------


@pytest.fixture(params=["terminal", "tcp"])
def sam(request: pytest.FixtureRequest) -> Iterator[SimSam]:
    with SimSam(tcp=request.param == "tcp") as sim:
        yield sim


def dial(port: str) -> socket.socket | int:
    if port.startswith("socket://"):
        host, _, number = port.removeprefix("socket://").partition(":")
        return socket.create_connection((host, int(number)))
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    settings = termios.tcgetattr(fd)
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    return fd


def exchange(end: socket.socket | int, order: str, size: int) -> bytes:
    fd = end if isinstance(end, int) else end.fileno()
    os.write(fd, bytes.fromhex(order))
    heard = b""
    while len(heard) < size:
        assert select.select([fd], [], [], 5)[0], f"only {len(heard)} of {size} bytes came"
        heard += os.read(fd, 4096)
    return heard


def hang_up(end: socket.socket | int) -> None:
    os.close(end) if isinstance(end, int) else end.close()


def test_a_client_without_our_driver(sam: SimSam) -> None:
    sam.present(CARDS["R"])
    for _ in range(2):
        end = dial(sam.port)
        assert exchange(end, STATUS, 11) == sim_frame(0x90)
        hang_up(end)
    end = dial(sam.port)
    exchange(end, FIND, 15)
    exchange(end, SELECT, 19)
    assert exchange(end, READ, 1295) == VECTORS["R"].reply
    hang_up(end)
    assert sam.log == ("11FF", "11FF", "2001", "2002", "3001")


def test_it_goes_and_comes_back_under_the_same_name(sam: SimSam) -> None:
    port = sam.port
    sam.vanish()
    sam.vanish()
    with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
        dial(port)
    sam.come_back()
    sam.come_back()
    end = dial(port)
    assert exchange(end, STATUS, 11) == sim_frame(0x90)
    hang_up(end)


def test_nothing_is_left_behind(sam: SimSam) -> None:
    before = open_files(), threading.active_count()
    others = [SimSam(), SimSam(tcp=True)]
    for other in others:
        other.close()
        other.close()
    assert (open_files(), threading.active_count()) == before
    assert not Path(others[0].port).parent.exists()
