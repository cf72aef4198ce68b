"""Writes `docs/branches.md`: each item of the acceptance list, where it is shown, what tests it.

    python -m tests.tools.branches_page > docs/branches.md

A test serves an item if its name carries the item's id (`test_e01_…`), a step of a journey if it
says so (`serves="E01"`); both are read from the sources, so that nothing here can name what is not
there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.browser.pages import PAGES

ROOT = Path(__file__).parents[2]
JOURNEYS = ROOT / "tests" / "window" / "journeys"
TOKEN = re.compile(r"_(k|m|e|s|str)(\d\d)(?=_|$)")
RANGE = re.compile(r"_s(\d\d)_to_s(\d\d)(?=_|$)")
FEATURE = re.compile(r"_(?:f|feature_?)(\d\d?)(?=_|$)")
MOST_TESTS = 3

HEAD = """\
# Branches

Made by `tests/tools/branches_page.py` (`make pages`) from the tests themselves; a test fails when
an item has neither a test nor a word why not, or when a test named here is gone. Items are those of
the acceptance list: K the self-service kiosk, M the mini-program's flows, E the branches that
neither of them shows, STR the texts to ship as they are, S the staff's console. *Screens* are named
as in `make gallery`; *journeys* (`tests/window/journeys`) are touched through in a real window, and
`make journeys` shows a picture of each of their steps. `make browser` does the same for the
console, in Chromium.

"""

WHAT = {
    "K01": "the service and its name",
    "K02": "any terminal will do, not only the nearest",
    "K03": "tied to the insurance's own system",
    "K04": "one tile opens the service",
    "K05": "other services beside it on the first screen",
    "K06": "asks for the card",
    "K07": "card laid on the reading area, no slot",
    "K08": "operating instructions",
    "K09": "back to the first screen",
    "K10": "bar codes",
    "K11": "no countdown while the card is dealt with",
    "K12": "greeting",
    "K13": "name, sex, number; masked until touched",
    "K14": "goes on only after somebody looked",
    "K15": "heading of the choice",
    "K16": "to apply",
    "K17": "records of past years",
    "K18": "a friendly line that explains the keys",
    "K19": "footer: step back, help, home, QR code, seconds",
    "K20": "the terminal's number in the footer",
    "K21": "heading of the capture",
    "K22": "how to stand",
    "K23": "it shoots by itself",
    "K24": "look up, follow the voice, look ahead",
    "K25": "where the camera is",
    "K26": "no step back during capture",
    "K27": "the movement takes the top of the screen",
    "K28": "each prompt written and spoken",
    "K29": "at the end a look ahead",
    "K30": "further movements",
    "K31": "shoot again",
    "K32": "nothing leaves before it is submitted",
    "K33": "the picture is shown for approval",
    "K34": "heading of the result",
    "K35": "verified",
    "K36": "printed is said on the printer's word alone",
    "K37": "asks to read the result",
    "K38": "leaving ends the session",
    "K39": "footer of the result",
    "K40": "300 seconds for each screen",
    "K41": "at zero everything personal is gone",
    "M01": "once in each cycle",
    "M02": "by oneself or by staff for somebody",
    "M03": "entry by phone program",
    "M04": "publisher and promise of the phone program",
    "M05": "sign-in of the phone program",
    "M06": "tile with its second line",
    "M07": "help line, guide, questionnaire, complaint one touch away",
    "M08": "for whom",
    "M09": "for oneself",
    "M10": "for a relative or friend",
    "M11": "eligibility, household members too",
    "M12": "nobody found",
    "M13": "then the face",
    "M14": "record saved",
    "M15": "target by card or typed",
    "M16": "the same checks for the target",
    "M17": "the target's eligibility, helper kept apart",
    "E01": "card not read",
    "E02": "card expired",
    "E03": "on no roster",
    "E04": "done already in this cycle",
    "E05": "the registry wants staff to look",
    "E06": "face missing, two, too far, light",
    "E07": "movement not in time",
    "E08": "alive or not is in doubt",
    "E09": "face differs",
    "E10": "declines the face",
    "E11": "no network",
    "E12": "no paper, jam, open cover",
    "E13": "camera or reader dead",
    "E14": "power cut in mid-session",
    "E15": "time runs out",
    "E16": "card left behind",
    "E17": "clock not to be trusted",
    "STR01": "asks for the card",
    "STR02": "heading of the choice",
    "STR03": "apply, history",
    "STR04": "heading of the capture",
    "STR05": "how to stand",
    "STR06": "it shoots by itself",
    "STR07": "a movement",
    "STR08": "shoot again, submit",
    "STR09": "verified",
    "STR10": "receipt printed",
    "STR11": "leave, step back, home, help",
    "STR12": "seconds left",
    "STR13": "nobody found",
    "STR14": "record saved",
    "STR15": "for oneself, for others, go",
    "STR16": "the console's five buttons",
    "STR17": "pending, certified",
    "S01": "account and password, then 生存认证",
    "S02": "one module among others",
    "S03": "低保, 特困, 低边家庭",
    "S04": "where one is",
    "S05": "province",
    "S06": "city",
    "S07": "county",
    "S08": "street",
    "S09": "community; ====== for all",
    "S10": "day of certification, from and to",
    "S11": "name",
    "S12": "ID number",
    "S13": "category",
    "S14": "status",
    "S15": "covered or not",
    "S16": "查询",
    "S17": "column: county",
    "S18": "column: street",
    "S19": "column: community",
    "S20": "column: name",
    "S21": "column: ID number, masked",
    "S22": "column: category",
    "S23": "column: covered",
    "S24": "column: when; empty while pending",
    "S25": "column: status",
    "S26": "column: what can be done",
    "S27": "认证 and 死亡 in each row",
    "S28": "further statuses, pages, order, export",
    "S29": "only after a visit or call",
    "S30": "the question before 认证, word for word",
    "S31": "确定, 取消",
    "S32": "the standing warning",
    "S33": "for those verified to have died",
    "S34": "the question before 死亡, word for word",
    "S35": "确定, 取消",
    "S36": "no further proof is needed",
}
NOT_DELIVERED = {
    "M03": "not delivered: the phone program is not part of this",
    "M04": "not delivered: the phone program is not part of this",
    "M05": "not delivered: the phone program is not part of this",
}
REMARKS = {
    "S02": "A menu in groups instead of tiles.",
    "K05": "Ours is the one service of this kiosk; guide and questionnaire stand beside it.",
    "K03": "Our own registry stands where the city's system would; nothing connects to that.",
    "E13": "The nearest other terminal is named where the site file tells it (`agency.nearest`).",
}
ALSO = {
    "K03": ("tests/integration/test_demo.py:test_k01_k41_the_main_job_on_real_processes",),
}
"""Tests that serve an item without its id in their names; each must exist."""

FEATURES = {
    "2": "a person on every screen",
    "3": "home-visit kit",
    "4": "a receipt that proves itself",
    "11": "pace and movements of one's own",
    "12": "two languages, spoken and written",
    "13": "helping done right",
    "17": "consent: heard, withdrawn, proven",
    "21": "time that waits",
    "22": "one's own record at the kiosk",
}
FEATURES_NOT_DELIVERED = {"3": "not delivered: the kit is not part of this"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A test, or a journey with the screens at which it shows an item."""

    name: str  # path:function
    screens: tuple[str, ...] = ()

    @property
    def is_journey(self) -> bool:
        return "/journeys/" in self.name

    @property
    def is_in_a_browser(self) -> bool:
        return self.name.startswith("tests/browser/")


def shown() -> dict[str, list[Shown]]:
    """By item: K01, E12, STR07, F22; journeys first."""
    found: dict[str, list[Shown]] = {}
    for item, one in (*_journeys(), *_tests()):
        found.setdefault(item, []).append(one)
    for item, names in ALSO.items():
        found.setdefault(item, []).extend(Shown(name) for name in names)
    return found


_OTHER_LISTS = ("test_models_swaps.py",)
"""Their tests are named after another list's items."""


def _tests() -> Iterator[tuple[str, Shown]]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.name in _OTHER_LISTS:
            continue
        for name in sorted(_functions(path)):
            if name.startswith("test_"):
                where = Shown(f"{path.relative_to(ROOT)}:{name}")
                yield from ((item, where) for item in items_in(name))


def items_in(name: str) -> list[str]:
    """`test_e03_m12_…` carries E03 and M12, `s05_to_s09` five, `feature_22` and `f22` F22."""
    tokens = [f"{kind.upper()}{number}" for kind, number in TOKEN.findall(f"_{name}")]
    for first, last in RANGE.findall(f"_{name}"):
        tokens += [f"S{n:02d}" for n in range(int(first) + 1, int(last))]
    return [*tokens, *(f"F{int(number)}" for number in FEATURE.findall(f"_{name}"))]


def _journeys() -> Iterator[tuple[str, Shown]]:
    for path in sorted(JOURNEYS.glob("*.py")):
        functions = _functions(path)
        for name, function in functions.items():
            if any(isinstance(d, ast.Call) for d in function.decorator_list):
                for item, screens in _served(function, functions).items():
                    yield item, Shown(f"{path.relative_to(ROOT)}:{name}", screens)


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def _served(
    function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]
) -> dict[str, tuple[str, ...]]:
    """What the steps of a journey show, those of helpers in its file included."""
    served: dict[str, tuple[str, ...]] = dict.fromkeys(items_in(function.name), ())
    for screen, items in _steps(function, functions):
        for item in items:
            known = served.get(item, ())
            served[item] = known if screen in known else (*known, screen)
    return served


def _steps(
    function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]
) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in functions:
            yield from _steps(functions[node.func.id], functions)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "see":
            serves = [word.value for word in node.keywords if word.arg == "serves"]
            words = [word.value for word in serves if isinstance(word, ast.Constant)]
            if words and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value), str(words[0]).split()


# --- the page ------------------------------------------------------------------


def page() -> str:
    found = shown()
    parts = [HEAD]
    for title, prefix in (
        ("Kiosk", "K"),
        ("Mini-program", "M"),
        ("Branches", "E"),
        ("Texts", "STR"),
    ):
        rows = [_row(item, what, found) for item, what in WHAT.items() if _kind(item) == prefix]
        parts.append(_table(f"{title} ({prefix})", rows))
    console = [_console_row(item, found) for item in WHAT if _kind(item) == "S"]
    parts.append(_table("Console (S)", console, "Pages", "In a browser"))
    features = [_feature(number, what, found) for number, what in FEATURES.items()]
    parts.append(_table("Features that the kiosk serves", features))
    return "\n".join(parts)


def _kind(item: str) -> str:
    return item.rstrip("0123456789")


def _table(title: str, rows: list[str], where: str = "Screens", walked: str = "Journeys") -> str:
    columns = ("Item", "What", where, walked, "Other tests")
    head = f"## {title}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n"
    return head + "\n".join(rows) + "\n"


def _console_row(item: str, found: dict[str, list[Shown]]) -> str:
    """Its pages are those of `tests/browser/pages.py` that say they show it."""
    pages = [page.name for page in PAGES if item in _listed(page.items)]
    tests = found.get(item, [])
    seen = [one for one in tests if one.is_in_a_browser]
    others = [one for one in tests if not one.is_in_a_browser][:MOST_TESTS]
    remark = f" {REMARKS[item]}" if item in REMARKS else ""
    places = " | ".join((", ".join(pages) or "–", _named(seen), _named(others)))
    return f"| {item} | {WHAT[item]} | {places}{remark} |"


def _listed(items: str) -> set[str]:
    """`S09, S14` and `S03–S27`."""
    found = set()
    for part in filter(None, items.split(", ")):
        first, _, last = part.partition("–")
        found |= {f"S{n:02d}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)}
    return found


def _row(item: str, what: str, found: dict[str, list[Shown]]) -> str:
    if item in NOT_DELIVERED:
        return f"| {item} | {what} | – | – | {NOT_DELIVERED[item]} |"
    remark = f" {REMARKS[item]}" if item in REMARKS else ""
    return f"| {item} | {what} | {_places(found.get(item, []))}{remark} |"


def _feature(number: str, what: str, found: dict[str, list[Shown]]) -> str:
    if number in FEATURES_NOT_DELIVERED:
        return f"| {number} | {what} | – | – | {FEATURES_NOT_DELIVERED[number]} |"
    return f"| {number} | {what} | {_places(found.get(f'F{number}', []))} |"


def _places(all_of_it: list[Shown]) -> str:
    """Three cells; of many tests the first few."""
    screens = sorted({screen for one in all_of_it for screen in one.screens})
    journeys = [one for one in all_of_it if one.is_journey]
    tests = [one for one in all_of_it if not one.is_journey][:MOST_TESTS]
    return " | ".join((", ".join(screens) or "–", _named(journeys), _named(tests)))


def _named(some: list[Shown]) -> str:
    return ", ".join(f"`{one.name.partition(':')[2]}`" for one in some) or "–"


if __name__ == "__main__":
    print(page(), end="")
