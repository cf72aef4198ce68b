"""`python -m edge verify-receipt`: whether a receipt is genuine, with no network and no kiosk.

All it takes is the registry's public key, which may be published.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.app import config as site
from edge.app.exits import EXIT_FAILED, EXIT_OK
from edge.domain.codes import SignedReceipt, is_receipt
from edge.domain.errors import ConfigError, WireError
from edge.ports import Picture
from edge.session.states import Language
from edge.ui.texts import text
from edge.wire import keys
from edge.wire.receipts import read_receipt

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_parser(commands: Commands) -> None:
    command = commands.add_parser(
        "verify-receipt",
        help="whether the code of a receipt is genuine; needs no network",
        epilog="exit codes: 0 genuine, 1 not proven, 2 wrong use",
    )
    code = command.add_mutually_exclusive_group(required=True)
    code.add_argument("text", nargs="?", metavar="TEXT", help="what the code holds: JZ1:…")
    code.add_argument("--image", type=Path, metavar="FILE", help="a picture of the receipt")
    trust = command.add_mutually_exclusive_group(required=True)
    trust.add_argument("--key", type=Path, metavar="FILE", help="the registry's public key")
    trust.add_argument("--site", type=Path, metavar="FILE", help="the site file, which names it")
    command.add_argument("--json", action="store_true")
    command.add_argument("--lang", choices=[lang.value for lang in Language], default="en")
    command.set_defaults(run=_verify)


def _verify(args: argparse.Namespace) -> int:
    registry = _key(args)
    try:
        receipt = read_receipt(_code(args), registry)
    except WireError as error:
        print(json.dumps({"genuine": False, "why": str(error)}) if args.json else _no(error))
        return EXIT_FAILED
    print(_json(receipt) if args.json else _words(receipt, Language(args.lang)))
    return EXIT_OK


def _no(error: WireError) -> str:
    return f"not proven ({error}): it may be damaged, or not a receipt of this registry"


def _key(args: argparse.Namespace) -> Ed25519PublicKey:
    path: Path = args.key
    if args.site:
        config = site.load(args.site)
        path = config.path(config.keys.registry_sign)
    try:
        return keys.verifying_key(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, WireError) as error:
        raise ConfigError(str(path), f"not a public key of a registry: {error}") from error


def _code(args: argparse.Namespace) -> str:
    """Raises `WireError` if there is none in the picture."""
    if args.image is None:
        return str(args.text).strip()
    codes = [code for code in _codes_in(args.image) if is_receipt(code)]
    if not codes:
        raise WireError("form", "no receipt's code in the picture")
    return codes[0]


def _codes_in(path: Path) -> list[str]:
    from PIL import Image

    from edge.drivers.scanner_camera import codes_in

    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except OSError as error:
        raise ConfigError(str(path), "not a readable picture") from error
    return codes_in(Picture(picture.width, picture.height, picture.tobytes()))


def _json(receipt: SignedReceipt) -> str:
    facts = {
        "genuine": True,
        "kiosk": receipt.kiosk_id,
        "receipt_no": receipt.receipt_no,
        "name": receipt.name,
        "outcome": receipt.outcome.value,
        "method": receipt.method.value,
        "day": receipt.day.isoformat() if receipt.day else None,
        "due_by": receipt.due_by.isoformat() if receipt.due_by else None,
        "phone": receipt.phone,
        "simulated": receipt.simulated,
    }
    return json.dumps(facts, ensure_ascii=False)


def _words(receipt: SignedReceipt, language: Language) -> str:
    """What the paper says, in the words of the paper."""

    def word(key: str, **values: str) -> str:
        return text(language, key, **values)

    outcome = word(f"receipt.outcome.{receipt.outcome.value}")
    lines = [
        word("code_genuine.title"),
        f"{word('code_genuine.result')}: {outcome}",
        word("receipt.name", name=receipt.name),
        word("receipt.method", method=word(f"receipt.method.{receipt.method.value}")),
        f"{word('code_genuine.day')}: {receipt.day or word('code_genuine.unsure')}",
        word("receipt.phone", phone=receipt.phone),
        word("receipt.receipt_no", receipt_no=receipt.receipt_no),
        word("receipt.terminal", terminal=receipt.kiosk_id),
    ]
    if receipt.due_by:
        lines.insert(-3, f"{word('code_genuine.due')}: {receipt.due_by}")
    return "\n".join([*lines, word("receipt.simulated")] if receipt.simulated else lines)
