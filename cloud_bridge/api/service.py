"""The API's operations. Every one names the scope it needs and stays in its client's region."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.db.models import Count
from django.db.models.functions import Substr
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Field, Path, Query, Schema
from ninja.errors import HttpError, ValidationError

from cloud_bridge.api import door, problems, schema
from cloud_bridge.api.door import Key
from cloud_bridge.api.paging import CURSOR_CHARACTERS, MOST, cut
from cloud_bridge.api.shapes import (
    Categories,
    ClientShape,
    Code,
    Counts,
    DevicePage,
    DeviceShape,
    KioskCode,
    Lookup,
    Methods,
    PeoplePage,
    PersonCode,
    PersonShape,
    ProofPage,
    RegionPage,
    Signals,
    SignalsTaken,
    Status,
    TaskKinds,
    TaskPage,
    TaskShape,
    TaskStates,
)
from cloud_bridge.api.signals import take
from cloud_bridge.registry.fairness import FEW, to_hide
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import ApiClient, Device, Person, Proof, Region, Task
from cloud_bridge.registry.vault import VaultError
from edge.domain.people import mask_id_number

api = schema.DescribedApi(
    title="Jianzai registry",
    version="1",
    description="Proofs of life, for other government systems. See docs/api.md.",
    docs_url=None,
    urls_namespace="api",
    auth=Key(None),
)
problems.handle(api)


class Paged(Schema):
    after: str = Field("", max_length=CURSOR_CHARACTERS, description="cursor: `next` of a page")
    limit: int = Field(50, ge=1, le=MOST)


class PeopleFilter(Paged):
    region: Code | None = None
    category: Categories | None = None
    status: Status | None = None
    covered: bool | None = None
    proof_since: date | None = None
    proof_until: date | None = None


class ProofFilter(Paged):
    region: Code | None = None
    person: PersonCode | None = None
    method: Methods | None = None
    since: date | None = None
    until: date | None = None
    voided: bool | None = None


class TaskFilter(Paged):
    region: Code | None = None
    kind: TaskKinds | None = None
    state: TaskStates | None = None


class PlaceFilter(Paged):
    region: Code | None = None


class CountFilter(Schema):
    region: Code | None = None


def _client(request: HttpRequest, shape: type[Schema] | None = None) -> ApiClient:
    """Who asks. A filter misspelt must not be a filter left out."""
    known = set(shape.model_fields) if shape else set()
    unknown = sorted(set(request.GET) - known)
    if unknown:
        rows = [{"loc": ("query",), "msg": f"unknown; there are: {', '.join(sorted(known))}"}]
        raise ValidationError(rows)
    return request.auth


def _within(client: ApiClient, rows: Any, field: str, code: str | None) -> Any:
    """Rows of the client's region, and of a region below it that was asked for."""
    rows = rows.filter(client.region.within(field))
    if not code:
        return rows
    region = Region.objects.filter(pk=code).first()
    return rows.filter(region.within(field)) if region else rows.none()


def _asked(filters: Schema) -> str:
    """For the audit log; no filter of this API holds a name or number."""
    told = filters.model_dump(exclude_defaults=True, mode="json")
    return ", ".join(f"{name}={value}" for name, value in told.items())


# --- who asks, and where


@api.get("/me", auth=Key(door.ANY), response=ClientShape, summary=_("What this key may do"))
def me(request: HttpRequest) -> Any:
    client = _client(request)
    return {"name": client.name, "region": client.region_id, "scopes": client.scopes}


@api.get("/regions", auth=Key(door.ANY), response=RegionPage, summary=_("Regions, by their codes"))
def regions(request: HttpRequest, filters: Query[PlaceFilter]) -> Any:
    client = _client(request, PlaceFilter)
    rows = _within(client, Region.objects.all(), "code", filters.region)
    page, following = cut(rows, "code", filters.after, filters.limit)
    names = ("code", "name", "level")
    items = [{n: getattr(row, n) for n in names} | {"parent": row.parent_id} for row in page]
    return {"items": items, "next": following}


# --- people


@api.get(
    "/people", auth=Key("people:read"), response=PeoplePage, summary=_("Persons, page by page")
)
def people(request: HttpRequest, filters: Query[PeopleFilter]) -> Any:
    client = _client(request, PeopleFilter)
    today = timezone.localdate()
    rows = _within(client, Person.objects.all(), "region_id", filters.region)
    rows = _filtered(rows, filters, today)
    page, following = cut(rows, "person_id", filters.after, filters.limit)
    door.write(client, "people.list", ("people", ""), reason=_asked(filters))
    return {"items": [_person(row, today) for row in page], "next": following}


def _filtered(rows: Any, filters: PeopleFilter, today: date) -> Any:
    given = {
        "category": filters.category,
        "covered": filters.covered,
        "last_pass_on__gte": filters.proof_since,
        "last_pass_on__lte": filters.proof_until,
    }
    rows = rows.filter(**{name: value for name, value in given.items() if value is not None})
    if filters.status is None:
        return rows
    if filters.status == "dead":
        return rows.exclude(dead_since=None)
    living = rows.filter(dead_since=None)
    return living.certified(today) if filters.status == "certified" else living.pending(today)


@api.post(
    "/people/lookup",
    auth=Key("people:read"),
    response=PersonShape,
    summary=_("One person by id number, which never stands in an address"),
    openapi_extra=schema.REASON_HEADER,
)
def lookup(request: HttpRequest, asked: Lookup) -> Any:
    client = _client(request)
    door.count_lookup(client)
    rows = Person.objects.filter(client.region.within("region_id"))
    row = rows.filter(number_key=vault().lookup(asked.number)).first()
    door.write(client, "person.find", ("person", row.pk if row else ""))
    return _told(request, client, row)


@api.get(
    "/people/{person_id}",
    auth=Key("people:read"),
    response=PersonShape,
    summary=_("One person"),
    openapi_extra=schema.REASON_HEADER,
)
def person(request: HttpRequest, person_id: Path[PersonCode]) -> Any:
    client = _client(request)
    row = Person.objects.filter(client.region.within("region_id"), pk=person_id).first()
    return _told(request, client, row)


def _told(request: HttpRequest, client: ApiClient, row: Person | None) -> Any:
    """The person, masked; with a reason and the scope for it, the whole number."""
    if row is None:
        raise Http404
    reason = door.reason_of(request)
    if reason and "people:numbers" not in client.scopes:
        raise HttpError(403, "this key lacks the scope people:numbers")
    action = "person.reveal" if reason else "person.view"
    door.write(client, action, ("person", row.pk), row.region_id, reason)
    told = _person(row, timezone.localdate())
    if reason:
        told |= {"number": _opened(row) or None, "birth": row.birth}
    return told


def _opened(row: Person) -> str:
    try:
        return vault().open(row.number_sealed, row.pk)
    except VaultError:
        return ""


def _person(row: Person, today: date) -> dict[str, Any]:
    number = _opened(row)
    return {
        "id": row.pk,
        "name": row.name,
        "number_masked": mask_id_number(number) if number else "",
        "number": None,
        "birth": None,
        "age": _age(row.birth, today),
        "region": row.region_id,
        "category": row.category,
        "covered": row.covered,
        "status": _status(row, today),
        "last_proof_on": row.last_pass_on,
        "due_by": None if row.dead_since else row.due_by(today),
        "dead_since": row.dead_since,
    }


def _age(birth: date | None, today: date) -> int | None:
    if birth is None:
        return None
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _status(row: Person, today: date) -> str:
    if row.dead_since:
        return "dead"
    return "certified" if row.is_certified(today) else "pending"


# --- proofs and tasks


@api.get(
    "/certifications",
    auth=Key("certifications:read"),
    response=ProofPage,
    summary=_("Proofs of life, oldest first"),
)
def certifications(request: HttpRequest, filters: Query[ProofFilter]) -> Any:
    client = _client(request, ProofFilter)
    rows = _within(client, Proof.objects.all(), "person__region_id", filters.region)
    given = {
        "person_id": filters.person,
        "method": filters.method,
        "on__gte": filters.since,
        "on__lte": filters.until,
        "voided_at__isnull": None if filters.voided is None else not filters.voided,
    }
    rows = rows.filter(**{name: value for name, value in given.items() if value is not None})
    page, following = cut(rows, "id", filters.after, filters.limit)
    target = ("person", filters.person) if filters.person else ("people", "")
    door.write(client, "certifications.list", target, reason=_asked(filters))
    return {"items": [_proof(row) for row in page], "next": following}


def _proof(row: Proof) -> dict[str, Any]:
    return {
        "id": row.pk,
        "person": row.person_id,
        "method": row.method,
        "on": row.on,
        "known_at": row.at,
        "record": row.record_id,
        "voided_at": row.voided_at,
    }


@api.get("/tasks", auth=Key("tasks:read"), response=TaskPage, summary=_("What staff have to do"))
def tasks(request: HttpRequest, filters: Query[TaskFilter]) -> Any:
    client = _client(request, TaskFilter)
    rows = _within(client, Task.objects.all(), "region_id", filters.region)
    given = {"kind": filters.kind, "state": filters.state}
    rows = rows.filter(**{name: value for name, value in given.items() if value is not None})
    page, following = cut(rows, "id", filters.after, filters.limit)
    door.write(client, "tasks.view", ("tasks", ""), reason=_asked(filters))
    return {"items": [_task(row) for row in page], "next": following}


@api.get("/tasks/{task_id}", auth=Key("tasks:read"), response=TaskShape, summary=_("One task"))
def task(request: HttpRequest, task_id: Annotated[int, Path(ge=1, lt=2**63)]) -> Any:
    client = _client(request)
    row = Task.objects.filter(client.region.within("region_id"), pk=task_id).first()
    if row is None:
        raise Http404
    door.write(client, "task.view", ("task", str(row.pk)), row.region_id)
    if row.person_id:
        door.write(client, "task.view", ("person", row.person_id), row.region_id)
    return _task(row)


def _task(row: Task) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "state": row.state,
        "urgent": row.urgent,
        "person": row.person_id,
        "region": row.region_id,
        "created_at": row.created_at,
        "done_at": row.done_at,
    }


@api.post(
    "/signals",
    auth=Key("signals:write"),
    response=SignalsTaken,
    summary=_("Report that somebody was alive on a day, or has died: all rows or none"),
)
def signals(request: HttpRequest, told: Signals) -> Any:
    """A death decides nothing here: it only makes a task for staff."""
    client = _client(request)
    door.count_lookup(client)
    return take(client, told, timezone.now())


# --- kiosks and counts


@api.get("/devices", auth=Key("devices:read"), response=DevicePage, summary=_("Kiosks"))
def devices(request: HttpRequest, filters: Query[PlaceFilter]) -> Any:
    client = _client(request, PlaceFilter)
    rows = _within(client, _devices(), "site__region_id", filters.region)
    page, following = cut(rows, "kiosk_id", filters.after, filters.limit)
    return {"items": [_device(row) for row in page], "next": following}


@api.get(
    "/devices/{kiosk_id}", auth=Key("devices:read"), response=DeviceShape, summary=_("One kiosk")
)
def device(request: HttpRequest, kiosk_id: Path[KioskCode]) -> Any:
    client = _client(request)
    row = _devices().filter(client.region.within("site__region_id"), pk=kiosk_id).first()
    if row is None:
        raise Http404
    return _device(row)


def _devices() -> Any:
    return Device.objects.select_related("site")


def _device(row: Device) -> dict[str, Any]:
    names = ("device", "works", "word")
    return {
        "id": row.pk,
        "site": row.site.name,
        "address": row.site.address,
        "region": row.site.region_id,
        "demonstration": row.simulated_only,
        "online": row.online,
        "seen_at": row.seen_at,
        "software": row.software,
        "parts": [{name: part[name] for name in names} for part in row.health],
    }


@api.get(
    "/statistics/completion",
    auth=Key("statistics:read"),
    response=Counts,
    summary=_("How many are expected and certified, by the regions below one"),
)
def completion(request: HttpRequest, filters: Query[CountFilter]) -> Any:
    """The living who are covered. One region below another is a longer beginning of its code."""
    client = _client(request, CountFilter)
    today = timezone.localdate()
    code = filters.region or client.region_id
    above = Region.objects.filter(client.region.within("code"), pk=code).first()
    if above is None:
        raise Http404
    people_there = Person.objects.filter(above.within("region_id"), covered=True, dead_since=None)
    return {"day": today, "hidden_below": FEW, "groups": _counts(people_there, above, today)}


def _counts(rows: Any, above: Region, today: date) -> list[dict[str, Any]]:
    digits = Region.digits_of(above.level + 1)
    there, done = (_by_part(found, digits) for found in (rows, rows.certified(today)))
    hidden = to_hide(there)  # with them what they would be the rest of
    return [
        {"region": part.ljust(12, "0")} | _shown(people_there, done.get(part, 0), part in hidden)
        for part, people_there in there.items()
    ]


def _by_part(rows: Any, digits: int) -> dict[str, int]:
    parts = rows.annotate(part=Substr("region_id", 1, digits)).values("part").order_by("part")
    return dict(parts.annotate(people=Count("pk")).values_list("part", "people"))


def _shown(people_there: int, done: int, hidden: bool) -> dict[str, int | None]:
    return {"people": None if hidden else people_there, "certified": None if hidden else done}
