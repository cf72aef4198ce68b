"""From the console to the kiosk and back: a badge is issued, opens the service screen, prints a
slip, looks through the camera, switches off; the registry's audit log knows all of it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.registry import keyring, staff
from cloud_bridge.registry.models import AuditEntry, Badge, StaffDeed
from edge.app.clock import SystemTime, mono_ns
from edge.app.compose import compose
from edge.app.config import Config
from edge.app.runner import Runner
from edge.app.world import make_world
from edge.domain.findings import Status
from edge.domain.staff import Refusal
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import Incoming
from edge.session.events import Button, CodeScanned, Event, Pressed, TimerFired
from edge.session.machine import Transition
from edge.session.staff_states import (
    PowerWish,
    Service,
    ServicePage,
    SignInStep,
    SlipNews,
    StaffSignIn,
)
from edge.session.states import Home, Language, Session
from edge.store.inbox import Inbox
from edge.store.outbox import SqliteOutbox
from edge.sync.receiver import Receiver
from edge.ui.viewmodel import view
from edge.wire import keys, topics
from tests.fixtures_cloud import TestRegistry
from tests.headless import KIOSK, make_config
from tests.integration.test_cloud_worker import Bench
from tests.unit.cloud.test_cloud_console import PROVINCE, signed_in, text_of

pytestmark = pytest.mark.timeout(150)


class Kiosk:
    """A whole kiosk without a window, its sync process as two calls, and the registry's bridge."""

    def __init__(self, config: Config, registry: TestRegistry) -> None:
        self.bench = Bench(registry)
        self.bench.now = datetime.now(UTC)  # the kiosk's clock is the machine's
        self.world = make_world(SCENARIOS["good-day"], mono_ns, 384)
        self.parts = compose(config, self.world)
        self.news = threading.Condition()
        self.wishes: list[PowerWish] = []
        self.runner = Runner(self.parts, Language.ZH, self._saw, power=self.wishes.append)
        database = self.parts.disk.database  # type: ignore[attr-defined]
        self.outbox = SqliteOutbox(database, SystemTime())
        registry_key = keyring.sign_key().public_key()
        self.receiver = Receiver(KIOSK, registry_key, self.outbox, Inbox(database), letters=None)
        self.taken = 0

    def _saw(self, _event: Event | None, _transition: Transition) -> None:
        with self.news:
            self.news.notify_all()

    def __enter__(self) -> Kiosk:
        self.runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.runner.close() == []
        self.world.close()
        self.parts.disk.close()  # type: ignore[attr-defined]

    def sync(self) -> None:
        """What the sync process and the bridge do: up what is due, down what was sent."""
        topic = topics.topic(KIOSK, topics.RECORD)
        for row in self.outbox.due(100):
            self.bench.link.bring(topic, row.payload)
        self.bench.turn()
        self.bench.turn()
        for name, payload, _ in self.bench.link.sent[self.taken :]:
            self.receiver.take(Incoming(name, payload))
        self.taken = len(self.bench.link.sent)

    def press(self, *buttons: Button) -> None:
        for button in buttons:
            self.runner.post(Pressed(button))

    def type(self, digits: str) -> None:
        self.press(*(Button(f"digit_{digit}") for digit in digits), Button.OK)

    def until(self, holds: Callable[[Any], bool]) -> Session:
        """Wait for a state; whatever happens at the kiosk is told by the runner itself."""
        with self.news:
            assert self.news.wait_for(lambda: holds(self.runner.session().state), 30), (
                self.runner.session()
            )
        return self.runner.session()

    def sign_in(self, badge: str, pin: str) -> Session:
        self.press(Button.STAFF_DOOR)
        self.type(badge)
        self.until(lambda s: isinstance(s, StaffSignIn) and s.step is SignInStep.PIN)
        self.type(pin)
        return self.until(lambda s: isinstance(s, Service) or getattr(s, "refusal", None))

    def on(self, page: ServicePage) -> Callable[[Any], bool]:
        return lambda s: isinstance(s, Service) and s.page is page


@pytest.fixture
def kiosk(tmp_path: Path, models_dir: Path, registry: TestRegistry) -> Iterator[Kiosk]:
    config = make_config(tmp_path, models_dir)
    for name, key in (("sign", keyring.sign_key()), ("seal", keyring.seal_key())):
        public = keys.encode_key(key.public_key().public_bytes_raw())
        (config.base / f"registry-{name}.pub").write_text(public)
    new = staff.NewDevice(KIOSK, "示范", config.base, demo.SITE_REGION, demo=True)
    staff.set_device(new, registry.vault, "test")
    with Kiosk(config, registry) as made:
        yield made


def issued(registry: TestRegistry) -> tuple[str, str]:
    """By a supervisor, on the console's page; as read from the screen."""
    client = signed_in(registry, "supervisor")
    values = {"name": "高师傅", "role": "technician", "region": PROVINCE}
    until = timezone.localdate() + timedelta(days=90)
    page = text_of(client.post("/badges/", values | {"valid_until": until.isoformat()}))
    pin = re.search(r'class="digits number">(\d{3}) (\d{3})<', page)
    assert pin is not None
    return str(Badge.objects.get().number), pin[1] + pin[2]


def listed(state: object) -> set[str]:
    """The devices on the service screen."""
    facts = state.facts if isinstance(state, Service) else None
    return {device.device for device in facts.devices} if facts else set()


def deeds() -> list[tuple[str, str]]:
    return list(StaffDeed.objects.order_by("seq").values_list("badge", "deed"))


def test_a_badge_from_the_console_opens_the_service_screen(
    kiosk: Kiosk, registry: TestRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refused = kiosk.sign_in("204816", "135790")
    assert refused.state.refusal is Refusal.NO_LIST  # type: ignore[union-attr]
    kiosk.press(Button.HOME)
    badge, pin = issued(registry)
    kiosk.sync()
    kiosk.sign_in(badge, pin)
    kiosk.until(lambda s: {"printer", "camera"} <= listed(s))  # each is told when it has answered

    kiosk.press(Button.DEVICES, Button.TESTS, Button.PRINT_SLIP)
    kiosk.until(lambda s: s.slip is SlipNews.PRINTED)
    assert "打印测试" in kiosk.world.printer.text

    kiosk.press(Button.VIEW_CAMERA)
    kiosk.until(kiosk.on(ServicePage.CAMERA))
    camera = kiosk.parts.eyes._camera  # type: ignore[attr-defined]
    wait(lambda: kiosk.runner.preview() is not None)
    kiosk.press(Button.BACK)
    kiosk.until(kiosk.on(ServicePage.TESTS))
    assert kiosk.runner.preview() is None
    wait(camera._shut.is_set)
    assert camera.delivered > 0
    assert camera.delivered_closed == 0

    kiosk.press(Button.SOUND)
    kiosk.until(lambda s: s.volume is not None)
    kiosk.press(Button.SOFTER, Button.LOUDER, Button.LOUDER)
    kiosk.until(lambda s: s.changed)
    screen = view(kiosk.runner.session(), kiosk.runner.now_ns(), kiosk.parts.facts)
    assert "请刷二代身份证" in screen.spoken

    kiosk.press(Button.BACK, Button.BACK, Button.CHECK)
    found = kiosk.until(lambda s: s.findings is not None).state.findings  # type: ignore[union-attr]
    assert found is not None
    by_part = {finding.part: finding.status for finding in found}
    assert by_part["models"] is Status.OK
    assert by_part["database"] is Status.OK
    assert by_part["printer"] is Status.OK

    kiosk.press(Button.BACK, Button.BACK, Button.KIOSK, Button.POWER, Button.RESTART)
    kiosk.press(Button.BACK, Button.SHUT_DOWN, Button.CONFIRM)
    kiosk.until(kiosk.on(ServicePage.GOING))
    wait(lambda: kiosk.wishes == [PowerWish.OFF])

    kiosk.sync()
    assert deeds() == [
        ("", "refused"),
        *((badge, deed) for deed in ("signed_in", "printed", "looked", "volume", "checked")),
        (badge, "power_off"),
    ]
    assert kiosk.outbox.depth() == 0, "the registry has answered for each of them"
    audited = AuditEntry.objects.filter(action__startswith="kiosk.", who=f"badge {badge}")
    assert audited.count() == 6
    assert not StaffDeed.objects.filter(simulated=False).exists()
    for secret in (badge, pin):
        assert secret not in caplog.text


def wait(holds: Callable[[], bool]) -> None:
    """For what other threads do without an event; looked at often, given up late."""
    gone = threading.Event()
    for _ in range(600):
        if holds():
            return
        gone.wait(0.05)
    pytest.fail("it never came")


def test_five_wrong_pins_lock_the_badge_and_a_resident_is_served_all_the_same(
    kiosk: Kiosk, registry: TestRegistry
) -> None:
    badge, pin = issued(registry)
    kiosk.sync()
    wrong = f"{(int(pin) + 1) % 1_000_000:06}"
    kiosk.press(Button.STAFF_DOOR)
    kiosk.runner.post(CodeScanned(f"jianzai-badge:{badge}"))
    kiosk.until(lambda s: isinstance(s, StaffSignIn) and s.step is SignInStep.PIN)
    for number in range(1, 6):
        kiosk.type(wrong)
        wait(lambda n=number: kiosk.outbox.depth() == n)
        told = kiosk.runner.session().state
        assert told.refusal is (Refusal.LOCKED if number == 5 else Refusal.WRONG)  # type: ignore[union-attr]
    kiosk.type(badge)
    kiosk.type(pin)
    wait(lambda: kiosk.outbox.depth() == 6)
    kiosk.world.sam.present(kiosk.world.card)  # a resident, while the keypad still stands there
    kiosk.until(lambda s: type(s).__name__ == "Confirming")
    kiosk.sync()
    assert deeds() == [(badge, "failed")] * 4 + [(badge, "locked"), (badge, "refused")]


def test_a_revoked_badge_is_refused_and_service_ends_by_itself(
    kiosk: Kiosk, registry: TestRegistry
) -> None:
    badge, pin = issued(registry)
    kiosk.sync()
    assert isinstance(kiosk.sign_in(badge, pin).state, Service)
    for _ in range(2):  # the warning, then the end
        kiosk.runner.post(TimerFired(kiosk.runner.session().timer))
        session = kiosk.runner.session()
        kiosk.until(lambda s, w=session.warned: isinstance(s, Home) or not w)
        wait(lambda w=session.warned: w or kiosk.runner.session().warned)
    kiosk.until(lambda s: isinstance(s, Home))
    client = signed_in(registry, "supervisor")
    client.post(f"/badges/{badge}/revoke/")
    kiosk.sync()
    assert kiosk.sign_in(badge, pin).state.refusal is Refusal.WRONG  # type: ignore[union-attr]
    wait(lambda: kiosk.outbox.depth() == 1)
    kiosk.sync()
    assert deeds() == [(badge, "signed_in"), (badge, "signed_out"), ("", "failed")]
