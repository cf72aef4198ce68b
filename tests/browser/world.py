"""A registry with something on every page, made in a process of its own.

`python -m tests.browser.world FOLDER` writes the registry into FOLDER and prints as JSON who may
sign in (`accounts`) and which addresses hold something (`places`). All people are invented.
"""

from __future__ import annotations

import base64
import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django_otp.oath import TOTP

from cloud_bridge import demo
from tests import fixtures_cloud
from tests.browser import cases
from tests.fixtures_cloud import PASSWORD, TestKiosk, TestRegistry

if TYPE_CHECKING:
    from cloud_bridge.registry.models import Account, Person

STREET, COUNTY, EVERYWHERE = "100101001000", "100101000000", "0" * 12
ACCOUNTS = (
    ("liqing", "worker", STREET),
    ("chenhao", "supervisor", STREET),
    ("sunli", "supervisor", STREET),
    ("zhoujie", "county", COUNTY),
    ("heyun", "county", COUNTY),
    ("wuyan", "auditor", EVERYWHERE),
    ("gaofeng", "operator", EVERYWHERE),
)
CROWD = 360
FAMILY = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐"
GIVEN = (
    *("桂英", "秀兰", "玉兰", "建国", "桂兰", "秀珍", "凤英", "玉珍", "德明", "福生"),
    *("志强", "淑芬", "美华", "长河", "翠花", "国栋", "春生", "永福", "金凤", "月娥"),
)
COMMUNITIES = ("100101001001", "100101001002", "100101002201")
CATEGORIES = ("dibao", "tekun", "dibian", "retired", "retired")
HELPER = {
    "name": "王晓明",
    "id_number": "100000197001010019",
    "card_kind": "resident",
    "flags": [],
}


class World:
    """Fills one registry; `places` are addresses by a name of ours."""

    def __init__(self, registry: TestRegistry) -> None:
        self.registry = registry
        self.vault = registry.vault
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.dice = random.Random(7)
        self.places: dict[str, str] = {}
        self.receipts = 0

    @property
    def today(self) -> date:
        return (self.now + timedelta(hours=8)).date()

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)


def build(folder: Path) -> dict[str, Any]:
    world = World(_registry(folder))
    world.registry.fill()
    keys = dict(_accounts(world))
    kiosk, stage = world.registry.kiosk(), world.registry.kiosk("k-002", demo=True)
    people = _crowd(world)
    for part in (_records, _exceptions, _badges, _opinions):
        part(world, kiosk, people)
    _rehearsals(world, stage)
    _settings(world)
    _outward(world)
    cases.fill(world, people)
    _alive(world, kiosk)
    _addresses(world)
    return {"accounts": keys, "places": world.places}


def _registry(folder: Path) -> TestRegistry:
    fixtures_cloud.write_keys(folder)
    fixtures_cloud._HOME.append(folder)
    os.environ["CLOUD_BRIDGE_CONFIG"] = str(folder / "registry.toml")
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return TestRegistry(folder)


def _accounts(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    from cloud_bridge.registry.models import Account

    for name, role, region in ACCOUNTS:
        world.registry.account(name, role, region)
        key = _second_factor(world, Account.objects.get(username=name))
        yield name, {"role": role, "password": PASSWORD, "key": key}


def _second_factor(world: World, account: Account) -> str:
    """The secret, base32. Its first code is one of ten minutes ago: that of now is still good."""
    from cloud_bridge.registry import second_factor

    key = second_factor.enrolment(account, world.vault).key.replace(" ", "")
    then = world.ago(minutes=10)
    assert second_factor.enrol(account, code_at(key, then), world.vault, then) is not None
    return key


def code_at(key: str, moment: datetime) -> str:
    """The six digits that a phone with this key shows."""
    clock = TOTP(base64.b32decode(key))
    clock.time = int(moment.timestamp())
    return f"{clock.token():06d}"


# --- people ------------------------------------------------------------------------


def _crowd(world: World) -> list[Person]:
    from cloud_bridge.registry import people_import
    from cloud_bridge.registry.models import Person

    people_import.add_people([_somebody(world, n) for n in range(CROWD)], world.vault, "test")
    street = Person.objects.filter(region_id__gte=STREET, region_id__lt="100101002000")
    return list(street.order_by("birth", "name"))


def _somebody(world: World, serial: int) -> Any:
    from cloud_bridge.registry import id_number
    from cloud_bridge.registry.people_import import NewPerson

    dice = world.dice
    birth = date(dice.randint(1934, 1963), dice.randint(1, 12), dice.randint(1, 28))
    return NewPerson(
        name=dice.choice(FAMILY) + dice.choice(GIVEN),
        number=id_number.make(demo.NUMBER_REGION, birth, 20 + serial),
        category=dice.choice(CATEGORIES),
        covered=dice.random() < 0.95,
        region_code=dice.choice(COMMUNITIES),
        household=f"示例-{100 + serial // 2:03d}",
    )


# --- what kiosks sent --------------------------------------------------------------


def _record(
    world: World, kiosk: TestKiosk, person: Person | None, at: datetime, **more: Any
) -> None:
    """One record, finished and filed at that time."""
    from cloud_bridge.bridge.opening import Arrival

    world.receipts += 1
    begun = at - timedelta(seconds=world.dice.randint(35, 95))
    stamp = kiosk.body()["finished"]
    told: dict[str, Any] = {
        "started": stamp | {"utc": begun.isoformat()},
        "finished": stamp | {"utc": at.isoformat()},
        "receipt_no": f"001-{at:%Y%m%d}-{world.receipts:04d}",
    }
    if person:
        told |= {"name": person.name, "id_number": _number(world, person)}
    replies = world.registry.ingest.ingest(
        [Arrival(kiosk.kiosk_id, kiosk.record(**(told | more)))], at + timedelta(seconds=2)
    )
    assert replies, "it was put aside"


def _number(world: World, person: Person) -> str:
    return world.vault.open(bytes(person.number_sealed), person.person_id)


def _records(world: World, kiosk: TestKiosk, people: list[Person]) -> None:
    for day in range(30, 0, -1):
        for n in range(world.dice.randint(2, 8)):
            person = people[(day * 9 + n) % len(people)]
            at = world.ago(days=day) + timedelta(minutes=7 * n)
            _record(world, kiosk, person, at, attempts=world.dice.choice((1, 1, 1, 2, 3)))


def _exceptions(world: World, kiosk: TestKiosk, people: list[Person]) -> None:
    """Those that make tasks, and those in which somebody helped."""
    odd = people[-12:]
    tries: tuple[dict[str, Any], ...] = (
        {"outcome": "needs_review", "reasons": ["not_alike"], "attempts": 3},
        {"outcome": "needs_review", "reasons": ["not_alike"]},
        {"outcome": "declined", "reasons": [], "liveness": None, "consent": None},
        {"outcome": "called", "ticket": "1-07", "liveness": None},
        {"helper": HELPER, "named_by": "card"},
        {"helper": HELPER, "named_by": "card"},
    )
    for n, (person, more) in enumerate(zip(odd, tries, strict=False)):
        _record(world, kiosk, person, world.ago(hours=20 - 2 * n), **more)
    nobody = {"name": "", "id_number": "", "consent": None, "liveness": None}
    _record(world, kiosk, None, world.ago(hours=1), outcome="called", ticket="1-08", **nobody)
    _put_aside(world, kiosk)


def _put_aside(world: World, kiosk: TestKiosk) -> None:
    from cloud_bridge.bridge.opening import Arrival

    world.registry.ingest.ingest([Arrival(kiosk.kiosk_id, b"not an envelope")], world.now)


def _rehearsals(world: World, stage: TestKiosk) -> None:
    for hours in (30, 3):
        _record(world, stage, None, world.ago(hours=hours), provenance="simulated")


def _badges(world: World, kiosk: TestKiosk, people: list[Person]) -> None:
    """A clerk's badge, and somebody who was certified on its word."""
    from cloud_bridge.registry import badges
    from cloud_bridge.registry.models import Region

    until = world.today + timedelta(days=200)
    street = Region.objects.get(pk=COUNTY)
    for name, role in (("何文员", "clerk"), ("高师傅", "technician")):
        new = badges.NewBadge(name, role, street, until)
        badge = badges.issue(new, world.vault, "zhoujie", world.ago(days=20)).badge
        if role == "clerk":
            word = {"method": "witness", "liveness": None, "consent": None, "witness": badge.number}
            more = word | {"assisted_reason": "blind"}
            _record(world, kiosk, people[-20], world.ago(hours=6), **more)


def _opinions(world: World, kiosk: TestKiosk, _people: list[Person]) -> None:
    from cloud_bridge.bridge.opening import Arrival
    from tests.browser.wire import matter, opinion, wrapped

    person = _people[-30]
    at = world.ago(hours=9).isoformat()
    doubt = matter(
        kiosk,
        at,
        kind="correction",
        about="address",
        number="C-0001",
        name=person.name,
        id_number=_number(world, person),
    )
    told = [
        opinion(kiosk, at),
        opinion(kiosk, at, ratings=["good", "good", "good"]),
        opinion(kiosk, at, ratings=[], grievance="waiting", number="O-0003"),
        doubt,
    ]
    arrivals = [Arrival(kiosk.kiosk_id, wrapped(kiosk, plain)) for plain in told]
    world.registry.ingest.ingest(arrivals, world.ago(hours=8))


def _alive(world: World, kiosk: TestKiosk) -> None:
    """Somebody registered as dead stands before a kiosk."""
    from cloud_bridge.registry.models import Person

    _record(world, kiosk, Person.objects.get(pk=world.places["dead"]), world.ago(minutes=4))


def _alive(world: World, kiosk: TestKiosk) -> None:
    """Somebody registered as dead stands before a kiosk."""
    from cloud_bridge.registry.models import Person

    _record(world, kiosk, Person.objects.get(pk=world.places["dead"]), world.ago(minutes=4))


def _settings(world: World) -> None:
    from cloud_bridge.registry import kiosk_settings
    from cloud_bridge.registry.models import Device

    change = kiosk_settings.Change({"devices.volume": 80, "tries": 3})
    Device.objects.filter(pk="k-001").update(online=True, seen_at=world.now)
    device = Device.objects.get(pk="k-001")
    kiosk_settings.apply([device], change, world.vault, "gaofeng", world.ago(days=2))


# --- other systems -----------------------------------------------------------------


def _outward(world: World) -> None:
    """Two keys, and a webhook that was told of a week."""
    from cloud_bridge.registry import api_clients, events, webhooks
    from cloud_bridge.registry.events import Event, News
    from cloud_bridge.registry.models import Delivery, Person, Region

    county, now = Region.objects.get(pk=COUNTY), world.now
    for name, scopes in (
        ("市民政局数据平台", ["people:read", "certifications:read"]),
        ("卫健委", ["signals:write"]),
    ):
        api_clients.add(name, county, scopes, world.vault, "zhoujie", world.ago(days=9))
    new = webhooks.NewWebhook(
        "市民政局数据平台", "https://data.example.cn/jianzai", events.TELLABLE, county
    )
    webhooks.add(new, (), world.vault, "zhoujie", world.ago(days=8))
    for n, person in enumerate(Person.objects.filter(county.within("region_id"))[:6]):
        kind = (Event.CERTIFIED, Event.NEEDS_REVIEW, Event.DEATH)[n % 3]
        events.tell([News(kind, person.pk, person.region_id)], world.ago(days=6 - n))
    told = Delivery.objects.order_by("pk")
    told.update(delivered_at=now, next_try_at=None, tries=1, last_answer="204")
    told.filter(pk=told[1].pk).update(delivered_at=None, tries=11, last_answer="503")
    waiting = {"delivered_at": None, "tries": 2, "last_answer": "timed out", "next_try_at": now}
    told.filter(pk=told[5].pk).update(**waiting)


# --- where it stands ---------------------------------------------------------------


def _addresses(world: World) -> None:
    from cloud_bridge.registry import models

    first: dict[str, Callable[[], Any]] = {
        "person": lambda: models.Certification.objects.exclude(person=None).first().person_id,
        "pending": lambda: (
            models.Person.objects.filter(region_id="100101001002", covered=True)
            .pending(world.today)
            .filter(dead_since=None, deaths=None)
            .order_by("birth")
            .first()
            .pk
        ),
        "record": lambda: models.Certification.objects.filter(outcome="passed").first().pk,
        "rehearsal": lambda: models.Rehearsal.objects.first().pk,
        "task": lambda: models.Task.objects.filter(kind="review").first().pk,
        "badge": lambda: models.Badge.objects.first().pk,
        "recheck": lambda: models.Recheck.objects.first().pk,
        "kiosk": lambda: "k-001",
        "colleague": lambda: models.Account.objects.get(username="chenhao").pk,
        "webhook": lambda: models.Webhook.objects.first().pk,
    }
    world.places |= {name: str(find()) for name, find in first.items()}


if __name__ == "__main__":
    json.dump(build(Path(sys.argv[1])), sys.stdout)
