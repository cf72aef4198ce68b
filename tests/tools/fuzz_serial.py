"""Spoilt replies of the card reader, by the million, against codec and parser.

    python -m tests.tools.fuzz_serial [--frames 1000000] [--seed 1] [--out fuzz/serial.json]

Each round spoils one reply, puts a clean one behind it, feeds both to the codec in
lumps and looks at everything that comes out. Exit code 1 if there was an exception
or a wrong accept.

What a wrong accept is. The protocol guards a reply with one XOR byte and nothing
else. XOR finds every error within one byte; of larger errors about one in 256
cancels out, and what arrives then *is* a correct frame: no decoder can know. So:

* invented: a reply was handed out whose bytes did not stand in the stream as a whole
  frame with preamble, length and checksum (looked up here, without the codec);
* missed: one byte behind the length was changed, which XOR must find, and still a
  reply came out that nobody sent;

are wrong accepts, and `undetectable` are the correct frames that nobody sent, by kind
of error. `undetectable_persons` are those among them that the driver would have
taken for the answer to READ with a text block that is no card's. They are not
hidden: the number's own check digit flags most, and the person confirms the name.

`clean_replies_lost` are clean replies eaten by a spoilt one in front that announced
more than it had. That is the protocol's rule (a frame of known length is never
entered); on a real line nothing follows before the next question, and the driver asks
again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import reduce
from operator import xor
from pathlib import Path

from rich.progress import track

from edge.domain.idnumber import card_flags
from edge.drivers.idcard_frames import (
    MAX_LEN,
    Command,
    Garble,
    Reply,
    Sw3,
    answers,
    decode,
    missing,
    split_base,
)
from edge.drivers.idcard_text import parse
from edge.drivers.sim.idcard import SimCard, sim_frame
from edge.drivers.sim.idcard_cards import CATALOGUE
from tests.idcard_bench import VECTORS, crowd

MARK = bytes.fromhex("AAAAAA9669")
TODAY = date(2026, 11, 23)


def read_reply(card: SimCard) -> bytes:
    return sim_frame(0x90, bytes.fromhex("01000400") + card.text_block() + card.photo_block)


PERSONS = [
    *(vector.reply for vector in VECTORS.values()),
    *map(read_reply, CATALOGUE.values()),
    *map(read_reply, crowd(20)),
]
SHORT = [
    *(sim_frame(sw3) for sw3 in (0x90, 0x80, 0x81, 0x91, 0x41, 0x10, 0x21, 0x33, 0x66)),
    sim_frame(0x9F, bytes(4)),
    sim_frame(0x90, bytes(8)),
    sim_frame(0x90, bytes.fromhex("05000300A53A340187D61200B168DE3A")),
    sim_frame(0x90, CATALOGUE["new_address"].new_address_block()),
]
TEXTS = {frame[14:270] for frame in PERSONS}

# --- ways to spoil a reply --------------------------------------------------------------

Chance = random.Random


def one_byte(frame: bytes, chance: Chance) -> bytes:
    """Behind the length: what XOR has to find."""
    at = chance.randrange(7, len(frame))
    return frame[:at] + bytes([frame[at] ^ chance.randrange(1, 256)]) + frame[at + 1 :]


def head_byte(frame: bytes, chance: Chance) -> bytes:
    at = chance.randrange(7)
    return frame[:at] + bytes([frame[at] ^ chance.randrange(1, 256)]) + frame[at + 1 :]


def head(frame: bytes, chance: Chance) -> bytes:
    return frame[:5] + chance.randbytes(chance.randrange(1, 6)) + frame[10:]


def one_lost(frame: bytes, chance: Chance) -> bytes:
    at = chance.randrange(len(frame))
    return frame[:at] + frame[at + 1 :]


def one_added(frame: bytes, chance: Chance) -> bytes:
    at = chance.randrange(len(frame))
    return frame[:at] + chance.randbytes(1) + frame[at:]


def burst(frame: bytes, chance: Chance) -> bytes:
    at, size = chance.randrange(len(frame)), chance.randrange(2, 20)
    return frame[:at] + chance.randbytes(size) + frame[at + size :]


def heap(frame: bytes, chance: Chance) -> bytes:
    spoilt = bytearray(frame)
    for _ in range(chance.randrange(2, 40)):
        spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


def cut_off(frame: bytes, chance: Chance) -> bytes:
    return frame[: chance.randrange(len(frame))]


def cut_on(frame: bytes, chance: Chance) -> bytes:
    return frame[chance.randrange(1, len(frame)) :]


def torn(frame: bytes, chance: Chance) -> bytes:
    """A piece of it comes twice."""
    first, second = sorted(chance.choices(range(len(frame) + 1), k=2))
    return frame[:second] + frame[first:]


def preamble_inside(frame: bytes, chance: Chance) -> bytes:
    at = chance.randrange(len(frame))
    return frame[:at] + MARK[: chance.randrange(1, 6)] + frame[at:]


def noise_before(frame: bytes, chance: Chance) -> bytes:
    mixed = chance.choice((b"\xaa", MARK[:3], b"\xca\xdf", MARK, chance.randbytes(3)))
    return mixed * chance.randrange(1, 9) + frame


KINDS = (one_byte, head_byte, head, one_lost, one_added, burst, heap, cut_off, cut_on, torn,
         preamble_inside, noise_before)  # fmt: skip
XOR_MUST_FIND = one_byte


# --- judging ----------------------------------------------------------------------------


def swallow(stream: bytes, lumps: Callable[[int], int]) -> list[Reply | Garble]:
    """Feed the codec as a line would; `lumps` makes a size of the size it asked for."""
    heard: list[Reply | Garble] = []
    buffer, at = bytearray(), 0
    while at < len(stream):
        wanted = missing(buffer)
        assert 0 < wanted <= MAX_LEN, "asked for a foolish number of bytes"
        size = lumps(wanted)
        buffer += stream[at : at + size]
        at += size
        _take_all(buffer, heard)
        assert len(buffer) < MAX_LEN + 7, "hoards bytes"
    return heard


def _take_all(buffer: bytearray, heard: list[Reply | Garble]) -> None:
    while True:
        used, message = decode(buffer)
        assert 0 <= used <= len(buffer), "used what it had not got"
        del buffer[:used]
        if message is not None:
            assert used, "the same message for ever"
            heard.append(message)
        if not used:
            return


def as_frame(reply: Reply) -> bytes:
    """Put together again without the codec."""
    body = bytes([reply.sw1, reply.sw2, reply.sw3]) + reply.data
    covered = (len(body) + 1).to_bytes(2, "big") + body
    return MARK + covered + bytes([reduce(xor, covered)])


def person_in(reply: Reply) -> bytes | None:
    """The text block the driver would go on with."""
    if reply.status is not Sw3.SUCCESS or not answers(Command.READ, reply):
        return None
    blocks = split_base(reply.data)
    return blocks[0] if blocks else None


@dataclass(slots=True)
class Tally:
    """What happened."""

    frames: int = 0
    exceptions: int = 0
    wrong_accepts: int = 0
    invented: int = 0
    missed: int = 0
    replies: int = 0
    clean_replies_lost: int = 0
    undetectable: dict[str, int] = field(default_factory=dict)
    undetectable_persons: int = 0
    undetectable_persons_flagged: int = 0
    first_exception: str = ""

    def judge(self, kind: str, stream: bytes, sent: tuple[bytes, bytes], lump: int) -> None:
        heard = swallow(stream, lambda wanted: min(wanted, lump) if lump else wanted)
        replies = [message for message in heard if isinstance(message, Reply)]
        self.replies += len(replies)
        frames = [as_frame(reply) for reply in replies]
        self.clean_replies_lost += sent[1] not in frames
        for reply, frame in zip(replies, frames, strict=True):
            self._weigh(kind, reply, frame, stream, sent)

    def _weigh(
        self, kind: str, reply: Reply, frame: bytes, stream: bytes, sent: tuple[bytes, bytes]
    ) -> None:
        person = person_in(reply)
        flags = card_flags(parse(person), TODAY) if person else ()
        if frame in sent:
            return
        if frame not in stream:
            self.invented += 1
        elif kind == XOR_MUST_FIND.__name__:
            self.missed += 1
        else:
            self.undetectable[kind] = self.undetectable.get(kind, 0) + 1
        self.wrong_accepts = self.invented + self.missed
        if person and person not in TEXTS:
            self.undetectable_persons += 1
            self.undetectable_persons_flagged += bool(flags)


def campaign(frames: Iterable[int], seed: int) -> Tally:
    chance, tally = random.Random(seed), Tally()
    for number in frames:
        spoil = KINDS[number % len(KINDS)]
        sent = chance.choice(PERSONS if number // len(KINDS) % 2 else SHORT)
        follower = chance.choice(PERSONS if chance.random() < 0.3 else SHORT)
        stream = spoil(sent, chance) + follower
        lump = chance.choice((0, 0, 0, 64, 7)) if number % 100 else 1
        tally.frames += 1
        try:
            tally.judge(spoil.__name__, stream, (sent, follower), lump)
        except Exception as error:  # noqa: BLE001 - any exception at all is what is counted
            tally.exceptions += 1
            tally.first_exception = tally.first_exception or f"{spoil.__name__}: {error!r}"
    return tally


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.tools.fuzz_serial")
    words.add_argument("--frames", type=int, default=1_000_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--out", type=Path, default=Path("fuzz/serial.json"))
    args = words.parse_args()
    start_s = time.monotonic()
    tally = campaign(track(range(args.frames), "spoilt frames"), args.seed)
    report = asdict(tally) | {"seconds": round(time.monotonic() - start_s, 1), "seed": args.seed}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    return 1 if tally.exceptions or tally.wrong_accepts else 0


if __name__ == "__main__":
    sys.exit(main())
