"""The layers of a configuration: the site file, and over it what the centre wants.

Apart from `edge.app.settings` because the sync process needs these and nothing of sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from edge.app.config import Config, value_of, with_value
from edge.domain.errors import ConfigError
from edge.domain.settings import SETTINGS, Refusal, Value, of_kiosk, refusal_at, sorted_out
from edge.store.settings_files import AcceptedFiles
from edge.wire.envelope import canonical, sha256_hex


@dataclass(frozen=True, slots=True)
class Layered:
    """A site file with the centre's values over it, and those that did not go over it."""

    config: Config
    values: Mapping[str, Value]
    refused: tuple[Refusal, ...]


def layered(site: Config, wanted: Mapping[str, object]) -> Layered:
    """Each value by itself: one that does not fit with the rest is left out."""
    good, refused = sorted_out(wanted)
    config, values = site, {}
    for key, value in good.items():
        too_high = refusal_at(key, value, value_of(site, key))
        if too_high:
            refused = (*refused, too_high)
            continue
        try:
            config = with_value(config, key, value)
        except ConfigError:
            refused = (*refused, Refusal(key, "together"))
        else:
            values[key] = value
    return Layered(config, values, refused)


def in_force(site: Config) -> Config:
    """What this kiosk runs with: for programs that only want to know."""
    return layered(site, of_kiosk(AcceptedFiles(site.database.parent).load().values)).config


def describer(site: Config) -> Callable[[Mapping[str, Value]], tuple[dict[str, Value], str]]:
    """For the report: all values in force, and the hash of the whole configuration."""

    def describe(over_site: Mapping[str, Value]) -> tuple[dict[str, Value], str]:
        config = layered(site, over_site).config
        plain = asdict(replace(config, base=Path()))
        text = canonical(plain | {"base": ""})
        return {key: value_of(config, key) for key in SETTINGS}, sha256_hex(text)

    return describe
