"""Who may open which page. What is not listed here is closed to everybody.

What stands in the menu is in `console/menu.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloud_bridge.registry.models import Role

OWN_DOORS = frozenset({"api"})
"""Namespaces whose every address asks for a key of its own (`cloud_bridge.api.door`)."""
PUBLIC = frozenset(
    {
        "sign-in",
        "sign-in-code",
        "set_language",
        "api-docs",
        "api-nothing",
        "public-receipt",
        "public-key",
        "public-kiosks",
        "public-due",
    }
)

_ALL = frozenset(Role.values)
_CASES = frozenset({"worker", "supervisor", "county"})
_CHECKERS = frozenset({"supervisor", "county"})
_COUNTY = frozenset({"county"})
_MACHINES = frozenset({"operator"})
_AUDIT = frozenset({"auditor"})

PAGES: Mapping[str, frozenset[str]] = {
    "home": _ALL,
    "sign-out": _ALL,
    "own-account": _ALL,
    "own-password": _ALL,
    "own-factor": _ALL,
    "own-codes": _ALL,
    "other-phone": _ALL,
    "people": _CASES,
    "people-regions": _CASES,
    "people-export": _CHECKERS,
    "filter-keep": _CASES,
    "filter-drop": _CASES,
    "person": _CASES,
    "reveal": _CASES,
    "certify": _CASES,
    "proof-void": _CASES,
    "evidence": _CASES,
    "task-accept": _CASES,
    "death": _CASES,
    "deaths": _CASES,
    "death-report": _CASES,
    "death-decide": _CHECKERS,
    "death-undo": _CASES,
    "deaths-late": _CHECKERS,
    "alerts": _CASES,
    "cycles": _COUNTY,
    "record": _CASES,
    "tasks": _CASES,
    "task": _CASES,
    "task-close": _CASES,
    "task-reopen": _CASES,
    "tasks-take": _CASES,
    "due": _CASES,
    "call-list": _CASES,
    "plans": _CASES,
    "plan-new": _CASES,
    "plan": _CASES,
    "plan-remove": _CASES,
    "dashboard": _CHECKERS | _AUDIT,
    "dashboard-csv": _CHECKERS | _AUDIT,
    "helped": _CASES,
    "rechecks": _CHECKERS,
    "recheck-done": _CHECKERS,
    "template-withdraw": _CASES,
    "opinions": _CASES,
    "rehearsals": _CASES | _MACHINES,
    "rehearsal": _CASES | _MACHINES,
    "devices": _MACHINES,
    "settings": _MACHINES,
    "settings-back": _MACHINES,
    "badges": _CHECKERS | _MACHINES,
    "badge": _CHECKERS | _MACHINES,
    "badge-reset": _CHECKERS | _MACHINES,
    "badge-revoke": _CHECKERS | _MACHINES,
    "quarantine": _MACHINES,
    "audit": _AUDIT,
    "imports": _COUNTY | _AUDIT,
    "import": _COUNTY | _AUDIT,
    "import-errors": _COUNTY | _AUDIT,
    "import-new": _COUNTY,
    "import-blank": _COUNTY,
    "import-missing": _COUNTY,
    "import-apply": _COUNTY,
    "import-drop": _COUNTY,
    "import-undo": _COUNTY,
    "accounts": _COUNTY,
    "account": _COUNTY,
    "account-switch": _COUNTY,
    "account-password": _COUNTY,
    "account-factor": _COUNTY,
    "api-clients": _COUNTY,
    "api-client-revoke": _COUNTY,
    "webhooks": _COUNTY,
    "webhook": _COUNTY,
    "webhook-switch": _COUNTY,
    "webhook-test": _COUNTY,
    "webhook-resend": _COUNTY,
}


def may_open(role: str, page: str | None) -> bool:
    return role in PAGES.get(page or "", frozenset())
