"""In, out, and what somebody may try at the door: passwords, codes, sessions, lists of tries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client, override_settings
from django.utils import timezone

from cloud_bridge.console import door_views, knocking
from cloud_bridge.registry import accounts, limits, second_factor, staff
from cloud_bridge.registry.models import Account, AuditEntry, DoorTally, RecoveryCode
from tests.fixtures_cloud import PASSWORD, TestRegistry

ANOTHER = "battery horse correct 7"
STEP = 30


def knock(name: str, password: str = PASSWORD, client: Client | None = None, **more: Any) -> Client:
    client = client or Client(headers={"accept-language": "en"})
    client.post("/sign-in/", {"username": name, "password": password}, **more)
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def text_of(response: Any) -> str:
    return str(response.content.decode())


def code_at(secret: bytes, at: datetime) -> str:
    """RFC 6238 with SHA-1, written anew here."""
    digest = hmac.digest(secret, struct.pack(">Q", int(at.timestamp()) // STEP), "sha1")
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


class Phone:
    """An authenticator app that has scanned the page."""

    def __init__(self, key: str) -> None:
        self._secret = base64.b32decode(key.replace(" ", ""))

    def shows(self, at: datetime | None = None) -> str:
        return code_at(self._secret, at or timezone.now())


def scanned(page: str) -> Phone:
    key = re.search(r'class="number otp-key">([A-Z2-7 ]+)<', page)
    assert key
    return Phone(key[1])


@pytest.fixture
def li(registry: TestRegistry) -> Account:
    registry.account("li", "worker")
    return Account.objects.get()


@pytest.fixture
def phone(registry: TestRegistry, li: Account) -> Phone:
    """Of an account that has one."""
    made = Phone(second_factor.enrolment(li, registry.vault).key)
    before = timezone.now() - timedelta(minutes=5)
    assert second_factor.enrol(li, made.shows(before), registry.vault, before)
    return made


def next_step() -> None:
    """The code that was used is the one before now."""
    Account.objects.update(totp_step=0)


# --- passwords


def test_five_wrong_tries_lock_the_account_for_a_while(li: Account) -> None:
    for _ in range(5):
        assert not is_in(knock("li", "wrong"))
    assert not is_in(knock("li")), "the right password comes too late"
    assert AuditEntry.objects.filter(action="sign-in.locked").count() == 1
    Account.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert is_in(knock("li"))
    assert Account.objects.get().failed_tries == 0


def test_tries_before_a_success_do_not_add_up(li: Account) -> None:
    for _ in range(3):
        for _ in range(4):
            knock("li", "wrong")
        assert is_in(knock("li"))


def test_the_door_says_the_same_to_everybody(registry: TestRegistry, li: Account) -> None:
    registry.account("off", "worker")
    registry.account("shut", "worker")
    Account.objects.filter(username="off").update(is_active=False)
    until = timezone.now() + timedelta(minutes=1)
    Account.objects.filter(username="shut").update(locked_until=until)
    said = set()
    tries = (("li", "wrong"), ("nobody", PASSWORD), ("off", PASSWORD), ("shut", PASSWORD))
    for name, password in tries:
        client = Client()
        response = client.post("/sign-in/", {"username": name, "password": password})
        assert response.status_code == 403
        said.update(re.findall(r'role="alert">([^<]+)', text_of(response)))
    assert len(said) == 1


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_the_door_leads_nowhere_else(li: Account, target: str) -> None:
    fields = {"username": "li", "password": PASSWORD, "next": target}
    assert Client().post("/sign-in/", fields)["Location"] == "/"
    inside = fields | {"next": "/people/?page=2"}
    assert Client().post("/sign-in/", inside)["Location"] == "/people/?page=2"


def test_one_address_has_to_wait_between_wrong_tries(registry: TestRegistry, li: Account) -> None:
    """A list of names with one password each: no account is locked, the address slows down."""
    client = Client(headers={"accept-language": "en"})
    burst = knocking.FROM_ONE_ADDRESS.burst
    answers = [
        client.post("/sign-in/", {"username": f"name{n}", "password": "x"})
        for n in range(burst + 1)
    ]
    assert [answer.status_code for answer in answers] == [403] * burst + [429]
    assert int(answers[-1]["Retry-After"]) <= knocking.FROM_ONE_ADDRESS.every_s
    assert not is_in(knock("li")), "nor with the right password, from there"
    assert is_in(knock("li", REMOTE_ADDR="10.1.2.3"))
    DoorTally.objects.update(at=timezone.now() - timedelta(minutes=10))
    assert is_in(knock("li"))


def test_nobody_locks_an_office_out_by_being_wrong_in_its_name(li: Account) -> None:
    """Account locked and address slowed down: who has been in from this browser still gets in."""
    office = knock("li")
    office.post("/sign-out/")
    for n in range(knocking.FROM_ONE_ADDRESS.burst + 5):
        knock("li" if n < 6 else f"name{n}", "wrong")
    assert not is_in(knock("li"))
    assert is_in(knock("li", client=office))


def test_a_known_browser_is_no_way_around_the_lock(li: Account) -> None:
    office = knock("li")
    office.post("/sign-out/")
    for _ in range(knocking.IN_ONE_BROWSER.burst):
        knock("li", "wrong", office)
    assert not is_in(knock("li", client=office))
    assert is_in(knock("li")), "others are not meant"


def test_a_known_browser_is_known_for_its_own_accounts(registry: TestRegistry, li: Account) -> None:
    registry.account("wang", "worker")
    office = knock("li")
    office.post("/sign-out/")
    for _ in range(5):
        knock("wang", "wrong", office)
    assert not is_in(knock("wang", client=office)), "locked like for a stranger"
    value = office.cookies[knocking.COOKIE].value
    office.cookies[knocking.COOKIE] = value[:-1] + ("A" if value[-1] != "A" else "B")
    for _ in range(5):
        knock("li", "wrong", office)
    assert not is_in(knock("li", client=office)), "a cookie that was changed is none"


# --- sessions


def test_a_session_ends_by_itself(li: Account) -> None:
    client = knock("li")
    assert client.session.get_expiry_age() <= settings.SESSION_COOKIE_AGE == 1800
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/people/").status_code == 302


def test_clicking_does_not_keep_a_session_for_ever(li: Account) -> None:
    client = knock("li")
    for hours, status in ((11, 200), (13, 302)):
        session = client.session
        session["signed_in_at"] = (timezone.now() - timedelta(hours=hours)).timestamp()
        session.save()
        assert client.get("/people/").status_code == status
    assert not is_in(client)


def test_a_session_known_before_the_sign_in_is_worth_nothing(li: Account, phone: Phone) -> None:
    """Fixation: whoever has planted a session in somebody's browser has no part in it."""
    for second in (False, True):
        if not second:
            Account.objects.update(totp_since=None)
        else:
            Account.objects.update(totp_since=timezone.now())
        client, intruder = Client(), Client()
        session = client.session
        session["planted"] = "yes"
        session.save()
        planted = client.cookies["sessionid"].value
        knock("li", client=client)
        if second:
            half = client.cookies["sessionid"].value
            assert half != planted
            client.post("/sign-in/code/", {"code": phone.shows()})
            assert client.cookies["sessionid"].value != half
        assert is_in(client)
        assert client.cookies["sessionid"].value != planted
        intruder.cookies["sessionid"] = planted
        assert not is_in(intruder)
        assert intruder.get("/people/").status_code == 302


@pytest.mark.parametrize("how", ["disabled", "reset", "factor", "own", "set"])
def test_open_sessions_end_with_what_let_them_in(
    registry: TestRegistry, li: Account, how: str
) -> None:
    elsewhere, here = knock("li"), knock("li")
    vault = registry.vault
    if how == "disabled":
        staff.set_active("li", False, vault, "t")
        staff.set_active("li", True, vault, "t")
    elif how == "reset":
        accounts.reset_password(li, vault, "t")
    elif how == "factor":
        second_factor.reset(li, vault, "t")
    elif how == "set":
        registry.account("li", "worker")
    else:
        fields = {"old": PASSWORD, "new": ANOTHER, "again": ANOTHER}
        here.post("/own/password/", fields)
        assert here.get("/people/").status_code == 200, "one's own goes on"
    assert elsewhere.get("/people/").status_code == 302


def test_signing_out_ends_the_session_at_the_centre_too(li: Account) -> None:
    client, thief = knock("li"), Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    client.post("/sign-out/")
    assert thief.get("/people/").status_code == 302


# --- one's own password


def test_the_first_password_opens_nothing_but_its_change(registry: TestRegistry) -> None:
    where = ("li", "worker", "0" * 12, PASSWORD, registry.vault, "t")
    staff.set_account(*where, must_change=True)
    client = knock("li")
    for path in ("/", "/people/", "/own/", "/own/factor/"):
        assert client.get(path)["Location"] == "/own/password/"
    fields = {"old": PASSWORD, "new": ANOTHER, "again": ANOTHER}
    client.post("/own/password/", fields)
    assert client.get("/people/").status_code == 200
    assert not is_in(knock("li"))
    assert is_in(knock("li", ANOTHER))


@pytest.mark.parametrize(
    "changes",
    [
        {"old": "wrong"}, {"again": "another thing 1"}, {"new": PASSWORD, "again": PASSWORD},
        {"new": "password1234", "again": "password1234"}, {"new": "short", "again": "short"},
    ],
)  # fmt: skip
def test_a_password_that_may_not_be_is_refused(li: Account, changes: dict[str, str]) -> None:
    client = knock("li")
    fields = {"old": PASSWORD, "new": ANOTHER, "again": ANOTHER} | changes
    response = client.post("/own/password/", fields)
    assert response.status_code == 403
    assert 'role="alert"' in text_of(response)
    assert ANOTHER not in text_of(response)
    assert is_in(knock("li"))


def test_an_open_session_is_no_place_to_try_passwords(li: Account) -> None:
    client = knock("li")
    for _ in range(knocking.IN_ONE_BROWSER.burst):
        client.post("/own/password/", {"old": "wrong", "new": ANOTHER, "again": ANOTHER})
    right = {"old": PASSWORD, "new": ANOTHER, "again": ANOTHER}
    assert client.post("/own/password/", right).status_code == 403


# --- the second factor


@override_settings(SECOND_FACTOR_REQUIRED=True)
def test_where_it_is_required_nothing_opens_before_there_is_a_phone(li: Account) -> None:
    client = knock("li")
    for path in ("/", "/people/", "/own/", "/own/password/"):
        assert client.get(path)["Location"] == "/own/factor/"
    page = text_of(client.get("/own/factor/"))
    again = scanned(text_of(client.get("/own/factor/")))
    assert again.shows() == scanned(page).shows(), "the same picture until it is used"
    assert "<path d=" in page
    assert client.post("/own/factor/", {"code": "000000"}).status_code == 403
    shown = text_of(client.post("/own/factor/", {"code": scanned(page).shows()}))
    assert len(re.findall(r"<li>(?:[a-z2-9]{4}-){2}[a-z2-9]{4}</li>", shown)) == 10
    assert client.get("/people/").status_code == 200
    assert client.get("/own/factor/")["Location"] == "/own/", "no second picture of it"


def test_a_password_alone_is_half_a_sign_in(li: Account, phone: Phone) -> None:
    client = knock("li")
    assert not is_in(client)
    assert client.get("/people/").status_code == 302
    assert client.post("/sign-in/code/", {"code": "12345"}).status_code == 403
    assert client.get("/people/").status_code == 302
    assert client.post("/sign-in/code/", {"code": phone.shows()})["Location"] == "/"
    assert is_in(client)
    assert client.get("/people/").status_code == 200


def test_the_second_door_is_nothing_without_the_first(li: Account, phone: Phone) -> None:
    assert Client().post("/sign-in/code/", {"code": phone.shows()})["Location"] == "/sign-in/"


def test_half_a_sign_in_does_not_wait_for_ever(
    registry: TestRegistry, li: Account, phone: Phone
) -> None:
    late, reset, shut = knock("li"), knock("li"), knock("li")
    session = late.session
    half = session[door_views.HALF]
    session[door_views.HALF] = half | {"at": half["at"] - door_views.HALF_S - 1}
    session.save()
    staff.set_active("li", False, registry.vault, "t")
    assert shut.post("/sign-in/code/", {"code": phone.shows()})["Location"] == "/sign-in/"
    Account.objects.update(is_active=True)
    for client in (late, reset):
        response = client.post("/sign-in/code/", {"code": phone.shows()})
        assert response["Location"] == "/sign-in/"


def test_a_code_counts_once(registry: TestRegistry, li: Account, phone: Phone) -> None:
    now = datetime(2026, 11, 23, 3, 0, 10, tzinfo=UTC) + timedelta(days=400)
    code, vault = phone.shows(now), registry.vault
    assert second_factor.accepts(li, code, vault, now)
    stale = Account.objects.get()
    stale.totp_step = 0  # another process that has not heard of it yet
    for account in (li, Account.objects.get(), stale):
        assert not second_factor.accepts(account, code, vault, now)
    earlier = phone.shows(now - timedelta(seconds=STEP))
    assert not second_factor.accepts(Account.objects.get(), earlier, vault, now)


@pytest.mark.parametrize(("steps", "fits"), [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)])
def test_a_phone_may_be_half_a_minute_wrong(
    registry: TestRegistry, li: Account, phone: Phone, steps: int, fits: bool
) -> None:
    now = datetime(2028, 1, 1, 3, 0, 10, tzinfo=UTC)
    code = phone.shows(now + timedelta(seconds=steps * STEP))
    assert second_factor.accepts(li, code, registry.vault, now) == fits


@pytest.mark.parametrize("code", ["", "0", "abcdef", "1234567", "１２３４５６", "-12345", "12 34"])
def test_odd_codes_are_wrong_codes(
    registry: TestRegistry, li: Account, phone: Phone, code: str
) -> None:
    assert not second_factor.accepts(li, code, registry.vault, timezone.now())


def test_codes_cannot_be_tried_out(li: Account, phone: Phone) -> None:
    client = knock("li")
    for n in range(settings.LOCKOUT_TRIES):
        wrong = f"{(int(phone.shows()) + 7 * (n + 1)) % 10**6:06d}"
        assert client.post("/sign-in/code/", {"code": wrong}).status_code == 403
    assert client.post("/sign-in/code/", {"code": phone.shows()}).status_code == 403
    assert AuditEntry.objects.filter(action="sign-in.locked").exists()
    assert not is_in(client)


def test_the_right_password_does_not_forgive_wrong_codes(li: Account, phone: Phone) -> None:
    for n in range(settings.LOCKOUT_TRIES):
        wrong = f"{(int(phone.shows()) + 7 * (n + 1)) % 10**6:06d}"
        knock("li").post("/sign-in/code/", {"code": wrong})
    assert not is_in(knock("li"))
    assert Account.objects.get().locked_until


def recovery_codes(registry: TestRegistry, li: Account) -> list[str]:
    return list(second_factor.new_codes(li, registry.vault))


def test_a_recovery_code_opens_once(registry: TestRegistry, li: Account, phone: Phone) -> None:
    first, second, *_ = recovery_codes(registry, li)
    for code, opens in ((first, True), (first, False), (second.upper().replace("-", " "), True)):
        client = knock("li")
        client.post("/sign-in/code/", {"code": code})
        assert is_in(client) == opens
    assert AuditEntry.objects.filter(action="factor.recovery").count() == 2
    assert second_factor.codes_left(li) == 8


def test_new_recovery_codes_end_the_old_ones(
    registry: TestRegistry, li: Account, phone: Phone
) -> None:
    old = recovery_codes(registry, li)
    client = knock("li")
    client.post("/sign-in/code/", {"code": phone.shows()})
    next_step()
    assert "recovery" not in text_of(client.post("/own/codes/", {"code": "1"}))
    shown = text_of(client.post("/own/codes/", {"code": phone.shows()}))
    new = re.findall(r"<li>([a-z2-9-]{14})</li>", shown)
    assert len(new) == 10
    assert "<li>" + new[0] not in text_of(client.get("/own/")), "shown once"
    assert not second_factor.accepts(li, old[0], registry.vault, timezone.now())
    assert second_factor.accepts(li, new[0], registry.vault, timezone.now())


def test_a_recovery_code_belongs_to_its_account(
    registry: TestRegistry, li: Account, phone: Phone
) -> None:
    code = recovery_codes(registry, li)[0]
    registry.account("wang", "worker")
    wang = Account.objects.get(username="wang")
    Account.objects.filter(pk=wang.pk).update(totp_since=timezone.now())
    wang.refresh_from_db()
    assert not second_factor.accepts(wang, code, registry.vault, timezone.now())


def test_whoever_has_another_phone_gives_the_old_one_up(li: Account, phone: Phone) -> None:
    client = knock("li")
    client.post("/sign-in/code/", {"code": phone.shows()})
    next_step()
    assert client.post("/own/factor/other/", {"code": "x"})["Location"] == "/own/"
    assert client.post("/own/factor/other/", {"code": phone.shows()})["Location"] == "/own/factor/"
    other = scanned(text_of(client.get("/own/factor/")))
    assert other.shows() != phone.shows()
    client.post("/own/factor/", {"code": other.shows()})
    next_step()
    again = knock("li")
    again.post("/sign-in/code/", {"code": phone.shows()})
    assert not is_in(again)
    again.post("/sign-in/code/", {"code": other.shows()})
    assert is_in(again)


def test_the_database_alone_opens_nothing(registry: TestRegistry, li: Account) -> None:
    enrolment = second_factor.enrolment(li, registry.vault)
    made = Phone(enrolment.key)
    codes = second_factor.enrol(li, made.shows(), registry.vault, timezone.now())
    assert codes
    row = Account.objects.values().get()
    secret = base64.b32decode(enrolment.key.replace(" ", ""))
    kept = repr(row).encode() + bytes(row["totp_sealed"])
    for part in (secret, secret.hex().encode(), enrolment.key.replace(" ", "").encode()):
        assert part not in kept
    hashes = set(RecoveryCode.objects.values_list("code_hash", flat=True))
    for code in codes:
        plain = code.replace("-", "")
        for guess in (plain, f"{li.pk} {plain}"):
            assert hashlib.sha256(guess.encode()).hexdigest() not in hashes
    assert repr(enrolment) == "Enrolment()"


def test_a_sealed_secret_fits_no_other_account(registry: TestRegistry, li: Account) -> None:
    made = Phone(second_factor.enrolment(li, registry.vault).key)
    registry.account("wang", "worker")
    wang = Account.objects.get(username="wang")
    Account.objects.filter(pk=wang.pk).update(
        totp_sealed=Account.objects.get(pk=li.pk).totp_sealed, totp_since=timezone.now()
    )
    wang.refresh_from_db()
    assert not second_factor.accepts(wang, made.shows(), registry.vault, timezone.now())


# --- what is written


def test_the_door_writes_what_happened_and_no_secret(
    registry: TestRegistry, li: Account, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    knock("li", "wrong-password-typed")
    client = knock("li")
    code = phone.shows()
    client.post("/sign-in/code/", {"code": code})
    client.post("/own/password/", {"old": PASSWORD, "new": ANOTHER, "again": ANOTHER})
    client.post("/sign-out/")
    actions = list(AuditEntry.objects.order_by("number").values_list("action", flat=True))
    wanted = ["sign-in.failed", "sign-in", "account.password", "sign-out"]
    assert [action for action in actions if action in wanted] == wanted
    told = repr(list(AuditEntry.objects.values())) + caplog.text
    for secret in (PASSWORD, ANOTHER, "wrong-password-typed", code):
        assert secret not in told


def test_tallies_are_forgotten_and_name_nobody(li: Account) -> None:
    knock("nobody", "wrong", REMOTE_ADDR="10.9.8.7")
    assert "10.9.8.7" not in repr(list(DoorTally.objects.values()))
    DoorTally.objects.update(at=timezone.now() - timedelta(days=2))
    knock("li")
    assert limits.forget_dry(timezone.now()) == 0
    assert not DoorTally.objects.exists()
