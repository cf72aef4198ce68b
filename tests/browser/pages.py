"""Every page of the console, who looks at it here, and which S items it shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """`path` may name places of the world; `also_english`, `printed`: further pictures of it."""

    name: str
    account: str
    path: str
    items: str = ""
    also_english: bool = False
    printed: bool = False


WORKER, SUPERVISOR, COUNTY, AUDITOR, OPERATOR = "liqing", "chenhao", "zhoujie", "wuyan", "gaofeng"

PAGES = (
    Page("sign-in", "", "/sign-in/", "S01", also_english=True),
    Page("people", WORKER, "/people/", "S03–S27", also_english=True, printed=True),
    Page("people-found", WORKER, "/people/?name=王", "S11"),
    Page("person", WORKER, "/people/{person}/", "S18–S26", also_english=True, printed=True),
    Page("record", WORKER, "/records/{record}/", also_english=True),
    Page("tasks", WORKER, "/tasks/", also_english=True, printed=True),
    Page("task", WORKER, "/tasks/{task}/"),
    Page("helped", WORKER, "/helped/"),
    Page("opinions", WORKER, "/opinions/"),
    Page("rechecks", SUPERVISOR, "/rechecks/"),
    Page("rehearsals", OPERATOR, "/rehearsals/"),
    Page("rehearsal", OPERATOR, "/rehearsals/{rehearsal}/"),
    Page("kiosks", OPERATOR, "/devices/", also_english=True),
    Page("settings", OPERATOR, "/devices/{kiosk}/settings/"),
    Page("badges", SUPERVISOR, "/badges/"),
    Page("badge", SUPERVISOR, "/badges/{badge}/", printed=True),
    Page("quarantine", OPERATOR, "/quarantine/"),
    Page("audit", AUDITOR, "/audit/"),
    Page("closed", WORKER, "/audit/"),
    Page("nowhere", WORKER, "/people/nobody/"),
)
