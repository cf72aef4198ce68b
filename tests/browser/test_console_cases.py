"""What a case worker does in a day, in a real browser: S05–S09 and S27–S36 first of all."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.browser.cases import FAULTY_CSV, photograph
from tests.browser.conftest import Shoot
from tests.browser.hall import Hall
from tests.browser.pages import COUNTY, SUPERVISOR, WORKER

pytestmark = pytest.mark.browser
thorough = pytest.mark.skipif("BROWSER_OUT" not in os.environ, reason="part of `make browser`")

PENDING = "/people/?region=100101001001&status=pending&covered=yes"
ASK_CERTIFY = "请确认是否已经完成实地走访或视频连线进行认证?弄虚作假事后会被问责,确定通过生存认证?"
ASK_DEATH = "是否确认对象已死亡,标记死亡后对象无需做生存认证?"


def today(days: int = 0) -> str:
    return (datetime.now(UTC) + timedelta(hours=8, days=days)).date().isoformat()


def names(tab: Any) -> list[str]:
    return [text.strip() for text in tab.locator("tbody th").all_inner_texts()]


def told(tab: Any) -> str:
    return str(tab.locator("[role=status]").first.inner_text())


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


def test_s27_to_s32_a_visit_certifies_and_leads_back_to_the_list(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto(PENDING)
        name = names(tab)[0]
        tab.get_by_role("link", name=f"认证 {name}").first.press("Enter")
        tab.wait_for_url("**/certify/*")
        text = tab.locator("main").inner_text()
        assert ASK_CERTIFY in text
        assert "因作假操作后期会进行问责" in text
        tab.get_by_role("link", name="取消").click()
        assert names(tab)[0] == name, "nothing has changed, and the filters are as they were"
        tab.get_by_role("link", name=f"认证 {name}").first.click()
        _say_of_the_visit(tab)
        shoot(tab, "certify-filled")
        tab.get_by_role("button", name="确定").click()
        tab.wait_for_url(f"{hall.address}{PENDING}")
        assert name in told(tab)
        shoot(tab, "certify-done")


def _say_of_the_visit(tab: Any) -> None:
    tab.get_by_label("实地走访").check()
    tab.get_by_label("走访或连线日期").fill(today())
    tab.get_by_label("地点").fill("东风社区3号楼")
    sheet = {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    tab.locator("#id_files").set_input_files([sheet])


def test_s29_without_evidence_or_a_reason_nothing_is_certified(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto(PENDING)
        tab.locator("tbody tr").nth(3).get_by_role("link", name=re.compile("认证 ")).click()
        tab.get_by_role("button", name="确定").click()
        errors = tab.locator("[role=alert]").filter(visible=True)
        assert errors.count() >= 3
        assert tab.get_by_role("button", name="确定").count() == 1
        shoot(tab, "certify-refused")


def test_s33_to_s36_a_death_needs_a_second_person_and_is_undone_in_one_step(
    hall: Hall, shoot: Shoot
) -> None:
    with hall.tab(WORKER) as tab, hall.tab(SUPERVISOR) as second:
        tab.goto(PENDING)
        name = names(tab)[5]
        link = tab.get_by_role("link", name=f"死亡 {name}").first
        person = str(link.get_attribute("href")).split("/")[2]
        link.press("Enter")
        assert ASK_DEATH in tab.locator("main").inner_text()
        tab.get_by_label("死亡日期").fill(today(-3))
        tab.get_by_label("信息来源").select_option(index=1)
        tab.get_by_role("button", name="确定").click()
        tab.wait_for_url(f"{hall.address}{PENDING}")
        assert name in names(tab), "nothing changes before the second person agrees"

        second.goto("/deaths/")
        second.locator(f"tr:has-text('{name}')").get_by_role("link", name="查看").first.click()
        shoot(second, "death-decide")
        assert ASK_DEATH in second.locator("main").inner_text()
        second.get_by_role("button", name="确定").click()
        second.wait_for_selector("[role=status]")
        tab.goto(f"/people/{person}/")
        assert "死亡" in tab.locator("h1").inner_text()
        shoot(tab, "person-marked-dead")

        second.get_by_label(re.compile("撤销|为什么")).last.fill("同名同姓，登记错人")
        second.get_by_role("button", name="撤销").last.click()
        second.wait_for_selector("[role=status]")
        tab.reload()
        assert "未认证" in tab.locator("h1").inner_text()


def test_who_was_marked_dead_and_came_is_told_on_every_page(hall: Hall) -> None:
    with hall.tab(COUNTY) as tab:
        tab.goto("/opinions/")
        assert "登记为死亡的对象在终端出现" in tab.locator(".alerts").inner_text()
        assert tab.locator(".alerts").get_attribute("aria-live") == "assertive"


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
