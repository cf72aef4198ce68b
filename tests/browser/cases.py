"""What staff entered, planned, took in and opened to others, in the world of the browser tests."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud_bridge.registry.models import Account, Person
    from tests.browser.world import World

PEOPLE_CSV = """\
姓名,身份证号,对象类型,是否保障,区划代码,户号
周大明,{first},低保,是,100101001001,示例-901
"""
FAULTY_CSV = """\
姓名,身份证号,对象类型,是否保障,区划代码,户号
周大明,100000194501010010,低保,是,100101001001,
,{first},特困,是,100101001001,
赵小妹,{second},低保户,是,100999999999,
"""


def fill(world: World, people: list[Person]) -> None:
    _entries(world, people)
    _deaths(world, people)
    _plans(world, people)
    _imports(world)
    _filters(world)
    _figures(world)


def account(name: str) -> Account:
    from cloud_bridge.registry.models import Account

    found: Account = Account.objects.get(username=name)
    return found


def photograph() -> bytes:
    """Something to look at: a door with a number."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (640, 480), (214, 205, 190))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((220, 90, 420, 480), fill=(124, 72, 46))
    draw.ellipse((385, 290, 405, 310), fill=(220, 190, 90))
    draw.rectangle((285, 130, 355, 175), fill=(240, 236, 225))
    draw.text((312, 146), "3", fill=(60, 40, 30))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return written.getvalue()


def _entries(world: World, people: list[Person]) -> None:
    """Visits and calls; every second one is drawn for a second look in this world."""
    from cloud_bridge.registry import evidence, visits
    from cloud_bridge.registry.models import Proof, Recheck

    sheet = evidence.clean(photograph())
    entered = people[40:48]
    for n, person in enumerate(entered):
        method = "video" if n % 3 == 2 else "visit"
        kept: dict[str, Any] = (
            {"exemption": "本人卧床，家属不同意拍照"} if n % 4 == 3 else {"sheets": [sheet]}
        )
        day = world.today - timedelta(days=n)
        place = f"东风社区{n + 1}号楼"
        entry = visits.Entry(method, day, place, note="精神良好，家属在场", **kept)
        proof = visits.certify(person, entry, world.vault, account("liqing"), world.ago(hours=n))
        if n < 2 and not Recheck.objects.filter(proof=proof).exists():
            _draw(world, proof)
    world.places["visited"] = entered[0].person_id
    evident = Proof.objects.filter(person=entered[0], method="visit").first()
    world.places["proof"] = str(evident.pk) if evident else ""
    world.places["evidence"] = str(evident.evidence.first().pk) if evident else ""


def _draw(world: World, proof: Any) -> None:
    from cloud_bridge.registry.models import Recheck

    Recheck.objects.create(
        kind=Recheck.Kind.ENTRY,
        record_id=f"entry-{proof.pk}",
        simulated=False,
        person=proof.person,
        proof=proof,
        region=proof.person.region,
        created_at=world.now,
    )


def _deaths(world: World, people: list[Person]) -> None:
    """One waits, one was taken back; one stands, in a village whose alarms the county hears."""
    from cloud_bridge.registry.models import Person

    waiting, undone = people[60:62]
    dead = Person.objects.filter(region_id="100101002201").order_by("birth", "name")[9]
    report = _death(world, waiting, "liqing", "")
    _death(world, dead, "zhoujie", "heyun")
    _undo(world, _death(world, undone, "liqing", "chenhao"))
    world.places |= {"report": str(report.pk), "dead": dead.person_id}


def _death(world: World, person: Person, first: str, second: str) -> Any:
    from cloud_bridge.registry import deaths

    death = deaths.Death(world.today - timedelta(days=30), "police", "派出所户籍注销证明")
    report = deaths.enter(person, death, world.vault, account(first), world.ago(hours=50))
    if second:
        deaths.approve(report, world.vault, account(second), world.ago(hours=40))
    return report


def _undo(world: World, report: Any) -> None:
    from cloud_bridge.registry import deaths

    why = "同名同姓，登记错人"
    deaths.undo(report, why, world.vault, account("chenhao"), world.ago(hours=30))


def _plans(world: World, people: list[Person]) -> None:
    from cloud_bridge.registry import plans

    goer = account("liqing")
    day = world.today + timedelta(days=2)
    new = plans.NewPlan("周三走访", day, goer, goer.region)
    plan = plans.make(new, people[80:88], world.vault, "liqing", world.ago(hours=5))
    world.places["plan"] = str(plan.pk)


def _imports(world: World) -> None:
    from cloud_bridge.registry.imports import runs
    from cloud_bridge.registry.imports.judging import Scope
    from cloud_bridge.registry.imports.sources import of_bytes
    from cloud_bridge.registry.models import Region

    numbers = {"first": _unused(901), "second": _unused(902)}
    scope = Scope(Region.objects.get(pk="100101000000"), world.vault, world.today)
    for name, text in (("people.csv", PEOPLE_CSV), ("faulty.csv", FAULTY_CSV)):
        source = of_bytes(name, text.format(**numbers).encode("utf-8-sig"))
        order = runs.Order(source, "people", scope, "zhoujie")
        run = runs.look(order, world.ago(hours=2))
        runs.keep(run, source, world.vault)
        world.places[name.partition(".")[0]] = str(run.pk)


def _unused(serial: int) -> str:
    from datetime import date

    from cloud_bridge import demo
    from cloud_bridge.registry import id_number

    return id_number.make(demo.NUMBER_REGION, date(1946, 3, 8), serial)


def _filters(world: World) -> None:
    from cloud_bridge.registry.models import SavedFilter

    query = "region=100101001001&status=pending"
    SavedFilter.objects.create(account=account("liqing"), name="东风未认证", query=query)


def _figures(world: World) -> None:
    """Done by a timer where it is in operation."""
    from cloud_bridge.registry import figures

    figures.refresh(world.now)
