"""Whole visits on the real runner, drivers, models and disk; only the window is left out."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app.config import Config
from edge.app.world import DEMO_NAME, DEMO_NUMBER, HELPER_NAME, HELPER_NUMBER
from edge.domain.record import NamedBy, Outcome, Provenance, Reference
from edge.domain.spelling import LETTERS, keys_of
from edge.drivers.sim.idcard import SimCard
from edge.drivers.sim.scenario import SCENARIOS, WISHES, Scenario
from edge.session.events import Pressed
from edge.session.helping_states import ConfirmingHelper, NamingTarget, TypingName
from edge.session.states import (
    Confirming,
    Consenting,
    Finished,
    Home,
    PaperNews,
    Reviewing,
    Turned,
    Why,
)
from edge.ui.viewmodel import view
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


# --- 帮亲友 ------------------------------------------------------------------------


def names_nobody(config: Config, kiosk: HeadlessKiosk) -> None:
    secrets = (HELPER_NAME, HELPER_NUMBER, DEMO_NAME, DEMO_NUMBER)
    canaries = [text.encode(coding) for text in secrets for coding in ("utf-8", "utf-16-le")]
    for path in config.database.parent.rglob("*"):
        if path.is_file():
            assert not any(canary in path.read_bytes() for canary in canaries), path
    assert HELPER_NAME not in kiosk.world.printer.text
    assert HELPER_NUMBER not in kiosk.world.printer.text


def test_m10_m17_a_helper_and_a_target_end_in_one_record_that_keeps_them_apart(
    config: Config,
) -> None:
    kiosk = visit(config, SCENARIOS["helped"])
    record = kiosk.evidence.record
    assert record is not None
    assert record.outcome is Outcome.PASSED
    (payload,) = outbox(config)
    body = opened(config, payload)
    assert (body.name, body.id_number, body.named_by) == (DEMO_NAME, DEMO_NUMBER, "card")
    assert body.helper is not None
    assert (body.helper["name"], body.helper["id_number"]) == (HELPER_NAME, HELPER_NUMBER)
    assert body.liveness is not None
    assert body.liveness["frames"] > 0
    assert any("亲友不能代选" in s.hint for s in kiosk.screens)
    names_nobody(config, kiosk)


class Finger:
    """Presses what is on the screen, by its words; and waits for states."""

    def __init__(self, kiosk: HeadlessKiosk) -> None:
        self.kiosk = kiosk

    def until(self, kind: Any) -> Any:
        deadline = time.monotonic() + 60
        while not isinstance(state := self.kiosk.runner.session().state, kind):
            assert time.monotonic() < deadline, type(state)
            threading.Event().wait(0.01)
        return state

    def press(self, *labels: str) -> None:
        for label in labels:
            session = self.kiosk.runner.session()
            screen = view(session, self.kiosk.runner.now_ns(), self.kiosk.parts.facts)
            choice = next(c for c in screen.buttons if c.label == label)
            self.kiosk.runner.post(Pressed(choice.button))
            self._moved(session.epoch)

    def _moved(self, epoch: int) -> None:
        deadline = time.monotonic() + 10
        while self.kiosk.runner.session().epoch == epoch:
            assert time.monotonic() < deadline
            threading.Event().wait(0.005)

    def paper(self, news: PaperNews) -> None:
        """What the printer said of the receipt, or of the slip."""
        deadline = time.monotonic() + 20
        while news not in (
            getattr(self.kiosk.runner.session().state, name, None) for name in ("paper", "slip")
        ):
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)

    def lay(self, card: SimCard) -> None:
        self.kiosk.world.sam.present(card)

    def naming(self) -> None:
        self.press("离退休人员生存验证", "帮亲友进行生存认证 · 去验证")
        card = self.kiosk.world.helper_card
        assert card is not None
        self.lay(card)
        self.until(ConfirmingHelper)
        self.press("进入")
        self.until(NamingTarget)
        self.kiosk.world.sam.lift()

    def type_number(self, number: str) -> None:
        self.press("手工输入", *number, "确定")

    def type_name(self, *spelt: tuple[str, str]) -> None:
        for syllable, char in spelt:
            self.press(*(LETTERS[key] for key in keys_of(syllable)), "选字")
            if syllable in self.labels():
                self.press(syllable)
            while char not in self.labels():
                self.press("下一页")
            self.press(char)
        self.press("确定")

    def labels(self) -> set[str]:
        session = self.kiosk.runner.session()
        screen = view(session, self.kiosk.runner.now_ns(), self.kiosk.parts.facts)
        return {choice.label for choice in screen.buttons}


NOBODY_TOUCHES = replace(SCENARIOS["helped"], wishes=())
SPELT = (("wang", "王"), ("jian", "建"), ("hua", "华"))


def test_m15_m16_a_typed_target_is_checked_alive_and_goes_to_a_person(config: Config) -> None:
    with HeadlessKiosk(config, NOBODY_TOUCHES) as kiosk:
        finger = Finger(kiosk)
        finger.naming()
        finger.type_number(DEMO_NUMBER)
        finger.until(TypingName)
        finger.type_name(*SPELT)
        finger.until(Confirming)
        finger.press("进入")
        finger.until(Consenting)
        finger.press("同意刷脸")
        finger.until(Reviewing)
        finger.press("提交")
        record = finger.until(Finished).record
    assert (record.outcome, record.named_by) == (Outcome.NEEDS_REVIEW, NamedBy.TYPED)
    assert record.subject.name == DEMO_NAME
    assert record.verdict is not None
    assert (record.verdict.live, record.verdict.reference) == (True, Reference.NONE)
    (payload,) = outbox(config)
    assert opened(config, payload).named_by == "typed"
    names_nobody(config, kiosk)


def test_m16_e03_another_name_finds_nobody_and_says_on_paper_where_to_ask(
    config: Config,
) -> None:
    with HeadlessKiosk(config, NOBODY_TOUCHES) as kiosk:
        finger = Finger(kiosk)
        finger.naming()
        finger.type_number(DEMO_NUMBER)
        finger.until(TypingName)
        finger.type_name(("li", "李"))
        turned = finger.until(Turned)
        assert turned.why is Why.NOT_REACHED
        finger.paper(PaperNews.PRINTED)
        assert "咨询单" in kiosk.world.printer.text
        names_nobody(config, kiosk)
        finger.press("上一步")
        finger.until(NamingTarget)
        finger.lay(kiosk.world.card)
        assert finger.until(Confirming).visit.named_by is NamedBy.CARD
        finger.press("叫工作人员")
        record = finger.until(Finished).record
    assert (record.outcome, record.subject.name) == (Outcome.CALLED, DEMO_NAME)
    assert record.helper is not None


def test_feature_2_a_call_is_a_ticket_on_paper_and_the_next_one_the_next_number(
    config: Config,
) -> None:
    tickets = []
    with HeadlessKiosk(config, replace(SCENARIOS["good-day"], wishes=())) as kiosk:
        finger = Finger(kiosk)
        for _ in range(2):
            finger.lay(kiosk.world.card)
            finger.until(Confirming)
            finger.press("叫工作人员")
            tickets.append(finger.until(Finished).record.ticket)
            finger.paper(PaperNews.PRINTED)
            assert f"{tickets[-1]}号" in kiosk.world.printer.text
            kiosk.world.sam.lift()
            finger.press("退出")
            finger.until(Home)
        camera = kiosk.parts.eyes._camera  # type: ignore[attr-defined]
        assert camera.delivered == 0
    assert [int(ticket.partition("-")[2]) for ticket in tickets] == [1, 2]
    assert [opened(config, payload).ticket for payload in outbox(config)] == tickets
