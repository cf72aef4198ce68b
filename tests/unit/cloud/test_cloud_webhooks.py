"""Webhooks: what is told to whom, signed how, tried how often, and where it may never lead."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import deaths, standing, webhooks
from cloud_bridge.registry.deaths import Death
from cloud_bridge.registry.events import TELLABLE
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    Delivery,
    DoorTally,
    Person,
    Proof,
    Region,
    Webhook,
)
from cloud_bridge.registry.webhooks import NewWebhook
from cloud_bridge.webhooks import guard, post, sender, signing
from cloud_bridge.webhooks.post import Answer
from cloud_bridge.webhooks.sender import Sender
from tests.fixtures_cloud import NOW, TestRegistry

PROVINCE, ELSEWHERE = "100000000000", "100102000000"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Receiver:
    """Another office's server: notes what comes and answers as it is told."""

    url: str
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: Callable[[BaseHTTPRequestHandler], None] | None = None
    status: int = 204

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made[0].got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            if made[0].answers:
                made[0].answers(self)
                return
            self.send_response(made[0].status)
            self.send_header("Location", f"{made[0].url}/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            made[0].got.append(({}, b"a redirect was followed"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_details: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.append(Receiver(f"http://127.0.0.1:{server.server_address[1]}"))
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    yield made[0]
    server.shutdown()
    thread.join()
    server.server_close()


def add(
    registry: TestRegistry, url: str, *wanted: str, name: str = "office", region: str = PROVINCE
) -> tuple[Webhook, str]:
    new = NewWebhook(name, url, wanted or TELLABLE, Region.objects.get(pk=region))
    return webhooks.add(new, LOOPBACK, registry.vault, "test", NOW)


@dataclass
class Time:
    """A little later than anything that was told in this test."""

    now: datetime = field(default_factory=lambda: timezone.now() + timedelta(seconds=1))

    def __call__(self) -> datetime:
        return self.now


def sending(registry: TestRegistry, time: Time, **changes: Any) -> Sender:
    return Sender(registry.vault, LOOPBACK, now=time, jitter=lambda: 0.5, **changes)


def certify(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    registry.ingest.ingest([Arrival("k-001", kiosk.record())], NOW)


# --- what is told


def test_a_record_is_told_of_with_ids_alone(registry: TestRegistry, receiver: Receiver) -> None:
    _, secret = add(registry, receiver.url)
    certify(registry)
    assert sending(registry, Time()).round() == 1
    (headers, body), person = receiver.got[0], Person.objects.get(name=demo.DEMO_NAME)
    told = json.loads(body)
    proof = Proof.objects.get()
    assert told == {
        "id": headers["webhook-id"],
        "type": "certified",
        "timestamp": told["timestamp"],
        "sequence": Delivery.objects.get().pk,
        "data": {
            "person": person.pk, "region": person.region_id, "proof": proof.pk,
            "method": "kiosk", "on": proof.on.isoformat(),
        },
    }  # fmt: skip
    for secret_word in (demo.DEMO_NAME, demo.DEMO_NUMBER, demo.DEMO_NUMBER[6:14]):
        assert secret_word not in body.decode()
        assert secret_word not in str(headers)
    assert Delivery.objects.get().state == "delivered"
    assert sending(registry, Time()).round() == 0
    assert headers["webhook-signature"] == signature(secret, headers, body)


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """The receiver's own reckoning, from the text of the specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_the_signature_of_the_specifications_own_example() -> None:
    """From the Standard Webhooks test data."""
    made = signing.headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_needs_review_and_voiding_are_told_and_nothing_of_a_payment(
    registry: TestRegistry, receiver: Receiver
) -> None:
    add(registry, receiver.url)
    kiosk = registry.kiosk()
    review = kiosk.record(outcome="needs_review", reasons=["not_alike"])
    passed = kiosk.record()
    registry.ingest.ingest([Arrival("k-001", review), Arrival("k-001", passed)], NOW)
    standing.void(Proof.objects.all(), "chen", "wrong person", NOW)
    sending(registry, Time()).round()
    assert [told["type"] for told in receiver.bodies] == [
        "certified", "needs_review", "certification.voided",
    ]  # fmt: skip
    sequences = [told["sequence"] for told in receiver.bodies]
    assert sequences == sorted(set(sequences))
    keys = {key for told in receiver.bodies for key in told["data"]}
    assert keys == {"person", "region", "proof", "method", "on", "record"}


def test_s33_f05_a_death_is_told_after_the_second_approval_and_so_is_its_reversal(
    registry: TestRegistry, receiver: Receiver
) -> None:
    add(registry, receiver.url)
    for name in ("li", "chen"):
        registry.account(name, "supervisor", PROVINCE)
    li, chen = (Account.objects.get(username=name) for name in ("li", "chen"))
    person, death = Person.objects.get(name=demo.DEMO_NAME), Death(NOW.date(), "police")
    refused = deaths.enter(person, death, registry.vault, li, timezone.now())
    deaths.refuse(refused, "somebody else", registry.vault, chen, timezone.now())
    report = deaths.enter(person, death, registry.vault, li, timezone.now())
    assert Delivery.objects.count() == 0, "nobody hears of what one person says"
    deaths.approve(report, registry.vault, chen, timezone.now())
    deaths.undo(report, "is alive", registry.vault, chen, timezone.now())
    sending(registry, Time()).round()
    facts = {"report": report.pk, "died_on": NOW.date().isoformat(), "source": "police"}
    data = {"person": person.pk, "region": person.region_id, **facts}
    assert [(told["type"], told["data"]) for told in receiver.bodies] == [
        ("death", data), ("death.reversed", data),
    ]  # fmt: skip


def test_word_and_change_are_one_transaction(registry: TestRegistry, receiver: Receiver) -> None:
    add(registry, receiver.url)
    person = Person.objects.get(name=demo.DEMO_NAME)
    proof = Proof(person=person, method="visit", on=NOW.date(), at=NOW, by="li")
    with transaction.atomic():
        standing.prove([proof])
        assert Delivery.objects.count() == 1
        transaction.set_rollback(True)
    assert Delivery.objects.count() == 0
    assert Proof.objects.count() == 0


def test_only_what_was_asked_for_and_only_of_the_own_region(
    registry: TestRegistry, receiver: Receiver
) -> None:
    add(registry, receiver.url, "needs_review", name="other-event")
    add(registry, receiver.url, name="other-region", region=ELSEWHERE)
    off, _ = add(registry, receiver.url, name="off")
    webhooks.switch(off, False, registry.vault, "chen")
    certify(registry)
    assert Delivery.objects.count() == 0


def test_nobody_listening_costs_one_question(registry: TestRegistry) -> None:
    person = Person.objects.get(name=demo.DEMO_NAME)
    proof = Proof(person=person, method="visit", on=NOW.date(), at=NOW, by="li")
    with CaptureQueriesContext(connection) as asked:
        standing.prove([proof])
    assert sum("registry_webhook" in row["sql"] for row in asked) == 1
    assert not any("registry_delivery" in row["sql"] for row in asked)


# --- tries


def test_tries_grow_apart_and_end_after_three_days(
    registry: TestRegistry, receiver: Receiver
) -> None:
    add(registry, receiver.url)
    certify(registry)
    receiver.status = 503
    time = Time()
    post_office = sending(registry, time)
    moments, made_at = [], Delivery.objects.get().made_at
    while (due := Delivery.objects.get().next_try_at) is not None:
        time.now = max(due, time.now)
        moments.append(time.now - made_at)
        assert post_office.round() == 1
    waits = [b - a for a, b in pairwise(moments)]
    assert waits[:7] == list(sender.WAITS)
    assert timedelta(days=2, hours=12) < moments[-1] < sender.GIVE_UP
    row = Delivery.objects.get()
    assert (row.state, row.last_answer, row.tries) == ("given_up", "503", len(moments))
    assert {body for _, body in receiver.got} == {receiver.got[0][1]}, "every try the same bytes"
    receiver.status = 200
    webhooks.send_again(row, registry.vault, "chen", time.now)
    post_office.round()
    assert Delivery.objects.get().state == "delivered"


def test_410_switches_it_off(registry: TestRegistry, receiver: Receiver) -> None:
    add(registry, receiver.url)
    certify(registry)
    receiver.status = 410
    sending(registry, Time()).round()
    assert not Webhook.objects.get().is_active
    assert AuditEntry.objects.filter(action="webhook.gone").count() == 1


def test_a_dead_receiver_does_not_hold_up_another(
    registry: TestRegistry, receiver: Receiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    add(registry, f"http://127.0.0.1:{port}", name="dead")
    add(registry, receiver.url, name="well")
    kiosk = registry.kiosk()
    for _ in range(3):
        registry.ingest.ingest([Arrival("k-001", kiosk.record())], NOW)
    sending(registry, Time()).round()
    states = dict(Delivery.objects.values_list("pk", "webhook__name"))
    told = {states[told["sequence"]] for told in receiver.bodies}
    assert (told, len(receiver.bodies)) == ({"well"}, 3)
    dead = Delivery.objects.filter(webhook__name="dead").order_by("pk")
    assert [row.tries for row in dead] == [1, 0, 0], "the rest waits for its turn"
    assert all(row.state == "waits" for row in dead)


def test_what_another_process_took_is_not_sent_twice(
    registry: TestRegistry, receiver: Receiver
) -> None:
    add(registry, receiver.url)
    certify(registry)
    one, other = sending(registry, Time()), sending(registry, Time())
    taken = one._claim()
    assert len(taken) == 1
    assert other.round() == 0
    later = sending(registry, Time(Time().now + sender.CLAIM + timedelta(seconds=1)))
    assert later.round() == 1, "a process that died with it in its hands loses nothing"


def test_old_word_and_dry_buckets_are_dropped(registry: TestRegistry, receiver: Receiver) -> None:
    add(registry, receiver.url)
    certify(registry)
    DoorTally.objects.create(key="x", level=1, at=NOW)
    stop = threading.Event()

    def send(*_what: Any) -> Answer:
        stop.set()
        return Answer(204, "204")

    sending(registry, Time(Time().now + sender.KEPT), send=send).run(stop)
    assert stop.is_set()
    assert Delivery.objects.count() == 0
    assert DoorTally.objects.count() == 0


def test_a_test_goes_to_the_one_that_is_tried(registry: TestRegistry, receiver: Receiver) -> None:
    row, _ = add(registry, receiver.url)
    add(registry, receiver.url, name="other")
    webhooks.try_out(row, registry.vault, "chen", NOW)
    sending(registry, Time()).round()
    assert [(told["type"], told["data"]["person"]) for told in receiver.bodies] == [("test", None)]


# --- where it may lead


def test_a_redirect_is_not_followed(registry: TestRegistry, receiver: Receiver) -> None:
    add(registry, receiver.url)
    certify(registry)
    receiver.status = 307
    sending(registry, Time()).round()
    assert len(receiver.got) == 1
    assert Delivery.objects.get().last_answer == "307"
    assert Delivery.objects.get().state == "waits"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook", "ftp://example.com/", "https://", "https://user:pw@example.com/",
        "https://example.com/#x", "https://example.com:99999/", "https://exa mple.com/",
        "file:///etc/passwd", "//example.com", "https://[::1", "http://10.0.0.1/",
        "https://example.com/\nX: y", "http://localhost/", "https://例子.cn/", "x" * 400,
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused_when_it_is_added(
    registry: TestRegistry, url: str
) -> None:
    with pytest.raises(webhooks.WebhookRefused, match="url"):
        add(registry, url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:1::1",
        "192.0.2.1", "198.18.0.1", "240.0.0.1",
    ],
)  # fmt: skip
def test_our_own_network_cannot_be_reached(address: str) -> None:
    assert not guard.may_reach(ip_address(address), ())


def test_the_public_internet_and_what_is_allowed_can() -> None:
    assert guard.may_reach(ip_address("93.184.216.34"), ())
    assert guard.may_reach(ip_address("2606:2800:220:1::1"), ())
    assert guard.may_reach(ip_address("10.1.2.3"), [ip_network("10.1.2.0/24")])
    assert not guard.may_reach(ip_address("10.1.3.3"), [ip_network("10.1.2.0/24")])
    assert guard.may_reach(ip_address("::ffff:10.1.2.3"), [ip_network("10.1.2.0/24")])


def test_one_forbidden_address_among_several_forbids_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(2, 1, 6, "", (text, 443)) for text in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: rows)
    answer = post.post("https://example.com/", b"{}", {}, ())
    assert answer == Answer(0, "forbidden: address")


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    registry: TestRegistry, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is asked for once; a second, other answer would find nobody to give it to."""
    asked: list[str] = []
    port = int(receiver.url.rpartition(":")[2])

    def resolve(host: str, *_a: Any, **_k: Any) -> Any:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    target = guard.parse("https://hook.example/", ())
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", resolve)
        found = guard.resolve(target, LOOPBACK)
    assert (asked, found.address, found.host) == (["hook.example"], "127.0.0.1", "hook.example")


def test_a_receiver_that_trickles_is_cut_off(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "WHOLE_S", 0.3)
    done = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        try:
            while not done.wait(0.02):
                handler.wfile.write(b"H")
        except OSError:
            done.set()

    receiver.answers = trickle
    answer = post.post(receiver.url, b"{}", {}, LOOPBACK)
    done.set()
    assert answer.status == 0


def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(2000):
                handler.wfile.write(b"x" * 65536)
        except OSError:
            return

    receiver.answers = flood
    assert post.post(receiver.url, b"{}", {}, LOOPBACK).status == 200


def test_a_certificate_of_nobody_is_refused(receiver: Receiver) -> None:
    secure = receiver.url.replace("http:", "https:")
    answer = post.post(secure, b"{}", {}, LOOPBACK)
    assert (answer.status, answer.word[:4]) == (0, "tls:")
    assert not receiver.got


# --- who may know the secret


def test_the_secret_is_sealed_and_shown_once(registry: TestRegistry) -> None:
    row, secret = add(registry, "https://example.com/")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert webhooks.secret_of(row, registry.vault) == secret
    row.refresh_from_db()
    assert secret.encode() not in bytes(row.secret_sealed)
    assert secret not in str(list(AuditEntry.objects.values()))
    for bad in (("", "x"), ("office", "x"), ("new", "nothing.like.it")):
        with pytest.raises(webhooks.WebhookRefused):
            add(registry, "https://example.com/", bad[1] if bad[1] != "x" else "death", name=bad[0])
