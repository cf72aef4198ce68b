"""What staff do in a day, in a real browser; 认证 and 死亡 are in `test_cases.py`."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_bridge import demo
from tests.browser.cases import FAULTY_CSV
from tests.browser.conftest import Shoot
from tests.browser.hall import Hall
from tests.browser.pages import COUNTY, SUPERVISOR, WORKER

pytestmark = pytest.mark.browser
thorough = pytest.mark.skipif("BROWSER_OUT" not in os.environ, reason="part of `make browser`")

PENDING = "/people/?region=100101001001&status=pending&covered=yes"
FIELDS = [
    "所属省份", "所属城市", "所属区县", "所属街道", "所属社区", "认证日期", "到", "姓名",
    "姓名完全一致", "身份证号", "对象类型", "认证状态", "是否保障",
]  # fmt: skip
COLUMNS = [
    "所属区县", "乡镇街道", "社区村组", "姓名", "身份证号", "对象类型", "是否保障", "认证时间",
    "认证状态", "操作",
]  # fmt: skip


def today(days: int = 0) -> str:
    return (datetime.now(UTC) + timedelta(hours=8, days=days)).date().isoformat()


def names(tab: Any) -> list[str]:
    return [text.strip() for text in tab.locator("tbody th").all_inner_texts()]


# --- 生存认证 ------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_s05_to_s09_a_choice_in_one_list_fills_the_next(hall: Hall, script: bool) -> None:
    with hall.tab(COUNTY, java_script_enabled=script) as tab:
        tab.goto("/people/")
        labels = ["所属省份", "所属城市", "所属区县", "所属街道", "所属社区"]
        assert tab.locator(".filters[data-regions] label").all_inner_texts()[:5] == labels
        assert tab.get_by_label("所属社区").locator("option").all_inner_texts() == ["======"]
        tab.get_by_label("所属街道").select_option(label="东风街道")
        if not script:
            tab.get_by_role("button", name="查询").click()
        communities = tab.get_by_label("所属社区").locator("option")
        communities.nth(2).wait_for(state="attached")
        assert communities.all_inner_texts() == ["======", "东风社区", "向阳社区"]
        tab.get_by_label("所属社区").select_option(label="向阳社区")
        tab.get_by_role("button", name="查询").click()
        tab.wait_for_url("**/people/?*region=100101001002*")
        assert set(tab.locator("tbody td:nth-child(3)").all_inner_texts()) == {"向阳社区"}


def test_s31_who_cancels_is_back_in_the_list_as_it_was(hall: Hall) -> None:
    with hall.tab(WORKER) as tab:
        for dialog in ("认证", "死亡"):
            tab.goto(PENDING)
            name = names(tab)[0]
            tab.get_by_role("link", name=f"{dialog} {name}").first.press("Enter")
            tab.wait_for_selector(".dialog")
            tab.get_by_role("link", name="取消").press("Enter")
            tab.wait_for_url(f"{hall.address}{PENDING}")
            assert names(tab)[0] == name


def choices(tab: Any, label: str) -> list[str]:
    found: list[str] = tab.get_by_label(label, exact=True).locator("option").all_inner_texts()
    return found


def search(tab: Any) -> None:
    with tab.expect_navigation():
        tab.get_by_role("button", name="查询").click()


def column(tab: Any, words: str) -> list[str]:
    cells = tab.locator(f"tbody tr > :nth-child({COLUMNS.index(words) + 1})")
    return [text.strip() for text in cells.all_inner_texts()]


def test_s02_to_s16_the_fields_their_choices_and_what_they_find(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(COUNTY) as tab:
        tab.goto("/people/")
        assert "生存认证" in tab.locator("nav.menu").last.inner_text()
        assert tab.locator("nav.menu").first.locator("a").count() > 3, "S02: one among others"
        assert tab.locator(".filters[data-regions] label").all_inner_texts() == FIELDS
        assert choices(tab, "对象类型") == ["全部", "低保", "特困", "低边家庭", "离退休"]
        assert choices(tab, "认证状态") == ["全部", "未认证", "已认证", "死亡"]
        assert choices(tab, "是否保障") == ["全部", "是", "否"]
        tab.get_by_label("认证日期").fill(today(-20))
        tab.get_by_label("到", exact=True).fill(today(-10))
        search(tab)
        assert all(today(-20) <= found <= today(-10) for found in column(tab, "认证时间"))
        shoot(tab, "s10-dates")
        for label, choice, shown in (
            ("对象类型", "特困", "特困"),
            ("认证状态", "未认证", "未认证"),
            ("是否保障", "否", "否"),
        ):
            tab.goto("/people/")
            tab.get_by_label(label, exact=True).select_option(label=choice)
            search(tab)
            assert set(column(tab, label)) == {shown}
        tab.goto("/people/")
        tab.get_by_label("身份证号").fill(demo.DEMO_NUMBER)
        search(tab)
        assert column(tab, "姓名") == [demo.DEMO_NAME]
        assert demo.DEMO_NUMBER not in tab.url + tab.content()
        shoot(tab, "s12-number")


def test_s17_to_s28_columns_acts_order_and_pages(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/people/")
        heads = tab.locator("thead th").all_inner_texts()
        assert [text.strip() for text in heads] == COLUMNS
        rows = list(zip(*(column(tab, words) for words in COLUMNS[4:]), strict=True))
        assert len(rows) == 20
        for number, _category, _covered, last, status, acts in rows:
            assert number[6:14] == "********"
            assert acts.split() == ([] if status == "死亡" else ["认证", "死亡"])
            assert bool(last) or status != "已认证"
        first = column(tab, "姓名")
        tab.get_by_role("link", name="下一页").click()
        tab.wait_for_url("**after=*")
        assert not set(column(tab, "身份证号")) & {row[0] for row in rows}
        tab.get_by_role("link", name="上一页").click()
        tab.wait_for_url("**before=*")
        assert column(tab, "姓名") == first
        for way in ("ascending", "descending"):
            tab.get_by_role("link", name="认证时间").click()
            tab.wait_for_selector(f"th[aria-sort={way}]:has-text('认证时间')")
        days = column(tab, "认证时间")
        assert days[0]
        assert days == sorted(days, reverse=True)
        shoot(tab, "s28-sorted")


# --- the rest of the day ---------------------------------------------------------------


@thorough
def test_a_number_is_shown_for_a_reason_and_once(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        path = f"/people/{hall.places['visited']}/"
        tab.goto(path)
        assert re.search(r"100000\*{8}\d{3}[\dX]", tab.locator("main").inner_text())
        tab.get_by_label("请填写查看完整号码的原因").fill("居民来电核对号码")
        tab.get_by_role("button", name="显示完整号码").click()
        assert re.search(r"100000(19\d{6})\d{3}[\dX]", tab.locator("main").inner_text())
        shoot(tab, "person-revealed")
        tab.goto(path)
        assert "居民来电核对号码" in tab.locator("main").inner_text(), "who looked, and why"
        assert not re.search(r"100000(19\d{6})\d{3}[\dX]", tab.locator("main").inner_text())


@thorough
def test_visits_are_planned_from_the_due_list(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/due/?region=100101001001&days=90")
        tab.locator("#all").check()
        assert tab.locator("tbody input:checked").count() > 5, "one box ticks all"
        tab.get_by_role("button", name=re.compile("走访")).click()
        tab.locator("input[type=date]").fill(today(1))
        shoot(tab, "plan-new")
        tab.locator("main button.main").click()
        tab.wait_for_url("**/plans/*/")
        assert tab.locator("tbody tr").count() > 5


@thorough
def test_a_file_with_faults_changes_nothing_and_says_where_they_are(
    hall: Hall, shoot: Shoot
) -> None:
    with hall.tab(COUNTY) as tab:
        tab.goto("/imports/new/")
        tab.locator("input[type=radio]").first.check()
        text = FAULTY_CSV.format(first="100000194603081116", second="10000019460308")
        sheet = {"name": "名单.csv", "mimeType": "text/csv", "buffer": text.encode("utf-8-sig")}
        tab.locator("input[type=file]").set_input_files([sheet])
        tab.locator("main button.main").click()
        tab.wait_for_url("**/imports/*/")
        assert "身份证号" in tab.locator("tbody").last.inner_text()
        assert tab.get_by_role("button", name="确定").count() == 0
        shoot(tab, "import-refused")


@thorough
def test_a_file_is_taken_in_and_back_as_a_whole(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(COUNTY) as tab:
        tab.goto(f"/imports/{hall.places['people']}/")
        tab.get_by_role("button", name="确定").click()
        tab.get_by_role("link", name="撤销此次导入").click()
        tab.wait_for_selector("#id_reason")
        tab.fill("#id_reason", "月份弄错")
        shoot(tab, "import-undo")
        tab.get_by_role("button", name="确定").click()
        tab.wait_for_selector("[role=status] >> text=此次导入已全部撤销")


@thorough
def test_the_list_is_exported_with_a_reason(hall: Hall) -> None:
    with hall.tab(SUPERVISOR, accept_downloads=True) as tab:
        tab.goto("/people/?status=pending")
        tab.get_by_role("link", name="导出").click()
        tab.get_by_label("导出事由").fill("月度核对")
        with tab.expect_download() as saved:
            tab.locator("main button.main").click()
        assert saved.value.suggested_filename.endswith((".csv", ".xlsx"))


@thorough
def test_a_second_pair_of_eyes_looks_at_an_entry(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(SUPERVISOR) as tab:
        tab.goto("/rechecks/")
        before = tab.locator("tbody form").count()
        form = tab.locator("tbody form").last
        form.locator("input[name=note], textarea[name=note]").fill("电话回访属实")
        form.get_by_role("button", name="没有问题").click()
        tab.wait_for_selector("[role=status]")
        assert tab.locator("tbody form").count() == before - 1
        shoot(tab, "recheck-done")


@thorough
def test_without_script_somebody_signs_in_and_certifies(hall: Hall) -> None:
    with hall.tab(java_script_enabled=False) as tab:
        hall.sign_in(tab, "heyun")
        tab.goto(PENDING)
        name = names(tab)[7]
        tab.get_by_role("link", name=f"认证 {name}").first.click()
        tab.get_by_label("视频连线").check()
        tab.get_by_label("走访或连线日期").fill(today())
        tab.get_by_label("地点").fill("微信视频")
        tab.get_by_label("没有证据的原因").fill("通话未录像，由社区干部在场核实")
        tab.get_by_role("button", name="确定").click()
        tab.wait_for_url(f"{hall.address}{PENDING}")
        assert name in tab.locator("[role=status]").inner_text()
