"""认证 by staff: what is asked for, what is kept, who may see it, what is looked at again."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from cloud_bridge import demo
from cloud_bridge.registry import draws, evidence, rechecks, standing, visits
from cloud_bridge.registry.evidence import NotEvidence, Sheet
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    Device,
    Evidence,
    Person,
    Proof,
    Recheck,
    Task,
)
from cloud_bridge.registry.visits import Entry, EntryRefused
from tests.fixtures_cloud import PASSWORD, TestRegistry

STREET, PROVINCE, ELSEWHERE = "100101001000", "100000000000", "100102000000"
S30 = "请确认是否已经完成实地走访或视频连线进行认证?弄虚作假事后会被问责,确定通过生存认证?"
NOW = timezone.now()
TODAY = timezone.localdate()


def picture(size: tuple[int, int] = (64, 48), kind: str = "PNG", **more: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(made, kind, **more)
    return made.getvalue()


def with_place_and_time() -> bytes:
    """A photograph as a telephone writes it: turned, with time and place."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010F] = "SECRET-PHONE"
    exif.get_ifd(0x8825)[1] = "N"
    return picture((60, 40), "JPEG", exif=exif, comment=b"SECRET-COMMENT")


PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def person(name: str = demo.PEOPLE[1][0]) -> Person:
    return Person.objects.get(name=name)


def account(registry: TestRegistry, name: str, role: str, region: str = PROVINCE) -> Account:
    registry.account(name, role, region)
    return Account.objects.get(username=name)


def sign_in(name: str, **how: Any) -> Client:
    client = Client(headers={"accept-language": "zh-CN"}, **how)
    client.post("/sign-in/", {"username": name, "password": PASSWORD})
    return client


@pytest.fixture
def worker(registry: TestRegistry) -> Client:
    registry.account("li", "worker", PROVINCE)
    return sign_in("li")


def fields(**changes: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("x.png", picture(), content_type="text/html")
    said = {"method": "visit", "on": TODAY.isoformat(), "place": "东风村三组", "files": [file]}
    return {name: value for name, value in (said | changes).items() if value is not None}


def entry(**changes: Any) -> Entry:
    said: dict[str, Any] = {"method": "visit", "on": TODAY, "place": "东风村三组"}
    said["sheets"] = [Sheet("image/jpeg", b"a picture")]
    return Entry(**(said | changes))


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_s30_s31_s32_the_dialog_has_the_exact_words(worker: Client) -> None:
    shown = text_of(worker.get(f"/people/{person().pk}/certify/?next=/people/?page=2"))
    assert S30 in shown
    assert "因作假操作后期会进行问责" in shown
    assert re.search(r'<button class="main">确定</button>', shown)
    assert re.search(r'<a class="button" href="/people/\?page=2">取消</a>', shown)
    assert "实地走访" in shown
    assert "视频连线" in shown


def test_s27_f08_a_visit_with_a_photograph_certifies(
    worker: Client, registry: TestRegistry
) -> None:
    registry.kiosk()
    Device.objects.update(roster_stale=False, roster_due=False)
    who = person()
    address = f"/people/{who.pk}/certify/"
    answer = worker.post(address, fields(next="/people/?category=dibao"))
    assert (answer.status_code, answer["Location"]) == (302, "/people/?category=dibao")
    proof = Proof.objects.get(person=who)
    assert (proof.method, proof.on, proof.by) == ("visit", TODAY, "li")
    assert proof.place == "东风村三组"
    assert person().is_certified(TODAY)
    assert proof.evidence.count() == 1
    assert Device.objects.get().roster_stale
    said = AuditEntry.objects.filter(action="proof.enter").get()
    assert (said.who, said.object_id) == ("li", who.pk)
    assert f"proof {proof.pk} visit" in said.reason
    shown = text_of(worker.get(f"/people/{who.pk}/"))
    assert "已认证" in shown
    assert "实地走访" in shown


def test_f08_it_cannot_be_saved_without_each_part(worker: Client) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"method": None}, "这个字段是必填项"),
        ({"method": "kiosk"}, "选择一个有效的选项"),
        ({"on": None}, "这个字段是必填项"),
        ({"on": (TODAY + timedelta(days=1)).isoformat()}, "日期不能晚于今天"),
        ({"on": "2019-01-01"}, "日期过早"),
        ({"place": None}, "这个字段是必填项"),
        ({"place": " "}, "这个字段是必填项"),
        ({"files": None}, "请至少上传一份证据"),
        ({"files": None, "exemption": "没有"}, "至少"),
    )
    for change, words in cases:
        answer = worker.post(f"/people/{person().pk}/certify/", fields(**change))
        assert (answer.status_code, words in text_of(answer)) == (200, True), change
        assert not Proof.objects.exists(), change
        assert not Evidence.objects.exists(), change


def test_f08_a_reason_may_stand_for_evidence(worker: Client) -> None:
    why = "老人不愿意被拍照，已请村组长在场见证"
    worker.post(f"/people/{person().pk}/certify/", fields(files=None, exemption=why))
    proof = Proof.objects.get()
    assert (proof.exemption, proof.evidence.count()) == (why, 0)
    assert why in text_of(worker.get(f"/people/{person().pk}/"))


def test_f08_nor_by_any_other_way_in(registry: TestRegistry) -> None:
    li = account(registry, "li", "worker")
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"method": "kiosk"}, "method"),
        ({"method": "data"}, "method"),
        ({"on": TODAY + timedelta(days=1)}, "future"),
        ({"on": date(2019, 1, 1)}, "too_early"),
        ({"place": ""}, "place"),
        ({"sheets": []}, "no_evidence"),
        ({"sheets": [], "exemption": "太短" * 4}, "no_evidence"),
        ({"sheets": [Sheet("image/jpeg", bytes([n])) for n in range(7)]}, "too_many"),
    )
    for change, word in cases:
        with pytest.raises(EntryRefused) as refused:
            visits.certify(person(), entry(**change), registry.vault, li, timezone.now())
        assert refused.value.word == word
        assert not Proof.objects.exists()


def test_s29_not_for_another_region_nor_twice_nor_for_the_dead(registry: TestRegistry) -> None:
    li = account(registry, "li", "worker")
    far = account(registry, "far", "worker", ELSEWHERE)
    visits.certify(person(), entry(), registry.vault, li, timezone.now())
    Person.objects.filter(name=demo.PEOPLE[2][0]).update(dead_since=TODAY)
    for who, by, word in (
        (person(), far, "other_region"),
        (person(), li, "twice"),
        (person(demo.PEOPLE[2][0]), li, "registered_dead"),
    ):
        with pytest.raises(EntryRefused, match=word):
            visits.certify(who, entry(), registry.vault, by, timezone.now())
    assert Proof.objects.count() == 1


def test_a_visit_of_the_last_days_of_a_year_may_be_entered_after_them(
    registry: TestRegistry,
) -> None:
    """It counts for the year in which it was."""
    who = Person.objects.filter(category="dibao")[0]
    january = date(TODAY.year + 1, 1, 10)
    assert visits.first_day(who, january) == date(TODAY.year, 12, 2)
    born = date(TODAY.year, 6, 1)
    who.birth = born
    assert visits.first_day(who, TODAY) == born


# --- evidence


def test_a_picture_is_drawn_anew_without_what_the_camera_wrote() -> None:
    kept = evidence.clean(with_place_and_time())
    assert kept.media_type == "image/jpeg"
    assert b"SECRET" not in kept.content
    with Image.open(io.BytesIO(kept.content)) as shown:
        assert shown.size == (40, 60), "upright"
        assert not shown.getexif()
        assert "comment" not in shown.info


def test_large_pictures_become_small_enough_to_look_at() -> None:
    kept = evidence.clean(picture((5000, 1000), "JPEG"))
    with Image.open(io.BytesIO(kept.content)) as shown:
        assert max(shown.size) <= evidence.MAX_SIDE_PX


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "unreadable"),
        (b"<html><script>alert(1)</script></html>", "unreadable"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unreadable"),
        (b"MZ\x90\0" + bytes(500), "unreadable"),
        (picture()[:60], "unreadable"),
        (picture(kind="GIF"), "unreadable"),
        (picture(kind="BMP"), "unreadable"),
        (b"%PDF-1.7\n", "unreadable"),
        (PDF.replace(b"/Type", b"/OpenAction << /S /JavaScript >> /Type"), "active"),
        (PDF.replace(b"/Type", b"/J#61vaScript 5 0 R /Type"), "active"),
        (PDF.replace(b"/Type", b"/EmbeddedFile /Type"), "active"),
        (PDF.replace(b"/Type", b"/Names << /EmbeddedFiles 5 0 R >> /Type"), "active"),
        (bytes(evidence.MAX_FILE_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_evidence(content: bytes, word: str) -> None:
    with pytest.raises(NotEvidence) as refused:
        evidence.clean(content)
    assert refused.value.word == word


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that promises this many pixels."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("side", "word"),
    [
        (5100, "too_many_pixels"),
        (11_000, "unreadable"),  # from here on Pillow itself says no
        (60_000, "unreadable"),
        (2_000_000_000, "unreadable"),
    ],
)
def test_a_bomb_is_not_decoded(side: int, word: str) -> None:
    with pytest.raises(NotEvidence) as refused:
        evidence.clean(bomb(side, side))
    assert refused.value.word == word


@pytest.mark.parametrize("more", [{}, {"progressive": True}])
def test_a_photograph_that_has_to_be_decoded_whole_may_not_be_as_large(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    """One longer than wide is not made smaller on the way, a progressive one is kept whole."""
    monkeypatch.setattr(evidence, "MAX_SIDE_PX", 100)
    monkeypatch.setattr(evidence, "MAX_PIXELS_WHOLE", 60_000)
    evidence.clean(picture((400, 400), "JPEG"))
    size = (400, 400) if more else (800, 100)
    with pytest.raises(NotEvidence, match="too_many_pixels"):
        evidence.clean(picture(size, "JPEG", **more))


def test_pictures_of_any_bytes_only_ever_raise_their_own_error() -> None:
    import random

    dice = random.Random(7)
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = picture(kind=kind)
        for _ in range(150):
            broken = bytearray(whole)
            for _ in range(dice.randint(1, 6)):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            try:
                evidence.clean(bytes(broken))
            except NotEvidence:
                continue


def test_evidence_is_sealed_and_only_shown_to_those_of_the_region(
    worker: Client, registry: TestRegistry
) -> None:
    who = person()
    files = [
        SimpleUploadedFile("a.html", with_place_and_time(), content_type="text/html"),
        SimpleUploadedFile("../../b.exe", PDF, content_type="image/png"),
    ]
    worker.post(f"/people/{who.pk}/certify/", fields(files=files))
    photo, paper = Evidence.objects.order_by("media_type").reverse()
    assert (photo.media_type, paper.media_type) == ("image/jpeg", "application/pdf")
    assert PDF not in bytes(paper.content_sealed)
    seen = worker.get(f"/people/{who.pk}/evidence/{photo.pk}/")
    assert seen.content.startswith(b"\xff\xd8")
    assert seen["Content-Type"] == "image/jpeg"
    assert seen["Content-Disposition"] == f'inline; filename="evidence-{photo.pk}.jpg"'
    got = worker.get(f"/people/{who.pk}/evidence/{paper.pk}/")
    assert got.content == PDF
    assert got["Content-Disposition"] == f'attachment; filename="evidence-{paper.pk}.pdf"'
    for answer in (seen, got):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
    looks = AuditEntry.objects.filter(action="evidence.view", object_id=who.pk)
    assert looks.count() == 2
    other = person(demo.PEOPLE[2][0])
    assert worker.get(f"/people/{other.pk}/evidence/{photo.pk}/").status_code == 404
    registry.account("far", "worker", ELSEWHERE)
    registry.account("eye", "auditor", PROVINCE)
    address = f"/people/{who.pk}/evidence/{photo.pk}/"
    assert sign_in("far").get(address).status_code == 404
    assert sign_in("eye").get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_evidence_belongs_to_its_entry(worker: Client, registry: TestRegistry) -> None:
    worker.post(f"/people/{person().pk}/certify/", fields())
    row = Evidence.objects.get()
    Evidence.objects.filter(pk=row.pk).update(sha256="0" * 64)
    answer = worker.get(f"/people/{person().pk}/evidence/{row.pk}/")
    assert answer.status_code == 404


def test_an_upload_that_is_too_large_is_not_read(
    worker: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_UPLOAD_BYTES", 1000)
    monkeypatch.setattr("cloud_bridge.console.certify_views._FORM_BYTES", 0)
    big = SimpleUploadedFile("x.png", picture() + bytes(5000))
    answer = worker.post(f"/people/{person().pk}/certify/", fields(files=[big]), follow=True)
    assert "文件总量过大" in text_of(answer)
    assert not Proof.objects.exists()


def test_uploads_never_touch_the_disk(worker: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.files import uploadhandler

    def on_disk(*_args: object, **_more: object) -> None:
        raise AssertionError("written to a disk in clear")

    monkeypatch.setattr(uploadhandler, "TemporaryUploadedFile", on_disk)
    large = io.BytesIO()
    Image.effect_noise((1500, 1500), 90).convert("RGB").save(large, "PNG")
    assert len(large.getvalue()) > 2_621_440, "Django would write such a file to the disk"
    file = SimpleUploadedFile("x.png", large.getvalue())
    worker.post(f"/people/{person().pk}/certify/", fields(files=[file]))
    assert Proof.objects.count() == 1


def test_a_forged_form_saves_nothing(registry: TestRegistry) -> None:
    registry.account("li", "worker", PROVINCE)
    client = Client(enforce_csrf_checks=True)
    client.force_login(Account.objects.get(username="li"))
    answer = client.post(f"/people/{person().pk}/certify/", fields())
    assert answer.status_code == 403
    assert not Proof.objects.exists()


def test_nobody_is_led_away_by_next(worker: Client) -> None:
    address = f"/people/{person().pk}/certify/"
    answer = worker.post(address, fields(next="https://elsewhere.example/"))
    assert answer["Location"] == f"/people/{person().pk}/"


# --- taking back


def test_f08_taking_back_ones_own_entry(worker: Client, registry: TestRegistry) -> None:
    worker.post(f"/people/{person().pk}/certify/", fields())
    proof = Proof.objects.get()
    address = f"/people/{person().pk}/proofs/{proof.pk}/void/"
    assert "撤销认证" in text_of(worker.get(address))
    worker.post(address, {"reason": ""})
    assert Proof.objects.get().voided_at is None
    worker.post(address, {"reason": "录错了人"})
    proof.refresh_from_db()
    assert (proof.voided_by, proof.void_reason) == ("li", "录错了人")
    assert not person().is_certified(TODAY)
    assert AuditEntry.objects.filter(action="proof.void", object_id=person().pk).count() == 1
    assert worker.get(address).status_code == 404, "only once"
    assert "录错了人" in text_of(worker.get(f"/people/{person().pk}/"))


def test_f08_others_entries_are_the_supervisors_to_take_back(registry: TestRegistry) -> None:
    li, chen = account(registry, "li", "worker"), account(registry, "chen", "supervisor")
    wang = account(registry, "wang", "worker")
    far = account(registry, "far", "supervisor", ELSEWHERE)
    proof = visits.certify(person(), entry(), registry.vault, li, timezone.now())
    for by, done in ((wang, False), (far, False), (chen, True), (chen, False)):
        proof.refresh_from_db()
        told = visits.take_back(proof, "证据不符", registry.vault, by, timezone.now())
        assert told is done, by.username


# --- the second look


def test_f08_of_twenty_entries_one_is_drawn_wherever_it_stands() -> None:
    """Exactly one in each twenty; over many, each place has its share (5 sigma)."""
    places = [0] * draws.ONE_IN
    rounds = 4000
    for _ in range(rounds):
        drawn = False
        for before in range(draws.ONE_IN):
            now = draws.is_drawn(before, drawn)
            places[before] += now
            drawn = drawn or now
        assert drawn
    assert sum(places) == rounds
    share = rounds / draws.ONE_IN
    sigma = (rounds * 0.05 * 0.95) ** 0.5
    assert all(abs(count - share) < 5 * sigma for count in places)


def test_f08_five_in_a_hundred_of_each_workers_entries_are_looked_at_again(
    registry: TestRegistry,
) -> None:
    workers = [account(registry, f"w{n}", "worker") for n in range(2)]
    for _ in range(41):
        for by in workers:
            proof = Proof(person=person(), method="visit", on=TODAY, at=NOW, by=by.username)
            standing.prove([proof])
            draws.draw(proof, by, NOW)
    for by in workers:
        own = list(Proof.objects.filter(by=by.username).order_by("pk"))
        drawn = [n for n, proof in enumerate(own) if hasattr(proof, "recheck")]
        blocks = [sum(n // draws.ONE_IN == block for n in drawn) for block in range(3)]
        assert blocks[:2] == [1, 1]
        assert blocks[2] <= 1


def drawn_entry(registry: TestRegistry, by: Account) -> Recheck:
    """An entry that was drawn: the last of twenty at the latest."""
    for n in range(draws.ONE_IN):
        day = TODAY - timedelta(days=n)
        visits.certify(person(), entry(on=day), registry.vault, by, timezone.now())
    return Recheck.objects.get()


def test_f08_nobody_looks_again_at_their_own_entry(registry: TestRegistry) -> None:
    chen, zhou = account(registry, "chen", "supervisor"), account(registry, "zhou", "county")
    row = drawn_entry(registry, chen)
    shown = text_of(sign_in("chen").get("/rechecks/"))
    assert "您本人的登记" in shown
    assert f"/rechecks/{row.pk}/done/" not in shown
    said = {"finding": "in_order", "note": "看过照片"}
    sign_in("chen").post(f"/rechecks/{row.pk}/done/", said)
    with pytest.raises(rechecks.OwnWork):
        rechecks.close(row, "in_order", "看过", registry.vault, chen, NOW)
    row.refresh_from_db()
    assert row.finding == ""
    assert f"/rechecks/{row.pk}/done/" in text_of(sign_in("zhou").get("/rechecks/"))
    sign_in("zhou").post(f"/rechecks/{row.pk}/done/", said)
    row.refresh_from_db()
    assert (row.finding, row.checked_by) == ("in_order", zhou.username)


def test_f08_what_is_not_in_order_counts_no_more_and_makes_a_task(
    registry: TestRegistry,
) -> None:
    li, chen = account(registry, "li", "worker"), account(registry, "chen", "supervisor")
    row = drawn_entry(registry, li)
    standing.void(Proof.objects.exclude(pk=row.proof_id), "chen", "x", NOW)
    assert rechecks.close(row, "not_in_order", "照片是别人", registry.vault, chen, NOW)
    row.proof.refresh_from_db()
    assert (row.proof.voided_by, row.proof.void_reason) == ("chen", "照片是别人")
    assert not person().is_certified(TODAY)
    task = Task.objects.get()
    assert (task.kind, task.person, task.proof) == ("verify", person(), row.proof)
    registry.account("wu", "worker", PROVINCE)
    assert sign_in("wu").get("/tasks/").status_code == 200
    assert sign_in("wu").get(f"/tasks/{task.pk}/").status_code == 200
