"""The codec against tables that were made without it."""

from __future__ import annotations

import hashlib

import pytest

from edge.drivers.idcard_frames import (
    MAX_LEN,
    Command,
    Garble,
    Reaction,
    Reply,
    Sw3,
    answers,
    command,
    decode,
    missing,
    sam_id,
    split_base,
)
from tests.idcard_bench import VECTORS, Vector

COMMANDS = {
    Command.RESET: "AAAAAA9669 0003 10FF EC",
    Command.STATUS: "AAAAAA9669 0003 11FF ED",
    Command.SAM_ID: "AAAAAA9669 0003 12FF EE",
    Command.FIND: "AAAAAA9669 0003 2001 22",
    Command.SELECT: "AAAAAA9669 0003 2002 21",
    Command.READ: "AAAAAA9669 0003 3001 32",
    Command.NEW_ADDRESS: "AAAAAA9669 0003 3003 30",
}
REPLIES = {
    "success": ("AAAAAA9669 0004 000090 94", 0x90, 0),
    "found": ("AAAAAA9669 0008 00009F 00000000 97", 0x9F, 4),
    "selected": ("AAAAAA9669 000C 000090 0000000000000000 9C", 0x90, 8),
    "sam id": ("AAAAAA9669 0014 000090 05000300A53A340187D61200B168DE3A 56", 0x90, 16),
}
ERROR_SUMS = (
    "10→14 11→15 21→25 23→27 24→20 31→35 32→36 33→37 40→44 41→45 "
    "47→43 60→64 66→62 80→84 81→85 91→95"
)
FOUND = bytes.fromhex(REPLIES["found"][0])
vectors = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())


def listen(stream: bytes, lump: int = 1) -> list[Reply | Garble]:
    """What a caller hears who gets `stream` in lumps."""
    heard, buffer = [], bytearray()
    for at in range(0, len(stream), lump):
        buffer += stream[at : at + lump]
        while True:
            used, message = decode(buffer)
            del buffer[:used]
            if message is not None:
                heard.append(message)
            if not used:
                break
    return heard


@pytest.mark.parametrize(("order", "frame"), COMMANDS.items())
def test_command_frames(order: Command, frame: str) -> None:
    assert command(order) == bytes.fromhex(frame)


def test_every_command_is_in_the_table_and_none_asks_for_fingerprints() -> None:
    assert set(COMMANDS) == set(Command)
    assert all(order.value != b"\x30\x10" for order in Command)


@pytest.mark.parametrize(("frame", "sw3", "size"), REPLIES.values(), ids=REPLIES.keys())
def test_replies(frame: str, sw3: int, size: int) -> None:
    raw = bytes.fromhex(frame)
    used, reply = decode(raw)
    assert used == len(raw)
    assert isinstance(reply, Reply)
    assert (reply.sw1, reply.sw2, reply.sw3, len(reply.data)) == (0, 0, sw3, size)


@pytest.mark.parametrize("pair", ERROR_SUMS.split())
def test_error_frames(pair: str) -> None:
    sw3, total = pair.split("→")
    raw = bytes.fromhex(f"AAAAAA9669 0004 0000 {sw3} {total}")
    assert decode(raw) == (11, Reply(0, 0, int(sw3, 16), b""))


@vectors
def test_vectors_are_the_published_ones(vector: Vector) -> None:
    assert len(vector.reply) == 1295
    assert hashlib.sha256(vector.reply).hexdigest() == vector.sha256


@vectors
def test_vectors_whole(vector: Vector) -> None:
    used, reply = decode(vector.reply)
    assert used == 1295
    assert isinstance(reply, Reply)
    assert reply.status is Sw3.SUCCESS
    assert split_base(reply.data) == (vector.text, bytes(1024))


@vectors
def test_vectors_at_every_split_point(vector: Vector) -> None:
    raw = vector.reply
    for cut in range(1, len(raw)):
        assert decode(raw[:cut]) == (0, None)
        assert 0 < missing(raw[:cut]) <= len(raw) - cut
    assert len(listen(raw)) == 1


@vectors
@pytest.mark.parametrize("lump", [1, 2, 7, 64, 4096])
def test_garbage_before_and_after(vector: Vector, lump: int) -> None:
    noise = bytes.fromhex("00 FF AA AA 13 AA AA AA 96 00")
    stream = noise + vector.reply + noise + FOUND + noise
    heard = listen(stream, lump)
    assert heard == [decode(vector.reply)[1], decode(FOUND)[1]]


@vectors
def test_garbage_inside_spoils_this_frame_and_not_the_next(vector: Vector) -> None:
    for at in (10, 200, 700, 1293):
        stream = vector.reply[:at] + b"\x55" + vector.reply[at:]
        heard = listen(stream + bytes(8) + FOUND, lump=97)
        assert heard == [Garble.CHECKSUM, decode(FOUND)[1]]


def test_a_preamble_in_the_photo_is_only_data() -> None:
    inner = bytes.fromhex("AAAAAA9669 0004 000041 45")
    photo = inner + bytes(1024 - 2 * len(inner)) + inner
    body = bytes.fromhex("0508 000090 0100 0400") + VECTORS["R"].text + photo
    total = 0
    for byte in body:
        total ^= byte
    whole = bytes.fromhex("AAAAAA9669") + body + bytes([total])
    (reply,) = listen(whole)
    assert isinstance(reply, Reply)
    assert split_base(reply.data) == (VECTORS["R"].text, photo)
    assert listen(whole[:-1] + bytes([total ^ 1])) == [Garble.CHECKSUM]


def test_preamble_with_an_aa_too_many() -> None:
    assert listen(b"\xaa" + FOUND) == [decode(FOUND)[1]]


def test_the_modules_own_time_out() -> None:
    pseudo = bytes.fromhex("AAAAAA9669 05050505")
    assert [missing(pseudo[:n]) for n in (7, 8)] == [2, 1]
    for lump in range(1, 10):
        assert listen(pseudo + FOUND, lump) == [Garble.TIME_OUT, decode(FOUND)[1]]


def test_a_vendors_header_is_reported_and_the_frame_in_it_is_taken() -> None:
    assert listen(bytes.fromhex("CADF0722") + FOUND, 4096) == [Garble.VENDOR, decode(FOUND)[1]]


@pytest.mark.parametrize("length", [0, 3, MAX_LEN + 1, 0xFFFF])
def test_an_impossible_length_costs_only_its_own_header(length: int) -> None:
    head = bytes.fromhex("AAAAAA9669") + length.to_bytes(2, "big")
    assert listen(head + FOUND) == [Garble.LENGTH, decode(FOUND)[1]]


def test_the_longest_length_is_waited_for() -> None:
    head = bytes.fromhex("AAAAAA9669") + MAX_LEN.to_bytes(2, "big")
    assert decode(head) == (0, None)
    assert missing(head) == MAX_LEN


def test_module_number() -> None:
    raw = bytes.fromhex(REPLIES["sam id"][0])
    reply = decode(raw)[1]
    assert isinstance(reply, Reply)
    assert sam_id(reply.data) == "05.03-20200101-0001234567-0987654321"


@pytest.mark.parametrize("data", [b"", b"\1", bytes(1284), bytes.fromhex("01000400") + bytes(1279)])
def test_blocks_of_other_sizes_are_no_card(data: bytes) -> None:
    assert split_base(data) is None


def test_text_without_a_photo_is_a_card() -> None:
    text = VECTORS["R"].text
    assert split_base(bytes.fromhex("01000000") + text) == (text, b"")


def test_every_status_has_a_reaction() -> None:
    assert all(isinstance(status.reaction, Reaction) for status in Sw3)
    assert Reply(0, 0, 0x77, b"").reaction is Reaction.RESTART


def test_a_reply_never_shows_its_data() -> None:
    reply = Reply(0, 0, 0x90, "测试甲".encode("utf-16-le"))
    assert "data" not in repr(reply)


GOOD = {
    Command.RESET: Reply(0, 0, 0x90, b""),
    Command.STATUS: Reply(0, 0, 0x90, b""),
    Command.SAM_ID: Reply(0, 0, 0x90, bytes(16)),
    Command.FIND: Reply(0, 0, 0x9F, bytes(4)),
    Command.SELECT: Reply(0, 0, 0x90, bytes(8)),
    Command.READ: Reply(0, 0, 0x90, bytes(1284)),
    Command.NEW_ADDRESS: Reply(0, 0, 0x90, bytes(70)),
}


@pytest.mark.parametrize("asked", Command)
@pytest.mark.parametrize("answered", Command)
def test_a_success_answers_its_own_command_only(asked: Command, answered: Command) -> None:
    alike = {asked, answered} <= {Command.RESET, Command.STATUS}
    assert answers(asked, GOOD[answered]) == (asked is answered or alike)


@pytest.mark.parametrize(
    ("sw3", "orders"),
    [
        (0x80, {Command.FIND}),
        (0x81, {Command.SELECT}),
        (0x91, {Command.NEW_ADDRESS}),
        (0x41, {Command.FIND, Command.SELECT, Command.READ, Command.NEW_ADDRESS}),
        (0x10, set(Command)),
        (0x66, set(Command)),
        (0x77, set(Command)),
    ],
)
def test_which_command_an_error_can_answer(sw3: int, orders: set[Command]) -> None:
    assert {order for order in Command if answers(order, Reply(0, 0, sw3, b""))} == orders
