"""What is printed beside receipts: masked, within the paper's width, and honest about gaps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.app.config import Config, load
from edge.app.sheets import sheet_items
from edge.domain.people import mask_id_number, mask_name
from edge.drivers.receipt import display_width
from edge.ports import Line, ReceiptItem
from edge.session.effects import DataCopy, Ticket
from edge.session.states import Language
from provisioning.site import make_site
from tests.own_world import HELD
from tests.session_world import NAME, NUMBER
from tests.ui_world import FACTS, KNOWN

LANGUAGES = pytest.mark.parametrize("language", Language)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load(make_site(tmp_path_factory.mktemp("site"), ["K-1"]).kiosk("K-1") / "site.toml")


def copy(**changes: object) -> DataCopy:
    whole = DataCopy(mask_name(NAME), mask_id_number(NUMBER), KNOWN, HELD)
    return replace(whole, **changes)  # type: ignore[arg-type]


def texts(items: tuple[ReceiptItem, ...]) -> str:
    return "\n".join(item.text for item in items if isinstance(item, Line))


@LANGUAGES
@pytest.mark.parametrize("columns", [32, 48])
def test_every_line_fits_and_nobody_is_named_in_full(
    config: Config, language: Language, columns: int
) -> None:
    narrow = replace(config, devices=replace(config.devices, printer_columns=columns))
    for sheet in (copy(), Ticket("7QF3-0XKM-2C9D-V5TA")):
        items = sheet_items(narrow, FACTS, sheet, language)
        for item in items:
            if isinstance(item, Line):
                assert display_width(item.text) <= columns // (2 if item.big else 1)
        assert NAME not in texts(items)
        assert NUMBER not in texts(items)


def test_feature22_a_copy_has_every_record_with_day_method_and_place(config: Config) -> None:
    text = texts(sheet_items(config, FACTS, copy(), Language.ZH)).replace("\n", "")
    for proof in HELD.proofs:
        assert f"{proof.day.year}年{proof.day.month}月{proof.day.day}日" in text
        assert proof.place in text
        assert proof.receipt_no in text
    assert "数据比对" in text
    assert text.count("待核实") == 1


def test_without_the_centre_the_paper_says_that_something_is_missing(config: Config) -> None:
    text = texts(sheet_items(config, FACTS, copy(held=None), Language.ZH)).replace("\n", "")
    assert "打印时联系不上中心" in text
    assert "打印时联系不上中心" not in texts(sheet_items(config, FACTS, copy(), Language.ZH))


@LANGUAGES
def test_a_number_stands_on_one_line_and_a_simulated_kiosk_says_so(
    config: Config, language: Language
) -> None:
    number = "7QF3-0XKM-2C9D-V5TA"
    text = texts(sheet_items(config, FACTS, Ticket(number), language))
    assert number in text.split("\n")
    assert text.count("SIMULATED") == 2
    real = texts(sheet_items(config, replace(FACTS, simulated=False), Ticket(number), language))
    assert "SIMULATED" not in real
