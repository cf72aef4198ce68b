"""`audit`, `receipt` and `templates` at the command line."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge.app.cli import main
from edge.app.clock import SystemTime
from edge.app.compose import disk_of
from edge.app.config import Config, load
from edge.app.disk import TEMPLATES
from edge.app.ids import new_record_id
from edge.app.seal import PROOF
from edge.app.sealing import Keyring
from edge.domain.people import PersonId
from edge.ports import Line
from edge.store.templates import Template, TemplateStore
from edge.wire import messages
from edge.wire.envelope import Header, canonical, sha256_hex, sign
from provisioning.site import make_site

Run = Callable[..., Any]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A kiosk with two records and a receipt."""
    made = load(make_site(tmp_path, ["K-1"]).kiosk("K-1") / "site.toml")
    keyring = Keyring.load(made)
    with closing(disk_of(made, keyring, SystemTime())) as disk:
        for _ in range(2):
            record_id = new_record_id()
            build = lambda place, r=record_id: disk._seal.notice(messages.CLOCK, r, b"{}", place)  # noqa: E731
            disk.commit(record_id, messages.CLOCK, build)
        disk.keep_receipt("7QF3-0XKM-2C9D-V5TA", (Line("生存认证回执"), Line("姓名：王*华")))
    return made


@pytest.fixture
def run(config: Config, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str, code: int = 0) -> Any:
        site = str(config.base / "site.toml")
        assert main(["--log-level", "ERROR", *words, "--site", site]) == code
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in words else out

    return run


def test_audit_verify_names_the_first_broken_entry(run: Run, config: Config) -> None:
    assert run("audit", "verify", "--json") == {"sound": True, "records": 2, "broken": None}
    assert "records here: 2" in run("audit", "verify")
    with closing(sqlite3.connect(config.database)) as intruder:
        intruder.execute("DROP TRIGGER records_never_change")
        intruder.execute("UPDATE records SET payload = x'00' WHERE seq = 2")
        intruder.commit()
    assert "record 2: changed" in run("audit", "verify", code=1)
    assert run("audit", "verify", "--json", code=1)["broken"] == {"seq": 2, "why": "changed"}


def test_the_digest_can_be_checked_from_paper_alone(run: Run, config: Config) -> None:
    told = run("audit", "digest", "--json")
    assert (told["count"], told["first_seq"], told["last_seq"]) == (2, 1, 2)
    facts = {name: told[name] for name in told if name not in ("kiosk", "signature", "signed")}
    body = canonical(facts)
    message_id = str(uuid.UUID(sha256_hex(body)[:32]))
    again = sign(Header(PROOF, message_id, "K-1", "K-1"), body, Keyring.load(config).sign)
    assert json.loads(again)["sig"] == told["signature"]
    assert run("audit", "digest", "--json", "--day", "2026-01-01")["count"] == 0


def test_the_digest_asks_before_it_uses_paper(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[Any] = []
    monkeypatch.setattr("edge.app.paper.put_on_paper", lambda _, items: printed.append(items))
    monkeypatch.setattr("builtins.input", lambda _: "n")
    run("audit", "digest", "--print")
    assert printed == []
    monkeypatch.setattr("builtins.input", lambda _: "y")
    run("audit", "digest", "--print")
    run("audit", "digest", "--print", "--yes")
    assert len(printed) == 2
    assert "当日记录摘要" in printed[0][0].text


def test_a_receipt_is_shown_listed_and_drawn(run: Run, tmp_path: Path) -> None:
    assert run("receipt", "--list").startswith("7QF3-0XKM-2C9D-V5TA")
    assert "王*华" in run("receipt")
    assert run("receipt", "7qf3-0xkm-2c9d-v5ta", "--json")["lines"][1] == "姓名：王*华"
    picture = tmp_path / "receipt.png"
    run("receipt", "--png", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    run("receipt", "NO-SUCH", code=2)


def test_a_receipt_goes_through_the_printer(run: Run) -> None:
    assert "printed" in run("receipt", "--print")


def test_nothing_was_deleted_yet(run: Run) -> None:
    assert "nothing was ever deleted" in run("audit", "proofs")
    assert run("audit", "proofs", "--json") == []


def test_a_template_is_listed_and_deleted_with_a_proof(run: Run, config: Config) -> None:
    assert run("templates", "list", "--json") == []
    assert not (config.database.parent / TEMPLATES).exists()
    with closing(TemplateStore(config.database.parent / TEMPLATES, bytes(32))) as store:
        store.put(Template(PersonId("p-1"), "ab" * 32, date(2030, 1, 1), b"face"))
    assert run("templates", "list") == "p-1  until 2030-01-01\n"
    run("templates", "delete", "p-1")
    run("templates", "delete", "p-1", code=1)
    [proof] = run("audit", "proofs", "--json")
    assert (proof["what"], proof["count"]) == ("templates", 1)
    assert "p-1" not in json.dumps(proof)
