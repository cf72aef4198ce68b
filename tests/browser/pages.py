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
    Page("people", WORKER, "/people/", "S02–S28", also_english=True, printed=True),
    Page("people-found", WORKER, "/people/?region=100101001001&status=pending", "S09, S14"),
    Page("people-export", SUPERVISOR, "/people/export/?status=pending"),
    Page("person", WORKER, "/people/{visited}/", "S18–S26", also_english=True, printed=True),
    Page("person-dead", COUNTY, "/people/{dead}/", "S36"),
    Page("certify", WORKER, "/people/{pending}/certify/", "S27–S32", also_english=True),
    Page("proof-void", WORKER, "/people/{visited}/proofs/{proof}/void/"),
    Page("death", WORKER, "/people/{pending}/death/", "S27, S33–S35", also_english=True),
    Page("deaths", SUPERVISOR, "/deaths/"),
    Page("death-report", SUPERVISOR, "/deaths/{report}/", "S36"),
    Page("deaths-late", SUPERVISOR, "/deaths/late/"),
    Page("record", WORKER, "/records/{record}/", also_english=True),
    Page("tasks", WORKER, "/tasks/", also_english=True, printed=True),
    Page("task", WORKER, "/tasks/{task}/"),
    Page("due", WORKER, "/due/?region=100101001001&days=60", also_english=True, printed=True),
    Page("call-list", WORKER, "/due/call-list/?region=100101001001&days=60", printed=True),
    Page("plans", WORKER, "/plans/"),
    Page("plan", WORKER, "/plans/{plan}/", printed=True),
    Page("helped", WORKER, "/helped/"),
    Page("dashboard", SUPERVISOR, "/dashboard/", also_english=True, printed=True),
    Page("opinions", COUNTY, "/opinions/"),
    Page("rechecks", SUPERVISOR, "/rechecks/", also_english=True),
    Page("rehearsals", OPERATOR, "/rehearsals/"),
    Page("rehearsal", OPERATOR, "/rehearsals/{rehearsal}/"),
    Page("kiosks", OPERATOR, "/devices/", also_english=True),
    Page("settings", OPERATOR, "/devices/{kiosk}/settings/"),
    Page("badges", SUPERVISOR, "/badges/"),
    Page("badge", COUNTY, "/badges/{badge}/", printed=True),
    Page("quarantine", OPERATOR, "/quarantine/"),
    Page("imports", COUNTY, "/imports/", also_english=True),
    Page("import-new", COUNTY, "/imports/new/"),
    Page("import", COUNTY, "/imports/{people}/"),
    Page("import-faulty", COUNTY, "/imports/{faulty}/"),
    Page("accounts", COUNTY, "/accounts/", also_english=True),
    Page("account", COUNTY, "/accounts/{colleague}/"),
    Page("cycles", COUNTY, "/cycles/"),
    Page("api-clients", COUNTY, "/api-clients/"),
    Page("webhooks", COUNTY, "/webhooks/"),
    Page("webhook", COUNTY, "/webhooks/{webhook}/"),
    Page("own-account", WORKER, "/own/"),
    Page("own-password", WORKER, "/own/password/"),
    Page("audit", AUDITOR, "/audit/", also_english=True),
    Page("public-receipt", "", "/check/", also_english=True),
    Page("public-kiosks", "", "/kiosks/", also_english=True),
    Page("public-due", "", "/when/", also_english=True),
    Page("api-docs", "", "/api/v1/docs/"),
    Page("closed", WORKER, "/audit/"),
    Page("nowhere", WORKER, "/people/nobody/"),
)
