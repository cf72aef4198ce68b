"""What the API says, field by field; the OpenAPI is made from it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from ninja import Field, Schema
from pydantic import ConfigDict

from cloud_bridge.registry.models import Category, Proof, Task

Code = Annotated[str, Field(pattern=r"^[0-9]{12}$", description="12-digit code of a region")]
PersonCode = Annotated[str, Field(pattern=r"^p[0-9a-f]{24}$", description="opaque id of a person")]
KioskCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="id of a kiosk")]
Status = Literal["certified", "pending", "dead"]
if TYPE_CHECKING:
    Categories: TypeAlias = str
    Methods: TypeAlias = str
    TaskKinds: TypeAlias = str
    TaskStates: TypeAlias = str
else:
    Categories = Literal[tuple(Category.values)]
    Methods = Literal[tuple(Proof.Method.values)]
    TaskKinds = Literal[tuple(Task.Kind.values)]
    TaskStates = Literal[tuple(Task.State.values)]


class Problem(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, str]] = Field(default_factory=list)


class ClientShape(Schema):
    name: str
    region: str
    scopes: list[str]


class RegionShape(Schema):
    code: str
    name: str
    level: int = Field(description="1 province, 2 city, 3 county, 4 street, 5 community")
    parent: str | None


class RegionPage(Schema):
    items: list[RegionShape]
    next: str | None


class PersonShape(Schema):
    id: str
    name: str
    number_masked: str = Field(description="6 + 4 digits; empty if it cannot be read")
    number: str | None = Field(description="only with people:numbers and a reason")
    birth: date | None = Field(description="only together with the number")
    age: int | None
    region: str
    category: Categories
    covered: bool
    status: Status
    last_proof_on: date | None
    due_by: date | None = Field(description="until when the next proof is expected; none if dead")
    dead_since: date | None


class PeoplePage(Schema):
    items: list[PersonShape]
    next: str | None = Field(description="cursor of the next page, null on the last")


class ProofShape(Schema):
    id: int
    person: str
    method: Methods
    on: date
    known_at: datetime
    record: str | None = Field(description="id of the kiosk's record")
    voided_at: datetime | None


class ProofPage(Schema):
    items: list[ProofShape]
    next: str | None


class TaskShape(Schema):
    id: int
    kind: TaskKinds
    state: TaskStates
    urgent: bool
    person: str | None
    region: str
    created_at: datetime
    done_at: datetime | None


class TaskPage(Schema):
    items: list[TaskShape]
    next: str | None


class PartShape(Schema):
    device: str
    works: bool
    word: str


class DeviceShape(Schema):
    id: str
    site: str
    address: str
    region: str
    demonstration: bool
    online: bool
    seen_at: datetime | None
    software: str
    parts: list[PartShape]


class DevicePage(Schema):
    items: list[DeviceShape]
    next: str | None


class CountShape(Schema):
    region: str
    people: int | None
    certified: int | None


class Counts(Schema):
    """Groups of fewer than `hidden_below` people show no numbers, nor does what would tell them."""

    day: date
    hidden_below: int
    groups: list[CountShape]


class Strict(Schema):
    model_config = ConfigDict(extra="forbid")


class Lookup(Strict):
    number: str = Field(min_length=15, max_length=18, pattern=r"^[0-9]{14,17}[0-9Xx]$")


class SignalRow(Strict):
    number: str = Field(min_length=15, max_length=18, pattern=r"^[0-9]{14,17}[0-9Xx]$")
    on: date = Field(description="the day that is known of")


class Signals(Strict):
    kind: Literal["life", "death"]
    source: str = Field(min_length=2, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")
    rows: list[SignalRow] = Field(min_length=1, max_length=1000)


class SignalsTaken(Schema):
    """`run`: number of the import, by which the console can undo it."""

    run: int
    rows: int
    added: int
    unchanged: int = Field(description="known before")
    unknown: int = Field(description="nobody of the client's region")
