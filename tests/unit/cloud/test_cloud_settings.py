"""Kiosks' settings in the centre: wishes, versions, the console's page and the command line."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from cloud_bridge import demo
from cloud_bridge.cli import main
from cloud_bridge.registry import audit as audit_log
from cloud_bridge.registry import kiosk_settings
from cloud_bridge.registry.kiosk_settings import Change, SettingsRefused, UnknownVersion
from cloud_bridge.registry.models import AuditEntry, Device, KioskSettings, SettingsVersion
from edge.domain.settings import SETTINGS, Refusal
from edge.wire.desired import Reported, SettingsState
from tests.fixtures_cloud import NOW, PASSWORD, TestRegistry

LATER = NOW + timedelta(minutes=1)


def device(registry: TestRegistry, kiosk_id: str = "k-001") -> Device:
    registry.kiosk(kiosk_id)
    return Device.objects.select_related("site").get(pk=kiosk_id)


def put(registry: TestRegistry, row: Device, **values: Any) -> dict[str, int]:
    change = Change({key.replace("__", "."): value for key, value in values.items()})
    return kiosk_settings.apply([row], change, registry.vault, "gao", NOW)


def report(**changes: Any) -> Reported:
    fields: dict[str, Any] = {
        "seen": 5,
        "applied": 5,
        "state": SettingsState.APPLIED,
        "refused": (),
        "values": {"tries": 3},
        "software": "0.1.0",
        "config_sha256": "ab" * 32,
    }
    return Reported(**(fields | changes))


# --- wishes


def test_versions_are_times_and_only_grow(registry: TestRegistry) -> None:
    row = device(registry)
    first = put(registry, row, tries=2)["k-001"]
    second = put(registry, row, tries=4)["k-001"]
    assert (first, second) == (int(NOW.timestamp()), int(NOW.timestamp()) + 1)
    assert kiosk_settings.wanted(row) == {"tries": 4}


def test_a_registry_restored_from_an_old_copy_counts_above_what_the_kiosk_has(
    registry: TestRegistry,
) -> None:
    row = device(registry)
    ahead = int(NOW.timestamp()) + 1000
    kiosk_settings.store_report("k-001", report(seen=ahead), NOW)
    assert put(registry, row, tries=2)["k-001"] == ahead + 1


def test_what_is_wanted_already_makes_no_version(registry: TestRegistry) -> None:
    row = device(registry)
    put(registry, row, tries=2)
    assert put(registry, row, tries=2) == {}
    assert SettingsVersion.objects.count() == 1


def test_one_bad_value_and_nothing_is_changed(registry: TestRegistry) -> None:
    row = device(registry)
    with pytest.raises(SettingsRefused) as error:
        put(registry, row, tries=9, devices__volum=5, screen__idle_s=60)
    assert [(why.key, why.reason) for why in error.value.refused] == [
        ("tries", "range"),
        ("devices.volum", "unknown"),
    ]
    assert not SettingsVersion.objects.exists()
    assert not AuditEntry.objects.filter(action="settings.set").exists()


def test_going_back_is_a_new_version_with_the_old_values(registry: TestRegistry) -> None:
    row = device(registry)
    first = put(registry, row, tries=2)["k-001"]
    put(registry, row, tries=4, devices__volume=30)
    assert kiosk_settings.previous_version(row) == first
    third = kiosk_settings.go_back(row, first, registry.vault, "gao", LATER)
    assert kiosk_settings.wanted(row) == {"tries": 2}
    assert [old.back_to for old in kiosk_settings.history(row)] == [first, None, None]
    assert kiosk_settings.go_back(row, first, registry.vault, "gao", LATER) == 0
    assert kiosk_settings.go_back(row, 0, registry.vault, "gao", LATER) > third
    assert kiosk_settings.wanted(row) == {}
    with pytest.raises(UnknownVersion):
        kiosk_settings.go_back(row, 17, registry.vault, "gao", LATER)


def test_every_change_is_audited_with_who_and_what(registry: TestRegistry) -> None:
    row = device(registry)
    put(registry, row, tries=2)
    kiosk_settings.go_back(row, 0, registry.vault, "li", LATER)
    entries = AuditEntry.objects.filter(action="settings.set").order_by("number")
    assert [(e.who, e.object_id, e.reason.partition(": ")[2]) for e in entries] == [
        ("gao", "k-001", "tries=2"),
        ("li", "k-001", "-tries"),
    ]
    assert audit_log.first_broken(registry.vault) is None


def test_the_same_report_again_writes_nothing(registry: TestRegistry) -> None:
    device(registry)
    kiosk_settings.store_report("k-001", report(ask="aa"), NOW)
    kiosk_settings.store_report("k-001", report(ask="bb"), LATER)
    kiosk_settings.store_report("stranger", report(), NOW)
    row = KioskSettings.objects.get()
    assert row.reported_at == NOW
    assert "ask" not in row.report


# --- the page


def sign_in(registry: TestRegistry, language: str = "zh-CN") -> Client:
    registry.account("gao", "operator")
    client = Client(headers={"accept-language": language})
    client.post("/sign-in/", {"username": "gao", "password": PASSWORD})
    return client


PAGE = "/devices/k-001/settings/"


def text(client: Client) -> str:
    return str(client.get(PAGE).content.decode())


def form(row: Device, **values: Any) -> dict[str, Any]:
    newest = kiosk_settings.history(row).first()
    given = dict.fromkeys(SETTINGS, "") | kiosk_settings.wanted(row)
    changed = {key.replace("__", "."): value for key, value in values.items()}
    return given | {"version": newest.version if newest else 0} | changed


def test_the_page_shows_wanted_and_told_side_by_side(registry: TestRegistry) -> None:
    row = device(registry)
    version = put(registry, row, devices__volume=35, agency__office="新址")["k-001"]
    KioskSettings.objects.update(due=False)
    told = report(
        seen=version,
        applied=version,
        state=SettingsState.REFUSED,
        refused=(Refusal("agency.office", "text", "1..40 characters"),),
        values={"devices.volume": 35, "agency.office": "旧址<b>"},
    )
    kiosk_settings.store_report("k-001", told, NOW)
    shown = text(sign_in(registry))
    for words in ("部分被拒绝", "旧址&lt;b&gt;", "新址", "文字不符合要求", "语音音量", "gao"):
        assert words in shown, words
    assert "partly refused" in text(sign_in(registry, "en"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (SettingsState.APPLIED, "已生效"),
        (SettingsState.WAITING, "等待办理结束"),
        (SettingsState.TRIAL, "试用中"),
        (SettingsState.ROLLED_BACK, "已退回原设置"),
    ],
)
def test_each_state_has_its_words(registry: TestRegistry, state: SettingsState, words: str) -> None:
    device(registry)
    kiosk_settings.store_report("k-001", report(state=state), NOW)
    assert words in text(sign_in(registry))


def test_the_list_of_kiosks_names_what_wants_a_look(registry: TestRegistry) -> None:
    device(registry)
    client = sign_in(registry)
    kiosk_settings.store_report("k-001", report(), NOW)
    assert "已生效" not in client.get("/devices/").content.decode()
    kiosk_settings.store_report("k-001", report(state=SettingsState.ROLLED_BACK), LATER)
    assert "已退回原设置" in client.get("/devices/").content.decode()


def test_before_anything_was_heard_or_sent_the_page_says_so(registry: TestRegistry) -> None:
    row = device(registry)
    client = sign_in(registry)
    assert "尚无回报" in text(client)
    kiosk_settings.store_report("k-001", report(seen=0, applied=0), NOW)
    put(registry, row, tries=2)
    assert "尚未下发" in text(client)
    KioskSettings.objects.update(due=False)
    assert "终端尚未收到" in text(client)


def test_saving_makes_a_version_in_the_accounts_name(registry: TestRegistry) -> None:
    row = device(registry)
    client = sign_in(registry)
    answer = client.post(PAGE, form(row, tries="2", agency__office="示范路1号", language="en"))
    assert answer.status_code == 302
    wanted = {"tries": 2, "agency.office": "示范路1号", "language": "en"}
    assert kiosk_settings.wanted(row) == wanted
    client.post(PAGE, form(row, tries="", language=""))
    assert kiosk_settings.wanted(row) == {"agency.office": "示范路1号"}
    assert {old.made_by for old in kiosk_settings.history(row)} == {"gao"}


@pytest.mark.parametrize(
    "changed",
    [{"tries": "9"}, {"tries": "x"}, {"agency__phone": "call"}, {"language": "fr"},
     {"broker__host": "a b"}, {"agency__office": "a" * 41}],
)  # fmt: skip
def test_what_cannot_be_is_shown_beside_its_field(
    registry: TestRegistry, changed: dict[str, str]
) -> None:
    row = device(registry)
    answer = sign_in(registry).post(PAGE, form(row, **changed))
    assert answer.status_code == 200
    assert "不能这样设置" in answer.content.decode()
    assert not SettingsVersion.objects.exists()


def test_two_people_at_once_do_not_overwrite_each_other(registry: TestRegistry) -> None:
    row = device(registry)
    client = sign_in(registry)
    stale = form(row, tries="2")
    put(registry, row, tries=4)
    client.post(PAGE, stale)
    assert kiosk_settings.wanted(row) == {"tries": 4}
    assert "其他人刚刚修改过设置" in text(client)


def test_undo_and_older_versions(registry: TestRegistry) -> None:
    row = device(registry)
    client = sign_in(registry)
    first = put(registry, row, tries=2)["k-001"]
    put(registry, row, tries=4)
    client.post(PAGE + "back/")
    assert kiosk_settings.wanted(row) == {"tries": 2}
    client.post(PAGE + "back/", {"version": "0"})
    assert kiosk_settings.wanted(row) == {}
    client.post(PAGE + "back/", {"version": str(first)})
    assert kiosk_settings.wanted(row) == {"tries": 2}
    for odd in ("-1", "1e9", "9" * 40, "17"):
        assert client.post(PAGE + "back/", {"version": odd}).status_code == 404


# --- the command line


def command(registry: TestRegistry, *arguments: str) -> int:
    return main(["--config", str(registry.config), "settings", *arguments])


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_set_show_history_unset_undo(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    row = device(registry)
    assert command(registry, "set", "k-001", "tries=2", "agency.office=A=B", "--json") == 0
    (made,) = told(capsys)
    assert made["version"] == kiosk_settings.history(row).first().version
    assert command(registry, "show", "k-001", "--json") == 0
    shown = told(capsys)
    assert (shown["wanted"], shown["seen"], shown["state"]) == (made["version"], 0, "")
    lines = {line["key"]: line for line in shown["settings"]}
    assert lines["tries"]["wanted"] == 2
    assert lines["agency.office"]["wanted"] == "A=B"
    assert command(registry, "unset", "k-001", "tries") == 0
    assert "tries: 2 -> site file's" in capsys.readouterr().out
    assert command(registry, "undo", "k-001") == 0
    assert "tries: site file's -> 2" in capsys.readouterr().out
    assert command(registry, "history", "k-001", "--json") == 0
    assert [old["back_to"] for old in told(capsys)] == [made["version"], None, None]
    assert {old.made_by for old in kiosk_settings.history(row)} == {"command line"}
    assert command(registry, "show", "k-001") == 0
    assert "devices.volume" in capsys.readouterr().out


def test_a_dry_run_only_says(registry: TestRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    row = device(registry)
    assert command(registry, "set", "k-001", "tries=2", "--dry-run") == 0
    assert "would change" in capsys.readouterr().out
    put(registry, row, tries=4)
    assert command(registry, "undo", "k-001", "--dry-run") == 0
    assert kiosk_settings.wanted(row) == {"tries": 4}


def test_many_kiosks_at_once(registry: TestRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [device(registry, kiosk_id) for kiosk_id in ("k-001", "k-002")]
    assert command(registry, "set", "--all", "tries=2") == 0
    assert [kiosk_settings.wanted(row) for row in rows] == [{"tries": 2}] * 2
    assert command(registry, "set", "--region", demo.SITE_REGION, "tries=3") == 0
    assert [kiosk_settings.wanted(row) for row in rows] == [{"tries": 3}] * 2
    assert command(registry, "set", "--region", "999999999999", "tries=4") == 2
    assert "not in this registry" in capsys.readouterr().err
    assert command(registry, "unset", "--all", "tries") == 0
    assert [kiosk_settings.wanted(row) for row in rows] == [{}] * 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "k-001", "tries=9"), 2, "tries: must be 1..5"),
        (("set", "k-001", "tires=2"), 2, "did you mean tries?"),
        (("set", "k-001", "tries"), 2, "KEY=VALUE"),
        (("set", "k-001"), 2, "which kiosk"),
        (("unset", "k-001", "tires"), 2, "did you mean tries?"),
        (("set", "k-009", "tries=2"), 3, "not in this registry"),
        (("show", "k-009"), 3, "not in this registry"),
        (("undo", "k-001", "--to", "17"), 3, "settings history"),
    ],
)
def test_wrong_use_changes_nothing_and_says_what_is_right(
    registry: TestRegistry,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    device(registry)
    assert command(registry, *arguments) == code
    assert words in capsys.readouterr().err
    assert not SettingsVersion.objects.exists()
