"""Writes `docs/configuration.md` from the dataclasses of `edge.app.config`.

python tests/tools/config_page.py > docs/configuration.md
"""

from __future__ import annotations

import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal

from edge.app.config import Config
from edge.domain.settings import SETTINGS, Setting, Takes

HEAD = """\
# Configuration

Made from `edge/app/config.py` by `tests/tools/config_page.py`; a test keeps it fresh.

The site file is TOML. File names in it are relative to its folder. An unknown key is an error that
says what is allowed: a misspelt setting that is silently ignored is found only when somebody is
turned away.
"""


FROM_THE_CENTRE = """\
## What the centre may change

Made from `edge/domain/settings.py`. Three layers, each over the one before it: what is built in,
the site file, what the centre wants. A value takes effect between residents; one that cannot be in
force is refused alone, with its reason, and the last good one stays. See [the centre](centre.md).

| Key | Allowed | Takes effect |
|---|---|---|"""

TAKES = {
    Takes.LIVE: "at once",
    Takes.KIOSK: "after the kiosk process has started again by itself",
    Takes.LINK: "on trial: returns by itself unless the registry is heard over the new link",
}


def page() -> str:
    return "\n".join([HEAD, *_table(Config, ""), "", *_from_the_centre()]) + "\n"


def _from_the_centre() -> list[str]:
    rows = [
        f"| `{setting.key}` | {setting.kind.allowed}{_downward(setting)} | {TAKES[setting.takes]} |"
        for setting in SETTINGS.values()
    ]
    return [FROM_THE_CENTRE, *rows]


def _downward(setting: Setting) -> str:
    return ", never above the site file's" if setting.downward else ""


def _table(kind: type[Any], prefix: str) -> list[str]:
    hints = typing.get_type_hints(kind)
    title = f"## [{prefix}]" if prefix else "## At the top"
    lines = [
        title,
        "",
        _first_line(kind),
        "",
        "| Key | Kind | Default | Meaning |",
        "|---|---|---|---|",
    ]
    inner: list[str] = []
    for spec in fields(kind):
        if spec.metadata.get("internal"):
            continue
        hint = hints[spec.name]
        if is_dataclass(hint):
            inner += ["", *_table(typing.cast(type[Any], hint), spec.name)]
        else:
            doc = spec.metadata.get("doc", "")
            lines.append(f"| `{spec.name}` | {_kind(hint)} | {_default(spec)} | {doc} |")
    return lines + inner


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _kind(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(f"`{choice!r}`".replace("'", '"') for choice in typing.get_args(hint))
    return str(getattr(hint, "__name__", hint)).replace("|", "\\|")


def _default(spec: Field[Any]) -> str:
    if spec.default is MISSING:
        return "**needed**"
    return f"`{spec.default!r}`".replace("'", '"')


if __name__ == "__main__":
    print(page(), end="")
