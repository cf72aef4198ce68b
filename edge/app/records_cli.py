"""`python -m edge audit`, `receipt` and `templates`: what lies on this kiosk's disk.

The kiosk may be running; only paper needs it to be stopped. What is printed here and what is
logged names nobody in full.
"""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from edge.app import config as site
from edge.app import paper
from edge.app.clock import SystemTime
from edge.app.config import Config
from edge.app.disk import TEMPLATES
from edge.app.exits import EXIT_FAILED, EXIT_OK
from edge.app.seal import DeviceSeal
from edge.app.sealing import Keyring
from edge.domain.errors import ConfigError
from edge.domain.people import PersonId
from edge.drivers.receipt import layout
from edge.ports import Line, ReceiptItem, Rule
from edge.session.states import Language
from edge.store import audit
from edge.store.database import Database
from edge.store.proofs import Gone, Proofs
from edge.store.receipts import KeptReceipt, ReceiptBook
from edge.store.templates import TemplateStore
from edge.ui.texts import text

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_parser(commands: Commands) -> None:
    _add_audit(commands)
    _add_receipt(commands)
    _add_templates(commands)


def _add_audit(commands: Commands) -> None:
    command = commands.add_parser("audit", help="whether every record is still here, unchanged")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="read every record; names the first broken entry")
    verify.set_defaults(run=_verify)
    digest = actions.add_parser("digest", help="one day as a signed line, to be kept on paper")
    digest.add_argument("--day", type=date.fromisoformat, metavar="YYYY-MM-DD")
    digest.add_argument("--print", action="store_true", dest="on_paper", help="asks first")
    digest.add_argument("--yes", action="store_true", help="do not ask before printing")
    digest.set_defaults(run=_digest)
    proofs = actions.add_parser("proofs", help="the signed word for everything that was deleted")
    proofs.set_defaults(run=_proofs)
    for action in (verify, digest, proofs):
        _add_common(action)


def _add_receipt(commands: Commands) -> None:
    command = commands.add_parser("receipt", help="a second copy of a receipt, masked")
    command.add_argument("number", nargs="?", metavar="RECEIPT_NO", help="default: the newest")
    command.add_argument("--list", action="store_true", dest="listed", help="the newest numbers")
    command.add_argument("--print", action="store_true", dest="on_paper")
    command.add_argument("--png", type=Path, metavar="FILE", help="draw it instead")
    command.set_defaults(run=_receipt)
    _add_common(command)


def _add_templates(commands: Commands) -> None:
    command = commands.add_parser("templates", help="face templates kept for later comparison")
    actions = command.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="whose, of which model, until when; never the face")
    listed.set_defaults(run=_list_templates)
    delete = actions.add_parser("delete", help="somebody withdraws: gone at once, with a proof")
    delete.add_argument("person", metavar="PERSON_ID")
    delete.set_defaults(run=_delete_template)
    for action in (listed, delete):
        _add_common(action)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--site", type=Path, required=True, metavar="FILE", help="the site file")
    command.add_argument("--json", action="store_true")


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[tuple[Config, Keyring, Database, DeviceSeal]]:
    config = site.load(args.site)
    if not config.database.exists():
        raise ConfigError(str(config.database), "no database yet; the kiosk has never run here")
    keyring = Keyring.load(config)
    with closing(Database(config.database, create=False)) as database:
        yield config, keyring, database, DeviceSeal(config.kiosk_id, keyring.sign)


# --- audit ---


def _verify(args: argparse.Namespace) -> int:
    with _opened(args) as (_, _, database, seal):
        broken = audit.verify(database, seal)
        [(count,)] = database.rows("SELECT count(*) FROM records")
    facts = {
        "sound": broken is None,
        "records": count,
        "broken": asdict(broken) if broken else None,
    }
    if broken is None:
        words = f"records here: {count}, every one in its place and signed by this kiosk"
    else:
        words = f"record {broken.seq}: {broken.why}"
    print(json.dumps(facts) if args.json else words)
    return EXIT_OK if broken is None else EXIT_FAILED


def _digest(args: argparse.Namespace) -> int:
    with _opened(args) as (config, _, database, seal):
        day = args.day or SystemTime().now().local.date()
        facts = asdict(audit.digest(database, day)) | {"day": day.isoformat()}
        signed = seal.sign(facts)
        signature = json.loads(signed)["sig"]
        if args.on_paper and (args.yes or _agrees()):
            items = layout(_digest_items(config, facts, signature), config.devices.printer_columns)
            paper.put_on_paper(config, tuple(items))
    shown = facts | {"kiosk": config.kiosk_id, "signature": signature}
    signed_text = base64.b64encode(signed).decode()
    print(json.dumps(shown | {"signed": signed_text}) if args.json else _table(shown))
    return EXIT_OK


def _agrees() -> bool:
    return input("Print it on the receipt printer? [y/N] ").strip().lower() in ("y", "yes", "是")


def _digest_items(
    config: Config, facts: Mapping[str, Any], signature: str
) -> tuple[ReceiptItem, ...]:
    values = {
        "kiosk": {"kiosk": config.kiosk_id},
        "day": {"day": facts["day"]},
        "count": {"count": facts["count"]},
        "places": {"first": facts["first_seq"], "last": facts["last_seq"]},
        "chain": {"epoch": facts["epoch"]},
        "sha256": {"sha256": facts["sha256"]},
        "signature": {"signature": signature},
    }
    language = Language(config.language)
    lines = (Line(text(language, f"digest.{key}", **filled)) for key, filled in values.items())
    title = Line(text(language, "digest.title"), big=True, centred=True)
    return (title, Rule(), *lines)


def _proofs(args: argparse.Namespace) -> int:
    with _opened(args) as (_, _, database, seal):
        proofs = Proofs(database, seal).all()
    if args.json:
        print(json.dumps([dict(proof) for proof in proofs]))
    else:
        print("\n".join(map(_proof_words, proofs)) or "nothing was ever deleted")
    return EXIT_OK if all(proofs) else EXIT_FAILED


def _proof_words(proof: Mapping[str, Any]) -> str:
    if not proof:
        return "a proof whose signature does not hold"
    which = f"  {proof['first']}..{proof['last']}" if proof.get("first") else ""
    return f"{proof['what']:<12} {proof['count']:>6}  older than {proof['until']}{which}"


# --- receipt ---


def _receipt(args: argparse.Namespace) -> int:
    with _opened(args) as (config, keyring, database, _):
        book = ReceiptBook(database, keyring.data)
        if args.listed:
            return _list_receipts(book.latest(), args.json)
        found = book.find(args.number) if args.number else next(iter(book.latest(1)), None)
    if found is None:
        raise ConfigError("receipt", "no such receipt here; they are kept for 30 days at most")
    if args.png:
        paper.draw(config, found.items, args.png)
        print(args.png)
    elif args.on_paper:
        paper.put_on_paper(config, found.items)
        print(f"{found.receipt_no} printed")
    else:
        print(_receipt_json(found) if args.json else _text_of(found.items))
    return EXIT_OK


def _list_receipts(receipts: Sequence[KeptReceipt], as_json: bool) -> int:
    rows = [(kept.receipt_no, kept.day.isoformat() if kept.day else "") for kept in receipts]
    if as_json:
        print(json.dumps([{"receipt_no": number, "day": day} for number, day in rows]))
    else:
        print("\n".join(f"{number}  {day or '-'}" for number, day in rows) or "none")
    return EXIT_OK


def _receipt_json(kept: KeptReceipt) -> str:
    lines = _text_of(kept.items).splitlines()
    return json.dumps({"receipt_no": kept.receipt_no, "lines": lines}, ensure_ascii=False)


def _text_of(items: Sequence[ReceiptItem]) -> str:
    return "\n".join("-" * 32 if isinstance(item, Rule) else item.text for item in items)


# --- templates ---


def _list_templates(args: argparse.Namespace) -> int:
    folder = site.load(args.site).database.parent / TEMPLATES
    rows = []
    if folder.is_dir():
        with closing(TemplateStore(folder)) as store:
            rows = [asdict(row) | {"expires": row.expires.isoformat()} for row in store.rows()]
    if args.json:
        print(json.dumps(rows))
    else:
        print("\n".join(f"{row['person_id']}  until {row['expires']}" for row in rows) or "none")
    return EXIT_OK


def _delete_template(args: argparse.Namespace) -> int:
    """The proof says that one went, not whose: it outlives the template."""
    with _opened(args) as (config, _, database, seal):
        with closing(TemplateStore(config.database.parent / TEMPLATES)) as store:
            deleted = store.delete(PersonId(args.person))
        if deleted:
            today = SystemTime().now().local.date()
            Proofs(database, seal).add(Gone("templates", 1, today))
    words = "deleted, and overwritten in the file" if deleted else "there was none"
    print(json.dumps({"deleted": deleted}) if args.json else words)
    return EXIT_OK if deleted else EXIT_FAILED


def _table(facts: Mapping[str, Any]) -> str:
    return "\n".join(f"{name:<10} {value}" for name, value in facts.items())
