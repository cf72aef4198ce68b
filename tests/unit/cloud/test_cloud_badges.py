"""Badges: issued and shown once, kept as a slow hash, region by region, down to the kiosks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.cli import main
from cloud_bridge.registry import badges, keyring
from cloud_bridge.registry.badges import Issued, NewBadge
from cloud_bridge.registry.models import AuditEntry, Badge, Device, Quarantine, Region, StaffDeed
from edge.domain.staff import Permission, StaffList, badge_of
from edge.wire import envelope, keys, messages
from edge.wire.envelope import Header
from edge.wire.staff import MAX_BADGES, parse_staff, staff_body
from tests.fixtures_cloud import ENROLLED, NOW, TODAY, TestKiosk, TestRegistry
from tests.unit.cloud.test_cloud_console import ELSEWHERE, PROVINCE, STREET, signed_in, text_of

UNTIL = TODAY + timedelta(days=200)


def issue(registry: TestRegistry, region: str = PROVINCE, **changes: Any) -> Issued:
    values = {"name": "高师傅", "role": "technician", "valid_until": UNTIL} | changes
    new = NewBadge(region=Region.objects.get(pk=region), **values)
    return badges.issue(new, registry.vault, "chen", NOW)


def at_kiosk(registry: TestRegistry, today: date = TODAY) -> dict[str, frozenset[Permission]]:
    device = Device.objects.select_related("site").get(pk="k-001")
    found, damaged = badges.entries(device, registry.vault, today)
    assert damaged == 0
    return {entry.badge: entry.permissions for entry in found}


# --- what is kept ---


def test_the_pin_is_nowhere_but_in_the_answer(registry: TestRegistry) -> None:
    registry.kiosk()
    issued = issue(registry)
    badge = Badge.objects.get()
    assert re.fullmatch(r"[1-9]\d{5}", badge.number)
    assert re.fullmatch(r"\d{6}", issued.pin)
    assert issued.pin not in repr(issued)
    kept = registry.vault.open(badge.verifier_sealed, f"badge {badge.number}")
    assert issued.pin not in kept
    assert json.loads(kept)["n"] >= 2**15
    [entry] = badges.entries(Device.objects.get(), registry.vault, TODAY)[0]
    assert entry.verifier.holds(issued.pin)


def test_a_new_pin_ends_the_one_before_and_a_revoked_badge_has_none(
    registry: TestRegistry,
) -> None:
    registry.kiosk()
    first = issue(registry)
    second = badges.reset(first.badge, registry.vault, "chen")
    [entry] = badges.entries(Device.objects.get(), registry.vault, TODAY)[0]
    assert entry.verifier.holds(second.pin)
    assert first.pin == second.pin or not entry.verifier.holds(first.pin)
    assert badges.revoke(second.badge, registry.vault, "chen", NOW)
    assert not badges.revoke(second.badge, registry.vault, "chen", NOW)
    assert at_kiosk(registry) == {}
    assert bytes(Badge.objects.get().verifier_sealed) == b""
    with pytest.raises(badges.BadgeRefused):
        badges.reset(second.badge, registry.vault, "chen")


def test_nobody_gets_two_badges_for_one_place(registry: TestRegistry) -> None:
    issue(registry)
    with pytest.raises(badges.BadgeRefused):
        issue(registry)
    issue(registry, STREET)
    assert Badge.objects.count() == 2


def many(number: int, region: str, *, valid_until: date = UNTIL, first: int = 0) -> None:
    """Badges as rows, with numbers that are never given."""
    same = {"role": "clerk", "region_id": region, "valid_until": valid_until}
    Badge.objects.bulk_create(
        Badge(number=f"{n:06}", name=f"n{n}", verifier_sealed=b"", issued_at=NOW, **same)
        for n in range(first, first + number)
    )


@pytest.mark.parametrize("asked_for", [PROVINCE, STREET])
def test_no_kiosk_gets_more_badges_than_it_takes(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch, asked_for: str
) -> None:
    """It refuses a longer list whole; what counts there is the region's own and all above."""
    monkeypatch.setattr(badges, "MAX_BADGES", 5)
    many(2, PROVINCE)
    many(2, STREET, first=10)
    many(2, ELSEWHERE, first=20)
    many(9, STREET, first=30, valid_until=TODAY - timedelta(days=1))
    last = issue(registry, asked_for, name="末位")
    for region in (PROVINCE, STREET):
        with pytest.raises(badges.BadgeRefused, match="full"):
            issue(registry, region)
    badges.revoke(last.badge, registry.vault, "chen", NOW)
    issue(registry)


def test_the_longest_list_is_one_that_a_kiosk_takes(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    many(MAX_BADGES - 1, PROVINCE)
    issue(registry)
    with pytest.raises(badges.BadgeRefused, match="full"):
        issue(registry, name="过多")
    sign_key = keyring.sign_key()
    device = Device.objects.get()
    found, _ = badges.entries(device, registry.vault, TODAY)
    whole = [replace(found[0], badge=f"{n:06}") for n in range(MAX_BADGES)]
    header = Header(messages.STAFF, "staff-1", messages.REGISTRY, kiosk.kiosk_id)
    body = staff_body(StaffList(1, NOW, tuple(whole)))
    sealed = envelope.seal(body, header, keys.sealing_key(device.open_pub))
    payload = envelope.sign(header, sealed, sign_key)
    checked = envelope.verify(payload, {messages.REGISTRY: sign_key.public_key()}.get)
    taken = parse_staff(envelope.unseal(checked.body, checked.header, kiosk.open_key))
    assert len(taken.entries) == MAX_BADGES


def test_the_page_says_that_no_more_badges_fit(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(registry, "supervisor")
    monkeypatch.setattr(badges, "MAX_BADGES", 0)
    assert "已达上限" in text_of(posted(client))
    arguments = ("staff", "issue", "高师傅", "--region", PROVINCE)
    assert main(["--config", str(registry.config), *arguments]) == 2
    assert not Badge.objects.exists()


def test_a_damaged_badge_leaves_the_others_alone(registry: TestRegistry) -> None:
    registry.kiosk()
    issue(registry)
    other = issue(registry, name="另一位")
    Badge.objects.exclude(pk=other.badge.pk).update(verifier_sealed=b"x" * 60)
    found, damaged = badges.entries(Device.objects.get(), registry.vault, TODAY)
    assert ([entry.badge for entry in found], damaged) == ([other.badge.number], 1)


# --- who gets in where ---


def test_a_badge_counts_on_the_kiosks_of_its_region_and_until_its_day(
    registry: TestRegistry,
) -> None:
    registry.kiosk()
    here = issue(registry, role="clerk").badge.number
    issue(registry, ELSEWHERE)
    issue(registry, STREET)  # one street of the district that the kiosk serves
    assert at_kiosk(registry) == {here: frozenset({Permission.SERVICE, Permission.WITNESS})}
    assert at_kiosk(registry, UNTIL) != {}
    assert at_kiosk(registry, UNTIL + timedelta(days=1)) == {}


def test_a_change_makes_the_lists_of_its_kiosks_due(registry: TestRegistry) -> None:
    registry.kiosk()
    Device.objects.update(staff_due=False, staff_day=TODAY)
    issue(registry, ELSEWHERE)
    assert not Device.objects.get().staff_due
    badge = issue(registry).badge
    assert list(badges.to_send(TODAY)) == [Device.objects.get()]
    Device.objects.update(staff_due=False)
    assert list(badges.to_send(TODAY)) == []
    badges.revoke(badge, registry.vault, "chen", NOW)
    assert Device.objects.get().staff_due


# --- the pages ---


def posted(client: Client, **changes: str) -> Any:
    until = (timezone.localdate() + timedelta(days=90)).isoformat()
    values = {"name": "高师傅", "role": "clerk", "region": PROVINCE, "valid_until": until}
    return client.post("/badges/", values | changes)


def test_a_supervisor_issues_a_badge_and_sees_its_pin_once(registry: TestRegistry) -> None:
    client = signed_in(registry, "supervisor")
    page = text_of(posted(client))
    shown = re.search(r'class="digits number">(\d{3}) (\d{3})<', page)
    assert shown is not None
    badge = Badge.objects.get()
    assert (badge.name, badge.role, badge.issued_by) == (
        "高师傅",
        "clerk",
        f"supervisor-{PROVINCE}",
    )
    later = text_of(client.get(f"/badges/{badge.number}/"))
    assert badge.number in later
    assert "digits" not in later
    actions = list(AuditEntry.objects.order_by("number").values_list("action", "object_id"))
    assert ("badge.issue", badge.number) in actions
    assert all(shown[1] + shown[2] not in entry.reason for entry in AuditEntry.objects.all())


def test_a_page_sent_twice_makes_no_second_badge(registry: TestRegistry) -> None:
    client = signed_in(registry, "supervisor")
    posted(client)
    assert "已有工牌" in text_of(posted(client))
    assert Badge.objects.count() == 1


@pytest.mark.parametrize("days", [-1, 400])
def test_a_badge_ends_some_day_within_a_year(registry: TestRegistry, days: int) -> None:
    client = signed_in(registry, "supervisor")
    day = (timezone.localdate() + timedelta(days=days)).isoformat()
    assert "error" in text_of(posted(client, valid_until=day))
    assert not Badge.objects.exists()


def test_another_region_neither_issues_nor_sees_nor_revokes(registry: TestRegistry) -> None:
    number = issue(registry).badge.number
    client = signed_in(registry, "supervisor", ELSEWHERE)
    assert "error" in text_of(posted(client, region=PROVINCE))
    assert number not in text_of(client.get("/badges/"))
    for path in ("", "reset/", "revoke/"):
        method = client.post if path else client.get
        assert method(f"/badges/{number}/{path}").status_code == 404
    assert Badge.objects.get().revoked_at is None


def test_reset_and_revoke_by_page(registry: TestRegistry) -> None:
    number = issue(registry).badge.number
    client = signed_in(registry, "operator")
    assert "digits" in text_of(client.post(f"/badges/{number}/reset/"))
    client.post(f"/badges/{number}/revoke/")
    assert Badge.objects.get().revoked_at is not None
    page = text_of(client.get(f"/badges/{number}/"))
    assert "已作废" in page
    assert "<svg" not in page
    response = client.post(f"/badges/{number}/reset/")
    assert response.status_code == 302


def test_who_looks_after_machines_makes_nobody_a_witness(registry: TestRegistry) -> None:
    """Neither with a badge of their own nor with a new PIN for somebody else's."""
    client = signed_in(registry, "operator")
    assert 'value="clerk"' not in text_of(client.get("/badges/"))
    posted(client, role="clerk")
    assert not Badge.objects.exists()
    posted(client, role="technician")
    assert Badge.objects.get().role == "technician"
    clerks = issue(registry, name="李办事员", role="clerk").badge
    assert "/reset/" not in text_of(client.get(f"/badges/{clerks.number}/"))
    assert client.post(f"/badges/{clerks.number}/reset/").status_code == 403
    verifier = clerks.verifier_sealed
    clerks.refresh_from_db()
    assert bytes(clerks.verifier_sealed) == bytes(verifier)
    client.post(f"/badges/{clerks.number}/revoke/")
    clerks.refresh_from_db()
    assert clerks.revoked_at is not None, "a lost badge anybody may end"
    boss = signed_in(registry, "supervisor")
    assert 'value="clerk"' in text_of(boss.get("/badges/"))
    again = issue(registry, name="王办事员", role="clerk").badge
    assert "/reset/" in text_of(boss.get(f"/badges/{again.number}/"))


def test_the_code_on_the_badge_is_its_number_and_not_its_pin(registry: TestRegistry) -> None:
    import zxingcpp
    from PIL import Image

    issued = issue(registry)
    client = signed_in(registry, "supervisor")
    page = text_of(client.get(f"/badges/{issued.badge.number}/"))
    size = int(re.search(r'viewBox="0 0 (\d+)', page)[1])  # type: ignore[index]
    picture = Image.new("L", (size, size), 255)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", page):
        picture.putpixel((int(x), int(y)), 0)
    [read] = zxingcpp.read_barcodes(picture.resize((size * 6, size * 6), Image.Resampling.NEAREST))
    assert badge_of(read.text) == issued.badge.number
    assert issued.pin not in read.text


# --- the command line ---


def test_the_command_line_issues_lists_resets_and_revokes(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        code = main(["--config", str(registry.config), "staff", *arguments])
        return code, capsys.readouterr().out

    code, told = run("issue", "高师傅", "--role", "clerk", "--region", PROVINCE, "--days", "30")
    found = re.search(r"badge (\d{6}): clerk, region 1000.*\nPIN: (\d{6})\n", told)
    assert (code, bool(found)) == (0, True)
    number = Badge.objects.get().number
    assert run("issue", "高师傅", "--region", PROVINCE)[0] == 2
    assert run("issue", "x", "--region", "1")[0] == 2
    assert run("issue", "x", "--days", "900")[0] == 2
    assert re.search(r"PIN: \d{6}", run("reset", number)[1])
    [row] = json.loads(run("list", "--json")[1])
    assert (row["number"], row["revoked"]) == (number, False)
    assert run("revoke", number)[0] == 0
    assert "True" in run("list")[1]
    assert [run(what, "000000")[0] for what in ("reset", "revoke")] == [2, 2]


# --- what staff did ---


def deed(kiosk: TestKiosk, event_id: str, what: str = "signed_in", **changes: Any) -> bytes:
    stamp = kiosk.body()["finished"]
    body = {
        "event_id": event_id, "kiosk_id": kiosk.kiosk_id, "badge": "204816", "deed": what,
        "at": stamp, "provenance": "live", "software": "0.1.0",
    }  # fmt: skip
    plain = json.dumps(body | changes).encode()
    return kiosk.wrap(plain, schema=messages.STAFF_EVENT, message_id=event_id)


IDS = [f"01890a5d-ac96-774b-bcce-b302099a805{n}" for n in range(8)]


def test_deeds_are_filed_once_acknowledged_and_audited(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    before, after = kiosk.record(), None
    payload = deed(kiosk, IDS[0])
    after = kiosk.record()
    arrivals = [Arrival("k-001", each) for each in (before, payload, after, payload)]
    replies = registry.ingest.ingest(arrivals, NOW)
    assert [r.ack.status.value for r in replies] == ["filed", "filed", "filed", "known"]
    again = registry.ingest.ingest([Arrival("k-001", payload)], NOW)
    assert [r.ack.status.value for r in again] == ["known"]
    row = StaffDeed.objects.get()
    assert (row.badge, row.deed, row.seq, row.device_id) == ("204816", "signed_in", 2, "k-001")
    entry = AuditEntry.objects.get(action="kiosk.signed_in")
    assert (entry.who, entry.object_id) == ("badge 204816", "k-001")
    assert Device.objects.get().chains.get().missing_count == 0
    from cloud_bridge.registry import audit

    assert audit.first_broken(registry.vault) is None


def test_what_does_not_fit_the_chain_or_is_not_its_kiosks_is_kept_aside(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    other = TestKiosk("k-001", kiosk.registry_seal)  # another signing key
    odd = [
        (deed(kiosk, IDS[0], at=None), "body"),
        (deed(kiosk, IDS[1], kiosk_id="k-002"), "moved"),
        (deed(kiosk, IDS[2], provenance="odd"), "body"),
        (deed(other, IDS[3]), "signature"),
    ]
    registry.ingest.ingest([Arrival("k-001", payload) for payload, _ in odd], NOW)
    assert sorted(Quarantine.objects.values_list("reason", flat=True)) == sorted(
        reason for _, reason in odd
    )
    assert not StaffDeed.objects.exists()


def test_a_demonstration_kiosks_deeds_say_so(registry: TestRegistry) -> None:
    kiosk = registry.kiosk(demo=True)
    payloads = [deed(kiosk, IDS[0], provenance="simulated"), deed(kiosk, IDS[1])]
    registry.ingest.ingest([Arrival("k-001", payload) for payload in payloads], NOW)
    assert StaffDeed.objects.get().simulated
    assert Quarantine.objects.get().reason == "demo_device_live"
    assert AuditEntry.objects.get(action="kiosk.signed_in").reason.endswith("simulated")


def test_every_deed_has_words_for_staff() -> None:
    from cloud_bridge.console.labels import LABELS
    from edge.domain.staff import Deed

    assert {deed.value for deed in Deed} == set(LABELS["deed"])
    assert {f"kiosk.{deed.value}" for deed in Deed} <= set(LABELS["action_word"])
    assert ENROLLED < NOW
