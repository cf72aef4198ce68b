"""The console through Django's test client: doors, scopes, masking, escaping, filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.bridge import dispatch
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.bridge.worker import note_dropped
from cloud_bridge.registry import audit as audit_log
from cloud_bridge.registry import badges, id_number, rechecks, staff
from cloud_bridge.registry.badges import NewBadge
from cloud_bridge.registry.models import (
    AuditEntry,
    Badge,
    Certification,
    ChainState,
    Device,
    Person,
    Recheck,
    Region,
    Rehearsal,
    Task,
)
from cloud_bridge.registry.people_import import NewPerson, add_people
from edge.wire.envelope import Chain
from tests.fixtures_cloud import NOW, PASSWORD, TestRegistry, unpack

STREET, PROVINCE, ELSEWHERE = "100101001000", "100000000000", "100102000000"
ROLES = ("worker", "supervisor", "county", "auditor", "operator")
XSS = "<script>alert(1)</script>"


def signed_in(registry: TestRegistry, role: str, region: str = PROVINCE) -> Client:
    registry.account(f"{role}-{region}", role, region)
    return sign_in(f"{role}-{region}")


def sign_in(name: str, password: str = PASSWORD) -> Client:
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": name, "password": password})
    return client


def text_of(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture
def filed(registry: TestRegistry) -> Iterator[TestRegistry]:
    """One live record, one that needs a person, one rehearsal; finished a moment ago."""
    kiosk, stage = registry.kiosk(), registry.kiosk("k-002", demo=True)
    now = timezone.now()
    stamp = kiosk.body()["finished"] | {"utc": now.isoformat()}
    number = id_number.make("100000", demo.PEOPLE[1][1], demo.PEOPLE[1][2])
    review = {"outcome": "needs_review", "reasons": ["not_alike"], "receipt_no": "001-REVIEW"}
    live = [
        kiosk.record(finished=stamp),
        kiosk.record(finished=stamp, id_number=number, name=demo.PEOPLE[1][0], **review),
    ]
    registry.ingest.ingest([Arrival("k-001", payload) for payload in [*live, b"junk"]], now)
    rehearsal = stage.record(finished=stamp, provenance="simulated")
    registry.ingest.ingest([Arrival("k-002", rehearsal)], now)
    one_badge(registry, "高师傅")
    row = Rehearsal.objects.get()
    row.witness, row.assisted_reason = "204816", "deaf"
    rechecks.of_record(row, now)
    return registry


def one_badge(registry: TestRegistry, name: str) -> badges.Issued:
    now, place = timezone.now(), Region.objects.get(pk=PROVINCE)
    new = NewBadge(name, "technician", place, now.date() + timedelta(days=30))
    return badges.issue(new, registry.vault, "test", now)


def addresses() -> dict[str, tuple[str, str]]:
    """Page name to method and path, with ids that exist."""
    person = Person.objects.get(name=demo.DEMO_NAME).person_id
    recheck = Recheck.objects.first()
    return {
        "home": ("get", "/"),
        "sign-out": ("post", "/sign-out/"),
        "people": ("get", "/people/"),
        "person": ("get", f"/people/{person}/"),
        "reveal": ("post", f"/people/{person}/reveal/"),
        "record": ("get", f"/records/{Certification.objects.first().pk}/"),
        "rehearsals": ("get", "/rehearsals/"),
        "helped": ("get", "/helped/"),
        "rechecks": ("get", "/rechecks/"),
        "recheck-done": ("post", f"/rechecks/{recheck.pk if recheck else 0}/done/"),
        "template-withdraw": ("post", f"/people/{person}/template/withdraw/"),
        "opinions": ("get", "/opinions/"),
        "rehearsal": ("get", f"/rehearsals/{Rehearsal.objects.get().pk}/"),
        "tasks": ("get", "/tasks/"),
        "task": ("get", f"/tasks/{Task.objects.first().pk}/"),
        "task-close": ("post", f"/tasks/{Task.objects.first().pk}/close/"),
        "devices": ("get", "/devices/"),
        "settings": ("get", "/devices/k-001/settings/"),
        "settings-back": ("post", "/devices/k-001/settings/back/"),
        "badges": ("get", "/badges/"),
        "badge": ("get", f"/badges/{Badge.objects.first().pk}/"),
        "badge-reset": ("post", f"/badges/{Badge.objects.first().pk}/reset/"),
        "badge-revoke": ("post", f"/badges/{Badge.objects.first().pk}/revoke/"),
        "quarantine": ("get", "/quarantine/"),
        "audit": ("get", "/audit/"),
    }


def test_n24_a_region_in_the_address_does_not_widen_the_scope(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker", STREET)
    for region in (PROVINCE, "0" * 12, ELSEWHERE, "x", "9" * 12):
        shown = text_of(client.get(f"/people/?region={region}"))
        assert "马翠花" not in shown
        assert "周志强" not in shown


def test_numbers_are_masked_until_a_reason_is_typed(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker")
    pages = addresses()
    for name in ("people", "person", "record", "rehearsals", "rehearsal", "tasks"):
        shown = text_of(client.get(pages[name][1]))
        assert demo.DEMO_NUMBER not in shown, name
        assert "19450815" not in shown, name
        assert "1945-08-15" not in shown, "six, four and a birthday make up the whole number"
    assert "100000********0010" in text_of(client.get(pages["person"][1]))
    reveal = pages["reveal"][1]
    for reason in ("", "abc"):
        assert demo.DEMO_NUMBER not in text_of(client.post(reveal, {"reason": reason}))
    assert not AuditEntry.objects.filter(action="person.reveal").exists()
    assert demo.DEMO_NUMBER in text_of(client.post(reveal, {"reason": "核对补办材料"}))
    entry = AuditEntry.objects.get(action="person.reveal")
    assert (entry.who, entry.reason) == (f"worker-{PROVINCE}", "核对补办材料")


def test_every_look_is_in_the_audit_log_and_on_the_page(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker")
    pages = addresses()
    person = Person.objects.get(name=demo.DEMO_NAME)
    record = f"/records/{person.certifications.get().pk}/"
    for path in (pages["person"][1], record, pages["rehearsal"][1]):
        client.get(path)
    looks = AuditEntry.objects.filter(object_id=person.pk, who=f"worker-{PROVINCE}")
    assert list(looks.order_by("number").values_list("action", flat=True)) == [
        "person.view",
        "record.view",
    ]
    actions = AuditEntry.objects.order_by("-number").values_list("action", flat=True)
    assert list(actions[:4]) == ["rehearsal.view", "record.view", "record.view", "person.view"]
    assert text_of(client.get(pages["person"][1])).count(f"<td>worker-{PROVINCE}</td>") == 3
    assert audit_log.first_broken(filed.vault) is None


def last_entry() -> tuple[str, str, str]:
    entry = AuditEntry.objects.latest("number")
    return entry.action, entry.object_id, entry.reason


def test_lists_that_show_names_are_in_the_audit_log(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker")
    person = Person.objects.get(name=demo.DEMO_NAME).pk
    client.get("/people/")
    assert last_entry() == ("people.list", "", "page 1")
    client.post("/people/", {"name": "王", "category": "retired", "status": "pending"}, follow=True)
    assert last_entry() == ("people.list", "", "category=retired, status=pending, name, page 1")
    client.post("/people/", {"number": demo.DEMO_NUMBER}, follow=True)
    assert last_entry() == ("people.list", person, "page 1")
    client.get("/tasks/")
    assert last_entry() == ("tasks.view", "", f"{PROVINCE}, page 1")
    told = " ".join(AuditEntry.objects.values_list("reason", flat=True))
    assert "王" not in told
    assert demo.DEMO_NUMBER not in told


def test_a_page_asked_for_without_a_reason_is_a_look(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker")
    client.post(addresses()["reveal"][1], {"reason": ""})
    assert last_entry()[:2] == ("person.view", Person.objects.get(name=demo.DEMO_NAME).pk)


def test_the_auditor_sees_who_looked_but_no_names(filed: TestRegistry) -> None:
    signed_in(filed, "worker", STREET).get(addresses()["person"][1])
    shown = text_of(signed_in(filed, "auditor", "0" * 12).get("/audit/"))
    assert Person.objects.get(name=demo.DEMO_NAME).person_id in shown
    assert "查看人员" in shown
    assert demo.DEMO_NAME not in shown


def test_the_number_searched_for_is_in_no_address(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker", STREET)
    response = client.post("/people/", {"number": f" {demo.DEMO_NUMBER.lower()} "})
    assert response.status_code == 302
    assert demo.DEMO_NUMBER not in response["Location"]
    shown = text_of(client.get(response["Location"]))
    assert demo.DEMO_NAME in shown
    assert "李秀英" not in shown


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"name": "刘"}, {"刘德明", "刘玉珍"}),
        ({"category": "tekun"}, {"赵福生", "孙淑芬"}),
        ({"covered": "no"}, {"吴美华"}),
        ({"status": "certified"}, {demo.DEMO_NAME}),
        ({"status": "pending", "category": "retired"}, {"张建国", "李秀英", "欧阳长河"}),
        ({"region1": PROVINCE, "region2": "100100000000", "region3": ELSEWHERE},
         {"欧阳长河", "马翠花"}),
        ({"region1": PROVINCE, "region3": ELSEWHERE, "region5": "100101001001"},
         {"欧阳长河", "马翠花"}),
        ({"since": "2000-01-01"}, {demo.DEMO_NAME}),
        ({"until": "2000-01-01"}, set()),
        ({"name": "%"}, set()),
    ],
)  # fmt: skip
def test_s05_to_s16_filters(filed: TestRegistry, fields: dict[str, str], names: set[str]) -> None:
    client = signed_in(filed, "supervisor")
    shown = text_of(client.post("/people/", fields, follow=True))
    listed = set(re.findall(r'<th scope="row"><a [^>]+>([^<]+)</a></th>', shown))
    assert listed == names


@pytest.mark.parametrize(
    "query", ["since=tomorrow", "category=x", "page=-5", "page=x", "region=%00", "person=%ff"]
)
def test_odd_addresses_are_no_error(filed: TestRegistry, query: str) -> None:
    assert signed_in(filed, "supervisor").get(f"/people/?{query}").status_code == 200


def test_paging_keeps_the_filter(filed: TestRegistry) -> None:
    people = [
        NewPerson(f"孔{n:02d}", id_number.make("100000", demo.DEMO_BIRTH, 100 + n), "dibao", True,
                  "100101001001")
        for n in range(45)
    ]  # fmt: skip
    add_people(people, filed.vault, "test")
    client = signed_in(filed, "worker", STREET)
    seen: list[str] = []
    path = "/people/?name=%E5%AD%94"
    while path:
        shown = text_of(client.get(path))
        seen += re.findall(r"孔\d\d(?=</a></th>)", shown)
        onward = re.search(r'href="(\?[^"]*)" rel="next"', shown)
        path = "/people/" + onward[1].replace("&amp;", "&") if onward else ""
    assert seen == [person.name for person in people]
    assert "共 45 条" in shown


def test_names_are_escaped_everywhere(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    number = id_number.make("100000", demo.DEMO_BIRTH, 900)
    add_people([NewPerson(XSS, number, "dibao", True, "100101001001", XSS[:40])],
               registry.vault, "t")  # fmt: skip
    nasty = {
        "name": XSS, "site": XSS, "software": XSS, "receipt_no": XSS, "reader_id": XSS,
        "outcome": "needs_review",
        "consent": {"version": XSS, "language": XSS, "agreed": True, "text_sha256": XSS},
        "liveness": kiosk.body()["liveness"] | {"liveness": {
            "band": "clear", "threshold": 0.5, "model": XSS}},
    }  # fmt: skip
    now = timezone.now()
    payloads = [
        kiosk.record(id_number=number, **nasty),
        kiosk.record(**nasty),
        kiosk.record(provenance="simulated", **nasty),
    ]
    registry.ingest.ingest([Arrival("k-001", payload) for payload in payloads], now)
    one_badge(registry, XSS)
    client = signed_in(registry, "supervisor")
    pages = [path for method, path in addresses().values() if method == "get"]
    pages += [f"/people/{Person.objects.get(name=XSS).pk}/"]
    pages += [f"/records/{row.pk}/" for row in Certification.objects.all()]
    escaped = 0
    for path in pages:
        shown = text_of(client.get(path, follow=True))
        assert "<script>" not in shown, path
        escaped += "&lt;script&gt;" in shown
    assert escaped >= 5


@pytest.mark.parametrize(
    "odd",
    [
        {"actions": 7}, {"actions": ["<b>"]}, {"seconds": {}}, {"frames": None}, {"reference": 1},
        {"liveness": []}, {"likeness": {"band": "clear"}}, {"likeness": None}, {"new": ["field"]},
        {"layers": 7}, {"layers": ["<b>"]}, {"layers": [{"name": "passive", "state": "<b>"}]},
        {"layers": [{"name": "passive", "state": "off", "model": 3}]},
    ],
)  # fmt: skip
def test_whatever_is_filed_can_be_looked_at(registry: TestRegistry, odd: dict[str, Any]) -> None:
    kiosk = registry.kiosk()
    plain = {"outcome": "needs_review", "name": "", "consent": None}
    payload = kiosk.record(liveness=kiosk.body()["liveness"] | odd, **plain)
    answers = registry.ingest.ingest([Arrival("k-001", payload)], timezone.now())
    assert bool(answers) == (odd in ({"likeness": None}, {"new": ["field"]}))
    client = signed_in(registry, "supervisor")
    for row in Certification.objects.all():
        assert client.get(f"/records/{row.pk}/").status_code == 200


def test_what_each_layer_said_is_shown_with_its_record(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    layers = [
        {"name": "screen_light", "state": "abstained"},
        {"name": "passive", "state": "suspicious", "model": "ab" * 32},
        {"name": "camera_truth", "state": "consistent", "model": None},
        {"name": "of_next_year", "state": "odd"},
    ]
    payload = kiosk.record(liveness=kiosk.body()["liveness"] | {"layers": layers})
    assert registry.ingest.ingest([Arrival("k-001", payload)], timezone.now())
    row = Certification.objects.get()
    assert row.outcome == "passed"
    shown = text_of(signed_in(registry, "supervisor").get(f"/records/{row.pk}/"))
    for words in (
        "屏幕光检测",
        "无法判断",
        "静默活体检测（仅供参考）",
        "异常，请人工核对",
        "未见异常",
    ):
        assert words in shown
    assert "of_next_year" in shown


def test_both_languages_and_no_half_translated_page(filed: TestRegistry) -> None:
    client = signed_in(filed, "supervisor")
    assert "生存认证" in text_of(client.get("/people/"))
    client.post("/i18n/setlang/", {"language": "en", "next": "/people/"})
    shown = text_of(client.get("/people/"))
    assert 'lang="en"' in shown
    assert "Proof of life" in shown
    assert "所属" not in shown


def test_django_finds_nothing_to_complain_about(registry: TestRegistry) -> None:
    assert run_checks() == []
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_simulated_records_are_in_no_list_of_people(filed: TestRegistry) -> None:
    client = signed_in(filed, "supervisor")
    rehearsal = Rehearsal.objects.get()
    person = Person.objects.get(name=demo.DEMO_NAME)
    assert str(rehearsal.pk) not in text_of(client.get(f"/people/{person.pk}/"))
    assert client.get(f"/records/{rehearsal.pk}/").status_code == 404
    assert str(rehearsal.pk) in text_of(client.get("/rehearsals/"))
    shown = text_of(client.get(f"/rehearsals/{rehearsal.pk}/"))
    assert "不证明任何人健在" in shown
    for words in ("通过", "明显高于阈值", "0.5", "abababababab", "网络授时", "k-002",
                  "001-20261123-0001", rehearsal.sha256):  # fmt: skip
        assert words in shown, words


def test_a_record_that_does_not_count_says_why_in_plain_words(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    registry.ingest.ingest([Arrival("k-001", kiosk.record(name="王建花"))], timezone.now())
    client = signed_in(registry, "supervisor")
    row = Certification.objects.get()
    shown = text_of(client.get(f"/records/{row.pk}/"))
    for words in ("尚不计为已认证", "证件姓名与登记姓名不一致", "王建花", "王建华", "暂不计入"):
        assert words in shown, words
    assert "所属区域" not in shown
    assert "核实前不计入" in text_of(client.get(f"/people/{row.person_id}/"))
    listed = text_of(client.get("/tasks/"))
    assert "尚需工作人员核实" in listed
    assert "证件姓名与登记姓名不一致" in listed
    assert "王建华" in listed


def test_devices_show_presence_gaps_and_quarantine(filed: TestRegistry) -> None:
    kiosk = filed.kiosk("k-003")
    payloads = [kiosk.record() for _ in range(5)]
    filed.ingest.ingest([Arrival("k-003", payloads[0]), Arrival("k-003", payloads[4])],
                        timezone.now())  # fmt: skip
    shown = text_of(signed_in(filed, "operator", "0" * 12).get("/devices/"))
    row = shown[shown.index("k-003") :]
    assert "2–4" in row
    assert "从未上线" in row


def test_a_member_of_staff_closes_a_task(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker", STREET)
    task = Task.objects.get()
    assert f'href="/tasks/{task.pk}/"' in text_of(client.get("/tasks/"))
    assert "办结不等于认证" in text_of(client.get(f"/tasks/{task.pk}/"))
    close = f"/tasks/{task.pk}/close/"
    for note in ("", "abc", "x" * 201):
        assert client.post(close, {"note": note}).status_code == 200
        assert Task.objects.get().state == "open"
    shown = text_of(client.post(close, {"note": "上门核实，本人健在"}, follow=True))
    for words in ("已办结", "上门核实，本人健在", f"worker-{STREET}"):
        assert words in shown, words
    assert f'action="{close}"' not in shown
    task.refresh_from_db()
    assert (task.state, task.done_by, task.note) == (
        "done",
        f"worker-{STREET}",
        "上门核实，本人健在",
    )
    assert task.done_at
    assert not task.person.is_certified(timezone.localdate()), "closing certifies nobody"
    entries = AuditEntry.objects.filter(action="task.close").order_by("number")
    assert [(entry.object_id, entry.reason) for entry in entries] == [
        (str(task.pk), "上门核实，本人健在"),
        (task.person_id, "上门核实，本人健在"),
    ]


def test_a_task_is_closed_once(filed: TestRegistry) -> None:
    first, second = signed_in(filed, "worker", STREET), signed_in(filed, "supervisor")
    close = f"/tasks/{Task.objects.get().pk}/close/"
    first.post(close, {"note": "上门核实"})
    assert "此前已由他人办结" in text_of(second.post(close, {"note": "电话核实"}, follow=True))
    assert Task.objects.get().note == "上门核实"
    assert AuditEntry.objects.filter(action="task.close", object_kind="task").count() == 1


def test_open_tasks_come_first_and_low_ones_last(filed: TestRegistry) -> None:
    [task] = Task.objects.all()
    records = Certification.objects.exclude(pk=task.record_id)
    Task.objects.create(kind="clock", low=True, record=records[0], region=task.region,
                        created_at=task.created_at - timedelta(days=9))  # fmt: skip
    client = signed_in(filed, "supervisor")

    def kinds() -> list[str]:
        queue = text_of(client.get("/tasks/?state=any"))
        return re.findall("<td>(?:已通过，但)?(认证待人工复核|认证日期存疑)", queue)

    assert kinds() == ["认证待人工复核", "认证日期存疑"]
    Task.objects.filter(pk=task.pk).update(state="done")
    assert kinds() == ["认证日期存疑", "认证待人工复核"]


def test_a_disabled_account_is_out_at_once(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker")
    name = f"worker-{PROVINCE}"
    assert client.get("/people/").status_code == 200
    staff.set_active(name, False, filed.vault, "test")
    assert client.get("/people/").status_code == 302
    assert "_auth_user_id" not in sign_in(name).session
    staff.set_active(name, True, filed.vault, "test")
    assert "_auth_user_id" in sign_in(name).session
    actions = AuditEntry.objects.filter(object_id=name, action__startswith="account.")
    assert set(actions.values_list("action", flat=True)) == {
        "account.set",
        "account.disable",
        "account.enable",
    }


def test_a_chain_that_forks_or_begins_anew_shows_on_the_kiosks_page(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    client = signed_in(registry, "operator")

    def send(payload: bytes) -> str:
        registry.ingest.ingest([Arrival("k-001", payload)], timezone.now())
        return text_of(client.get("/devices/"))

    shown = send(kiosk.record())
    assert "记录链" not in shown
    shown = send(kiosk.wrap(kiosk.body(), chain=Chain("epoch-1", 1, "")))
    assert "与终端记录链不符、已放入隔离区的记录数： 1" in shown
    assert "新的记录链" not in shown
    shown = send(kiosk.wrap(kiosk.body(), chain=Chain("epoch-2", 1, "")))
    assert "终端已启用新的记录链" in shown


def test_a_damaged_row_closes_no_page(filed: TestRegistry) -> None:
    client = signed_in(filed, "worker")
    Person.objects.filter(name=demo.DEMO_NAME).update(number_sealed=b"\0" * 40)
    Certification.objects.update(subject_sealed=b"\0" * 40)
    pages = addresses()
    for name in ("people", "person", "record"):
        response = client.get(pages[name][1])
        assert response.status_code == 200, name
        assert "无法读取" in text_of(response), name
    assert "无法读取" in text_of(client.post(pages["reveal"][1], {"reason": "核对补办材料"}))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("too_large 7000", "人数超出单次下发上限。名单人数： 7000"),
        ("damaged_person p12 p34 (2)", "未列入名单： p12 p34 (2)"),
        ("damaged_kiosk", "请重新登记该终端"),
    ],
)
def test_a_roster_with_a_problem_is_an_alarm_line(
    registry: TestRegistry, problem: str, words: str
) -> None:
    registry.kiosk()
    client = signed_in(registry, "operator")
    assert 'class="alarm"' not in text_of(client.get("/devices/"))
    Device.objects.update(roster_problem=problem)
    assert words in text_of(client.get("/devices/"))


def test_n15_the_kiosks_page_says_which_device_wants_a_hand(registry: TestRegistry) -> None:
    registry.kiosk()
    rows = [
        {"device": "camera", "works": True, "word": "ok", "since": "2026-11-23T02:00:00.000Z"},
        {"device": "printer", "works": False, "word": "empty", "since": "2026-11-23T02:00:00.000Z"},
        {"device": "scanner", "works": False, "word": "newer", "since": "2026-11-23T02:00:00.000Z"},
    ]
    client = signed_in(registry, "operator")
    assert "全部正常" not in text_of(client.get("/devices/"))
    Device.objects.update(health=rows, health_at=timezone.now())
    shown = text_of(client.get("/devices/"))
    assert "回执打印机: 已用尽" in shown
    assert "扫码器: newer" in shown
    assert "2026-11-23 10:00" in shown
    assert "摄像头" not in shown
    Device.objects.update(health=rows[:1])
    assert "全部正常" in text_of(client.get("/devices/"))


def test_a_flood_a_contradiction_and_what_is_gone_are_on_the_kiosks_page(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    client = signed_in(registry, "operator", "0" * 12)
    assert 'class="alarm"' not in text_of(client.get("/devices/"))
    first = kiosk.record()
    contradiction = kiosk.record(record_id=unpack(first)["id"], outcome="declined")
    arrivals = [Arrival("k-001", payload) for payload in (first, contradiction, kiosk.record())]
    registry.ingest.ingest(arrivals, NOW)
    assert "已放入隔离区的记录数： 1" in text_of(client.get("/devices/"))
    note_dropped("k-001", 41, NOW)
    note_dropped("k-001", 1, NOW)
    assert "未处理即丢弃的消息数： 42" in text_of(client.get("/devices/"))
    ChainState.objects.update(missing=[[4, 6]], gone=[[5, 5]])
    assert "其中终端上已不存在： 1" in text_of(client.get("/devices/"))


HELPER = {"name": "王晓明", "id_number": "100000197001010019", "card_kind": "resident", "flags": []}


def help_somebody(registry: TestRegistry, times: int = 1, **changes: Any) -> list[Certification]:
    kiosk = registry.kiosk("k-009")
    stamp = kiosk.body()["finished"] | {"utc": timezone.now().isoformat()}
    told = {"finished": stamp, "helper": HELPER, **changes}
    payloads = [kiosk.record(**told) for _ in range(times)]
    registry.ingest.ingest([Arrival("k-009", payload) for payload in payloads], timezone.now())
    return list(Certification.objects.exclude(helper_key=""))


def test_feature_13_helped_sessions_are_found_by_helper_way_and_day(filed: TestRegistry) -> None:
    help_somebody(filed)
    client = signed_in(filed, "worker")
    page = text_of(client.get("/helped/"))
    assert page.count('href="/records/') == 1
    assert "王*明 100000********0019" in page
    assert "142" in page, "live frames show that somebody stood there"
    assert HELPER["id_number"] not in page
    assert 'href="/records/' not in text_of(client.get("/helped/?named_by=typed"))
    found = client.post("/helped/", {"number": HELPER["id_number"]})
    assert HELPER["id_number"] not in found["Location"]
    assert text_of(client.get(found["Location"])).count('href="/records/') == 1
    nobody = client.post("/helped/", {"number": demo.DEMO_NUMBER})
    assert 'href="/records/' not in text_of(client.get(nobody["Location"]))
    assert AuditEntry.objects.filter(action="helped.list").count() == 4


def test_feature_13_helped_sessions_are_drawn_at_random(filed: TestRegistry) -> None:
    help_somebody(filed, 25, outcome="needs_review")
    client = signed_in(filed, "supervisor")
    drawn = [text_of(client.get("/helped/?sample=yes")) for _ in range(4)]
    assert {page.count('href="/records/') for page in drawn} == {10}
    rows = {tuple(re.findall(r"/records/([0-9a-f-]+)/", page)) for page in drawn}
    assert len(rows) > 1


def test_m17_a_record_shows_helper_and_person_apart(filed: TestRegistry) -> None:
    [row] = help_somebody(filed)
    page = text_of(signed_in(filed, "worker").get(f"/records/{row.pk}/"))
    assert "帮助人" in page
    assert "王*明 100000********0019" in page
    assert demo.DEMO_NAME in page
    assert HELPER["name"] not in page


def test_feature_2_a_call_shows_ticket_kiosk_and_time(filed: TestRegistry) -> None:
    help_somebody(filed, outcome="called", ticket="9-07", helper=None)
    page = text_of(signed_in(filed, "worker").get("/tasks/"))
    assert "在终端上叫工作人员" in page
    assert "9-07" in page
    assert "k-009" in page


def test_m11_household_members_of_covered_people_count(registry: TestRegistry) -> None:
    rows = [
        NewPerson("同住人", "100000199001010012", "dibao", False, "100101001002", "示例-003"),
        NewPerson("独居人", "100000199001010039", "dibao", False, "100101001002", "示例-099"),
        NewPerson("无户人", "100000199001010055", "dibao", False, "100101001002", ""),
    ]
    add_people(rows, registry.vault, "test")
    eligible = {person.name for person in Person.objects.all().eligible()}
    assert "同住人" in eligible
    assert not {"独居人", "无户人"} & eligible
    registry.kiosk()
    device = Device.objects.get()
    today = timezone.localdate()
    found, _ = dispatch.entry_of_number(device, rows[0].number, today, registry.vault)
    none, _ = dispatch.entry_of_number(device, rows[1].number, today, registry.vault)
    assert found is not None
    assert none is None
