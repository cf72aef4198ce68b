"""Accounts, sites and devices: added from the command line, each change audited."""

from __future__ import annotations

import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from cloud_bridge.config import read_key
from cloud_bridge.registry import audit
from cloud_bridge.registry.models import ROOT_REGION, Account, Device, Region, Role, Site
from cloud_bridge.registry.vault import Vault
from edge.domain.errors import ConfigError
from edge.wire import keys

_KIOSK_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class CommandRefused(Exception):
    """A command cannot be done as asked; the message says why and what is allowed."""


def generated_password() -> str:
    """80 random bits in four groups that can be read out."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


@transaction.atomic
def set_account(
    name: str,
    role: str,
    region_code: str,
    password: str,
    vault: Vault,
    who: str,
    *,
    must_change: bool = False,
) -> Account:
    """Add an account, or give an existing one a new role, region and password.

    `must_change`: the password opens nothing but the page that changes it.
    """
    if role not in Role.values:
        raise CommandRefused(f"role {role!r}: must be one of {', '.join(Role.values)}")
    if name == audit.SYSTEM:
        raise CommandRefused(f"account {name}: what nobody did is logged under this name")
    account = Account.objects.filter(username=name).first() or Account(username=name)
    account.role, account.region = role, _region(region_code)
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise CommandRefused("password: " + " ".join(error.messages)) from error
    account.set_password(password)
    account.must_change = must_change
    account.door_stamp += 1
    account.failed_tries, account.locked_until = 0, None
    account.save()
    told = f"{role} {region_code}"
    target = ("account", name)
    audit.write(vault, who, "account.set", target, reason=told, region_code=region_code)
    return account


@transaction.atomic
def set_active(name: str, active: bool, vault: Vault, who: str) -> None:
    """Let an account in, or shut it out at once: open sessions end for good."""
    account = Account.objects.filter(username=name).first()
    if account is None:
        raise CommandRefused(f"account {name}: not in this registry")
    rows = Account.objects.filter(pk=account.pk)
    rows.update(is_active=active, door_stamp=F("door_stamp") + 1)
    action = "account.enable" if active else "account.disable"
    audit.write(vault, who, action, ("account", name), region_code=account.region_id)


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What `device add` was asked for; `keys_folder` is the kiosk's own folder of the site.

    `demo` and `live` are what was said in so many words; at most one of them.
    """

    kiosk_id: str
    site_name: str
    keys_folder: Path
    region_code: str | None = None
    demo: bool = False
    live: bool = False


@transaction.atomic
def set_device(new: NewDevice, vault: Vault, who: str) -> Device:
    """Add a kiosk, or take over its new keys; its roster is due afterwards."""
    if not new.kiosk_id or not _KIOSK_ID_CHARACTERS.issuperset(new.kiosk_id):
        raise CommandRefused("--id: letters, digits, - and _ only")
    secret = read_key(new.keys_folder / "card.key")
    values = {
        "site": _site(new),
        "sign_pub": read_key(new.keys_folder / "sign.pub").strip(),
        "open_pub": read_key(new.keys_folder / "open.pub").strip(),
        "card_secret_sealed": vault.seal(secret.strip(), new.kiosk_id),
        "simulated_only": _simulated_only(new),
        "boot_seq": 0,
        "roster_due": True,
    }
    device, _ = Device.objects.update_or_create(kiosk_id=new.kiosk_id, defaults=values)
    kind = "demo" if device.simulated_only else "live"
    audit.write(vault, who, "device.set", ("device", new.kiosk_id), reason=kind)
    keys.verifying_key(device.sign_pub)
    return device


def _simulated_only(new: NewDevice) -> bool:
    """A kiosk made for demonstration is never taken for a real one by leaving something out.

    Live is what the kiosk's own settings or the person at the keyboard call so; a kiosk
    that was for demonstration only becomes live by that person's word alone.
    """
    mode = _mode(new.keys_folder)
    if new.live and (new.demo or mode == "demo"):
        raise CommandRefused("--live: this kiosk's settings, or --demo, say demonstration")
    if new.demo or new.live or mode == "demo":
        return not new.live
    if mode is None:
        raise CommandRefused(f"{new.keys_folder}: no mode in site.toml; say --live or --demo")
    return Device.objects.filter(kiosk_id=new.kiosk_id, simulated_only=True).exists()


def _mode(folder: Path) -> str | None:
    """What the kiosk's own settings say it is for, if they are there."""
    path = folder / "site.toml"
    if not path.exists():
        return None
    try:
        mode = tomllib.loads(path.read_text("utf-8")).get("mode")
        return None if mode is None else str(mode)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "cannot be read as TOML") from error


def _site(new: NewDevice) -> Site:
    site = Site.objects.filter(name=new.site_name).first()
    if site is None:
        return Site.objects.create(name=new.site_name, region=_site_region(new.region_code))
    if new.region_code and new.region_code != site.region_id:
        site.region = _region(new.region_code)
        site.save()
    return site


def _site_region(region_code: str | None) -> Region:
    """The region asked for; without one, the only province there is."""
    if region_code:
        return _region(region_code)
    provinces = list(Region.objects.filter(level=Region.Level.PROVINCE)[:2])
    if len(provinces) != 1:
        raise CommandRefused("new site: say which people it serves with --region CODE")
    return provinces[0]


def _region(code: str) -> Region:
    region = Region.objects.filter(code=code).first()
    if region is None:
        raise CommandRefused(f"region {code}: not in this registry ({ROOT_REGION} is the whole)")
    return region
