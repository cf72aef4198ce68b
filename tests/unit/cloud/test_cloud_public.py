"""Pages for everybody: what they tell, what they never tell, and how often they may be asked."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.console import public_views
from cloud_bridge.registry import keyring, receipts
from cloud_bridge.registry.limits import Limit
from cloud_bridge.registry.models import AuditEntry, Certification, Device, Region, Site
from edge.app.cli import main
from edge.app.ids import new_receipt_no
from edge.domain.codes import Method, SignedReceipt
from edge.domain.people import mask_name
from edge.domain.record import Outcome
from edge.wire import keys
from edge.wire.receipts import certify, write_receipt
from tests.fixtures_cloud import NOW, TestKiosk, TestRegistry

NUMBER = "7QF3-0XKM-2C9D-V5TA"
PATHS = ("/check/", "/kiosks/", "/when/")


@pytest.fixture(autouse=True)
def _no_list_of_another_test() -> None:
    cache.clear()


def paper(kiosk: TestKiosk, number: str = NUMBER, **changes: Any) -> str:
    """The code on a receipt of this kiosk, whose key the registry has certified."""
    facts: dict[str, Any] = {
        "kiosk_id": kiosk.kiosk_id, "receipt_no": number, "name": mask_name(demo.DEMO_NAME),
        "outcome": Outcome.PASSED, "method": Method.CHIP, "day": date(2026, 11, 23),
        "due_by": date(2027, 12, 31), "phone": "12345", "simulated": False,
    }  # fmt: skip
    public = kiosk.sign_key.public_key()
    word = certify(kiosk.kiosk_id, public, keyring.sign_key())
    return write_receipt(SignedReceipt(**facts | changes), kiosk.sign_key, word)


def file(registry: TestRegistry, kiosk: TestKiosk, number: str = NUMBER, **changes: Any) -> None:
    record = kiosk.record(receipt_no=number, **changes)
    registry.ingest.ingest([Arrival(kiosk.kiosk_id, record)], NOW)


def ask(code: str, client: Client | None = None, language: str = "zh-hans") -> str:
    response = (client or Client()).post(f"/check/?lang={language}", {"code": code})
    assert response.status_code == 200
    return verdict(response)


def verdict(response: Any) -> str:
    """Words of the answer alone: without tags, and without the form below it."""
    page = str(response.content.decode())
    found = re.search(r'<section class="card verdict.*?</section>', page, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip() if found else ""


# --- receipts


def test_n4_a_number_has_eighty_random_bits() -> None:
    numbers = {new_receipt_no() for _ in range(500)}
    assert len(numbers) == 500
    letters = {letter for number in numbers for letter in number.replace("-", "")}
    assert letters == receipts._ALPHABET
    assert {len(number.replace("-", "")) for number in numbers} == {16}
    assert len(receipts._ALPHABET) ** 16 == 2 ** (16 * 5), "16 letters of 5 bits"
    assert all(receipts.grouped(number) == number for number in numbers)


def test_n4_a_receipt_is_confirmed_by_its_code_and_by_its_number(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    file(registry, kiosk)
    by_code, by_number = ask(paper(kiosk)), ask(NUMBER)
    assert by_code.startswith("这张回执是真的")
    assert by_number.startswith("有这个编号的回执")
    for words in (by_code, by_number):
        for shown in (mask_name(demo.DEMO_NAME), "验证成功", "2026-11-23", NUMBER, "k-001"):
            assert shown in words, shown
        assert "登记中心已收到这条记录" in words
    assert "2027-12-31" in by_code


def test_nothing_is_told_that_does_not_stand_on_the_paper(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    file(registry, kiosk)
    row = Certification.objects.get()
    for page in (ask(paper(kiosk)), ask(NUMBER)):
        for hidden in (
            demo.DEMO_NAME, demo.DEMO_NUMBER, demo.DEMO_NUMBER[-4:], row.pk, row.person_id,
            row.person.region.name, "1953",
        ):  # fmt: skip
            assert hidden not in page, hidden


def test_a_receipt_whose_record_has_not_come_yet_is_genuine_all_the_same(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    words = ask(paper(kiosk))
    assert words.startswith("这张回执是真的")
    assert "登记中心还没有收到这条记录" in words
    assert ask(NUMBER).startswith("没有核对通过")


def test_a_receipt_of_simulated_devices_proves_nothing(registry: TestRegistry) -> None:
    stage = registry.kiosk("k-002", demo=True)
    file(registry, stage, provenance="simulated")
    for code in (paper(stage, simulated=True), NUMBER):
        assert ask(code).startswith("模拟设备打印，不作为凭证")


def test_every_way_to_be_wrong_is_told_in_the_same_words(registry: TestRegistry) -> None:
    kiosk, stranger = registry.kiosk(), TestKiosk("k-009", keyring.seal_key().public_key())
    file(registry, kiosk)
    genuine = paper(kiosk)
    forged_word = certify("k-009", stranger.sign_key.public_key(), Ed25519PrivateKey.generate())
    forged = write_receipt(
        receipts.read_receipt(genuine, keyring.sign_pub()), stranger.sign_key, forged_word
    )
    wrong = [
        "", " ", "x", "JZ1:", genuine[:-1], genuine + "A", forged, "0000-0000-0000-0000",
        "7QF3-0XKM-2C9D-V5TB", "7QF30XKM2C9DV5T", "%", "_" * 16, "' OR 1=1 --", "\x00" * 16,
        "９" * 16, "7QF3-0XKM-2C9D-V5T%", "x" * 3000, "001-20261123-0001",
    ]  # fmt: skip
    answers = {ask(code, Client(REMOTE_ADDR=f"192.0.2.{n}")) for n, code in enumerate(wrong)}
    assert len(answers) == 1
    assert answers.pop().startswith("没有核对通过")


def test_a_changed_letter_anywhere_is_not_confirmed(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    genuine = paper(kiosk)
    key = keyring.sign_pub()
    assert receipts.check(genuine, key) is not None
    for place in range(4, len(genuine), 7):
        other = "A" if genuine[place] != "A" else "B"
        assert receipts.check(genuine[:place] + other + genuine[place + 1 :], key) is None, place


def test_a_number_is_read_as_people_write_it(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    file(registry, kiosk)
    for written in ("7qf30xkm2c9dv5ta", "7QF3 OXKM 2C9D V5TA", " 7qf3-oxkm-2c9d-v5ta\n"):
        assert receipts.grouped(written) == NUMBER
        assert ask(written).startswith("有这个编号的回执")
    assert receipts.grouped("1234 5678 9ABC DEFG") == receipts.grouped("I234 5678 9ABC DEFG")


def test_a_code_broken_into_lines_by_a_telephone_is_still_one(registry: TestRegistry) -> None:
    genuine = paper(registry.kiosk())
    assert ask(f" {genuine[:50]}\n{genuine[50:]} ").startswith("这张回执是真的")


def test_a_number_that_two_records_claim_confirms_neither(registry: TestRegistry) -> None:
    """Only a kiosk that lies can do that; nobody can say here which of them it is."""
    one, other = registry.kiosk(), registry.kiosk("k-003")
    file(registry, one)
    file(registry, other)
    assert ask(NUMBER).startswith("没有核对通过")
    assert "登记中心还没有收到" in ask(paper(one))


def test_another_kiosks_record_under_that_number_is_not_its_record(registry: TestRegistry) -> None:
    one, other = registry.kiosk(), registry.kiosk("k-003")
    file(registry, other)
    assert "登记中心还没有收到" in ask(paper(one))


def test_tries_are_limited_for_one_address_and_for_all(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    burst = public_views.FROM_ONE_ADDRESS.burst
    one, other = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    statuses = [one.post("/check/", {"code": "x"}).status_code for _ in range(burst + 2)]
    assert statuses == [200] * burst + [429, 429]
    refused = one.post("/check/", {"code": "x"})
    assert 0 < int(refused["Retry-After"]) <= 6
    assert "Retry-After" not in other.post("/check/", {"code": "x"})
    assert one.get("/check/").status_code == 200, "only tries are limited"
    monkeypatch.setattr(public_views, "WRONG_FROM_ALL", Limit(burst=12, every_s=60))
    third = Client(REMOTE_ADDR="192.0.2.3")
    assert [third.post("/check/", {"code": "x"}).status_code for _ in range(3)][-1] == 429
    assert third.get("/kiosks/").status_code == 200


def test_a_right_code_does_not_count_against_everybody(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_views, "WRONG_FROM_ALL", Limit(burst=2, every_s=60))
    genuine = paper(registry.kiosk())
    for n in range(4):
        assert ask(genuine, Client(REMOTE_ADDR=f"192.0.2.{n}"))


def test_the_published_key_is_all_that_is_needed_offline(
    registry: TestRegistry, tmp_path: Path
) -> None:
    text = Client().get("/check/key/").content.decode()
    assert keys.verifying_key(text).public_bytes_raw() == (
        keyring.sign_key().public_key().public_bytes_raw()
    )
    (tmp_path / "registry-sign.pub").write_text(text)
    arguments = ["verify-receipt", paper(registry.kiosk())]
    assert main([*arguments, "--key", str(tmp_path / "registry-sign.pub")]) == 0


# --- all pages


@pytest.mark.parametrize("path", PATHS)
def test_no_cookie_no_script_nothing_from_elsewhere(registry: TestRegistry, path: str) -> None:
    for language, lang in (("zh-hans", "zh-CN"), ("en", "en")):
        response = Client().get(f"{path}?lang={language}")
        page = response.content.decode()
        assert response.status_code == 200
        assert not response.cookies
        assert f'<html lang="{lang}">' in page
        assert response["Content-Language"] == language
        assert "<script" not in page
        assert "csrfmiddlewaretoken" not in page
        links = re.findall(r'(?:src|href|action)="([^"]*)"', page)
        assert all(link[0] in "/?#" for link in links), links
    assert Client().post("/check/", {"code": "x"}).cookies == {}
    assert AuditEntry.objects.filter(who="").count() == 0


@pytest.mark.parametrize("lang", ["", "xx", "<script>", "en'--", "zh"])
def test_an_unknown_language_is_nobodys_error(registry: TestRegistry, lang: str) -> None:
    response = Client().get("/kiosks/", {"lang": lang, "region": "<script>alert(1)"})
    assert response.status_code == 200
    assert "<script" not in response.content.decode()


# --- kiosks


def test_kiosks_that_work_come_first_and_demonstrations_not_at_all(
    registry: TestRegistry,
) -> None:
    registry.kiosk()
    registry.kiosk("k-002", demo=True)
    now = timezone.now()
    region = Region.objects.get(pk=demo.SITE_REGION)
    far = Site.objects.create(name="西河镇便民服务中心", region=region, address="西河街12号")
    stage = Site.objects.create(name="展厅", region=region)
    Device.objects.filter(pk="k-002").update(site=stage)
    Device.objects.create(
        kiosk_id="k-004", site=far, card_secret_sealed=b"", online=True, seen_at=now,
        health=[{"device": "printer", "works": False, "word": "empty", "since": "2026-11-23"}],
    )  # fmt: skip
    page = Client().get("/kiosks/?lang=zh-hans").content.decode()
    assert "展厅" not in page
    assert page.index("西河镇便民服务中心") < page.index("东风街道便民服务中心")
    assert "西河街12号" in page
    assert ("现在可用" in page, "暂不能打印" in page, "暂时不能用" in page) == (True,) * 3
    assert f"{timezone.localtime(now):%Y-%m-%d %H:%M}" in page
    cache.clear()
    broken = [{"device": "card_reader", "works": False, "word": "silent", "since": "2026-11-23"}]
    Device.objects.filter(pk="k-004").update(health=broken)
    assert "现在可用" not in Client().get("/kiosks/?lang=zh-hans").content.decode()


def test_the_list_is_made_once_however_many_ask(registry: TestRegistry) -> None:
    registry.kiosk()
    Client().get("/kiosks/")
    with CaptureQueriesContext(connection) as asked:
        for _ in range(5):
            Client().get("/kiosks/")
    assert len(asked) == 0


def test_due_dates_are_told_to_nobody_without_a_card(registry: TestRegistry) -> None:
    page = Client().get("/when/?lang=zh-hans").content.decode()
    assert "放上身份证" in page
    assert "<form" not in page
    assert "<input" not in page
