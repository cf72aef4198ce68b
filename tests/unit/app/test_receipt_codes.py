"""The kiosk's own codes: written with its key, read with the registry's, and none without."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from edge.app.compose import receipt_maker
from edge.app.config import Config, load
from edge.app.sealing import Keyring
from edge.domain.codes import Method
from edge.domain.errors import ConfigError, WireError
from edge.domain.record import Outcome, Provenance
from edge.domain.timebase import ClockTrust
from edge.ports import Code
from edge.session.states import Language
from provisioning.site import make_site
from tests.paper_bench import record

DUE = date(2027, 11, 30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("codes") / "site", ["K-1", "K-2"]).root


def config_of(site: Path, kiosk: str) -> Config:
    return load(site / "kiosks" / kiosk / "site.toml")


def test_f4_any_kiosk_of_the_registry_reads_it_offline(site: Path) -> None:
    one, two = (Keyring.load(config_of(site, kiosk)) for kiosk in ("K-1", "K-2"))
    proof = replace(record(), kiosk_id="K-1")
    told = two.read_receipt(f" {one.receipt_code(proof, DUE, '12333')}\r")
    assert (told.kiosk_id, told.receipt_no, told.name) == ("K-1", proof.receipt_no, "王*明")
    assert (told.outcome, told.method, told.phone) == (Outcome.PASSED, Method.CHIP, "12333")
    assert (told.day, told.due_by, told.simulated) == (date(2026, 11, 23), DUE, False)


def test_a_clock_that_is_not_believed_and_a_device_that_is_not_real_are_told(site: Path) -> None:
    ring = Keyring.load(config_of(site, "K-1"))
    proof = record(trust=ClockTrust.UNKNOWN, provenance=Provenance.SIMULATED)
    told = ring.read_receipt(ring.receipt_code(proof, None, "12333"))
    assert (told.day, told.due_by, told.simulated) == (None, None, True)


def test_a_kiosk_of_another_registry_is_not_believed(site: Path, tmp_path: Path) -> None:
    other = make_site(tmp_path / "other", ["K-1"]).root
    ours, theirs = (Keyring.load(config_of(root, "K-1")) for root in (site, other))
    with pytest.raises(WireError, match="certificate"):
        ours.read_receipt(theirs.receipt_code(record(), DUE, "12333"))


def test_a_kiosk_from_before_prints_receipts_without_a_code(tmp_path: Path) -> None:
    config = config_of(make_site(tmp_path / "site", ["K-1"]).root, "K-1")
    config.path(config.keys.receipt).unlink()
    items = receipt_maker(config, Keyring.load(config))(record(), True, DUE, Language.ZH)
    assert not any(isinstance(item, Code) for item in items)
    make_site(tmp_path / "site", ["K-1"])
    items = receipt_maker(config, Keyring.load(config))(record(), True, DUE, Language.ZH)
    assert any(isinstance(item, Code) for item in items), "made good by the same command"


def test_a_damaged_certificate_is_named(tmp_path: Path) -> None:
    config = config_of(make_site(tmp_path / "site", ["K-1"]).root, "K-1")
    config.path(config.keys.receipt).write_text("AAAA\n")
    with pytest.raises(ConfigError, match=r"receipt\.cert"):
        Keyring.load(config)


def test_a_name_too_long_for_a_code_still_gets_its_receipt(
    site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_of(site, "K-1")
    items = receipt_maker(config, Keyring.load(config))(
        record(name="王" * 300), True, DUE, Language.ZH
    )
    assert items
    assert not any(isinstance(item, Code) for item in items)
    assert "receipt_code=none" in caplog.text
    assert "王" not in caplog.text
