"""Receipt text against an encoder somebody else wrote: npm's receiptline, pinned by hash.

It is installed once into `.cache/receiptline` (outside git) and never shipped.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from edge.drivers.receipt import layout
from edge.drivers.receipt_bytes import encode_text
from edge.drivers.sim.printer import SimPrinter
from edge.ports import Line
from tests.paper_bench import situations

TOOL = Path(__file__).parents[1] / "tools" / "receiptline"
LOCK = TOOL / "package-lock.json"
CACHE = Path(__file__).parents[2] / ".cache" / "receiptline" / sha256(LOCK.read_bytes()).hexdigest()
CHINESE_ON = bytes.fromhex("1b74001c26")
"""What receiptline sends before each text: a code page for letters, then Chinese mode."""


@pytest.fixture(scope="module")
def installed() -> Path:
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "encode.cjs"):
        shutil.copyfile(TOOL / name, CACHE / name)
    if not (CACHE / "node_modules" / ".package-lock.json").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install receiptline: {done.stderr.strip()[-200:]}")
    return CACHE


def run(installed: Path, work: str, texts: list[str]) -> list[bytes]:
    """`work` is `text` (bytes of one text) or `paper` (a whole job of these lines)."""
    done = subprocess.run(
        ["node", "encode.cjs", work],
        cwd=installed,
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return [bytes.fromhex(answer) for answer in json.loads(done.stdout)]


def encoded(installed: Path, texts: list[str]) -> list[bytes]:
    answers = run(installed, "text", texts)
    assert all(answer.startswith(CHINESE_ON) for answer in answers)
    return [answer.removeprefix(CHINESE_ON) for answer in answers]


def receipt_texts() -> list[str]:
    """Every different line of every receipt, in both widths and languages."""
    return sorted(
        {
            line.text
            for columns in (32, 48)
            for language in ("zh", "en")
            for items in situations(columns, language).values()
            for line in layout(items, columns)
            if isinstance(line, Line)
        }
    )


def test_every_line_of_every_receipt_has_the_same_bytes(installed: Path) -> None:
    texts = receipt_texts()
    assert len(texts) > 50
    ours = [encode_text(text) for text in texts]
    theirs = encoded(installed, texts)
    pictures = [text for text, code in zip(texts, ours, strict=True) if code is None]
    assert pictures == ["Name: 㐂*𠮷", "姓名：㐂*𠮷"]
    for text, code, expected in zip(texts, ours, theirs, strict=True):
        assert code in (None, expected), text


def test_every_hanzi_a_name_is_written_with(installed: Path) -> None:
    """U+4E00 to U+9FA5, all of which the double-byte part of GB18030 holds."""
    texts = [
        "".join(map(chr, range(at, min(at + 100, 0x9FA6)))) for at in range(0x4E00, 0x9FA6, 100)
    ]
    assert [encode_text(text) for text in texts] == encoded(installed, texts)


def test_the_simulated_printer_reads_what_somebody_elses_program_prints(installed: Path) -> None:
    """The simulator is not only right about our own driver."""
    lines = ["中文，测试：王·明 ￥5 €", "回执编号：FS012-20261123-0007", "请妥善保管，祝您健康。"]
    (job,) = run(installed, "paper", lines)
    sim = SimPrinter(tcp=True)
    host, port = sim.port.removeprefix("socket://").split(":")
    with closing(sim), socket.create_connection((host, int(port)), timeout=5) as cable:
        cable.sendall(job + b"\x1d\x72\x01")
        assert cable.recv(1) == b"\x00"  # once for receiptline's own GS r 1, once for ours
        assert cable.recv(1) == b"\x00"
        assert sim.text.splitlines() == lines
        assert sim.oddities == ()


def test_the_lock_names_exact_versions_and_hashes_and_no_address() -> None:
    lock = json.loads(LOCK.read_text("utf-8"))
    wanted = json.loads((TOOL / "package.json").read_text("utf-8"))["dependencies"]
    packages = {name: found for name, found in lock["packages"].items() if name}
    assert wanted == {"receiptline": packages["node_modules/receiptline"]["version"]}
    assert all(found["integrity"].startswith("sha512-") for found in packages.values())
    assert not any("resolved" in found for found in packages.values())
