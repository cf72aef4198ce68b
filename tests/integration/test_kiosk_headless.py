"""Whole visits on the real runner, drivers, models and disk; only the window is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app.config import Config
from edge.domain.record import Outcome, Provenance, Reference
from edge.drivers.sim.scenario import SCENARIOS, WISHES, Scenario
from edge.session.states import PaperNews
from edge.wire import keys, messages
from edge.wire.envelope import unseal, verify
from tests.headless import KIOSK, HeadlessKiosk, make_config

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


def visit(config: Config, scenario: Scenario) -> HeadlessKiosk:
    with HeadlessKiosk(config, scenario) as kiosk:
        kiosk.play()
    return kiosk


def outbox(config: Config) -> list[bytes]:
    import sqlite3

    with sqlite3.connect(config.database) as db:
        rows = db.execute("SELECT payload FROM records JOIN outbox USING (seq)").fetchall()
    return [row[0] for row in rows]


def opened(config: Config, payload: bytes) -> messages.RecordBody:
    """What the registry would read."""
    registry = config.base.parent.parent / "registry"
    sign = keys.verifying_key((config.base / "sign.pub").read_text())
    envelope = verify(payload, lambda sender: sign if sender == KIOSK else None)
    seal = keys.opening_key((registry / "seal.key").read_text())
    return messages.parse_record(unseal(envelope.body, envelope.header, seal))


def test_k04_k38_a_good_day_ends_with_one_sealed_record_and_a_receipt(config: Config) -> None:
    kiosk = visit(config, SCENARIOS["good-day"])
    record = kiosk.evidence.record
    assert record is not None
    assert record.outcome is Outcome.PASSED
    assert record.provenance is Provenance.SIMULATED
    assert kiosk.evidence.paper is PaperNews.PRINTED
    (payload,) = outbox(config)
    body = opened(config, payload)
    assert (body.record_id, body.outcome) == (record.record_id, "passed")
    assert body.provenance == "simulated"
    assert "验证成功" in kiosk.world.printer.text
    assert record.receipt_no in kiosk.world.printer.text


def test_f09_what_lies_on_the_disk_names_nobody(config: Config) -> None:
    kiosk = visit(config, SCENARIOS["no-consent"])
    card = kiosk.world.card
    canaries = (card.name.encode(), card.name.encode("utf-16-le"), card.number.encode())
    files = [path for path in config.database.parent.rglob("*") if path.is_file()]
    assert config.database in files
    for path in files:
        data = path.read_bytes()
        assert not any(canary in data for canary in canaries), path
        assert card.photo_block[:64] not in data


def test_f17_no_frame_is_taken_without_consent(config: Config) -> None:
    kiosk = visit(config, SCENARIOS["no-consent"])
    camera = kiosk.parts.eyes._camera  # type: ignore[attr-defined]
    assert camera.delivered == 0
    assert kiosk.evidence.record is not None
    assert kiosk.evidence.record.outcome is Outcome.DECLINED


def test_e09_another_persons_card_ends_with_a_person_not_with_an_accusation(
    config: Config,
) -> None:
    kiosk = visit(replace(config, tries=1), SCENARIOS["wrong-face"])
    record = kiosk.evidence.record
    assert record is not None
    assert record.outcome is Outcome.NEEDS_REVIEW
    assert record.verdict is not None
    assert record.verdict.live
    assert not record.verdict.alike


def test_e08_a_printed_photo_is_not_a_living_person(config: Config) -> None:
    kiosk = visit(replace(config, tries=1), SCENARIOS["printed-photo"])
    record = kiosk.evidence.record
    assert record is not None
    assert record.outcome is Outcome.NEEDS_REVIEW
    assert record.verdict is not None
    assert not record.verdict.live


def test_f20_without_a_photo_decoder_the_matter_goes_to_review(config: Config) -> None:
    kiosk = visit(config, SCENARIOS["first-visit"])
    record = kiosk.evidence.record
    assert record is not None
    assert record.outcome is Outcome.NEEDS_REVIEW
    assert record.verdict is not None
    assert record.verdict.live
    assert record.verdict.reference is Reference.NONE


def test_e12_without_paper_the_result_stays(config: Config) -> None:
    scenario = replace(SCENARIOS["no-consent"], paper=False)
    kiosk = visit(config, scenario)
    assert kiosk.evidence.paper is PaperNews.FAILED
    assert len(outbox(config)) == 1
    assert any("回执未能打印" in json.dumps(s.lines, ensure_ascii=False) for s in kiosk.screens)


def test_e03_whoever_is_not_on_the_roster_leaves_nothing(tmp_path: Path, models_dir: Path) -> None:
    config = make_config(tmp_path, models_dir, known=False)
    leaves = tuple(wish for wish in WISHES if wish != "找工作人员办理")
    kiosk = visit(config, replace(SCENARIOS["good-day"], wishes=leaves))
    assert kiosk.evidence.record is None
    assert outbox(config) == []
    assert any("未查到该对象认证信息!" in s.title for s in kiosk.screens)
