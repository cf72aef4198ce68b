"""认证 and 死亡 in a real browser: the dialogs, their words, two people, and the alert."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.cases import photograph
from tests.browser.conftest import Shoot
from tests.browser.hall import Hall
from tests.browser.pages import SUPERVISOR, WORKER

pytestmark = pytest.mark.browser
S30 = "请确认是否已经完成实地走访或视频连线进行认证?弄虚作假事后会被问责,确定通过生存认证?"
S34 = "是否确认对象已死亡,标记死亡后对象无需做生存认证?"


def pending(tab: Any) -> str:
    """The address of somebody who is 未认证 and of whom nothing is said yet."""
    tab.goto("/people/?status=pending")
    return str(
        tab.locator("tbody a[href$='/certify/'], tbody a[href*='/certify/?']").first.get_attribute(
            "href"
        )
    )


def test_s27_to_s32_a_clerk_certifies_with_a_photograph_by_keyboard(
    hall: Hall, shoot: Shoot, tmp_path: Path
) -> None:
    photo = tmp_path / "IMG_0001.jpg"
    photo.write_bytes(photograph())
    with hall.tab(WORKER) as tab:
        tab.goto(pending(tab))
        dialog = tab.locator(".dialog")
        assert S30 in dialog.inner_text()
        assert "因作假操作后期会进行问责" in dialog.inner_text()
        assert "仅限源数据缺失等原因无法线上认证的对象" in dialog.inner_text()  # S29
        assert tab.get_by_role("link", name="取消").is_visible()
        tab.get_by_role("button", name="确定").press("Enter")
        assert "请至少上传一份证据" in tab.locator(".dialog").inner_text()
        shoot(tab, "certify-refused")
        tab.get_by_label("实地走访").focus()
        tab.keyboard.press("Space")
        tab.get_by_label("走访或连线日期").fill(today().isoformat())
        tab.get_by_label("地点").fill("东风社区三号楼")
        tab.get_by_label("证据（照片或 PDF）").set_input_files(photo)
        shoot(tab, "certify-filled")
        tab.get_by_role("button", name="确定").press("Enter")
        tab.wait_for_selector(".notice.success")
        assert "status=pending" in tab.url, "back to where they came from"
        shoot(tab, "certify-saved")


def test_s33_to_s36_f05_two_people_and_one_step_back(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        person = pending(tab).partition("certify")[0]
        tab.goto(f"{person}death/")
        assert S34 in tab.locator(".dialog").inner_text()
        assert tab.get_by_role("link", name="取消").is_visible()
        tab.get_by_label("死亡日期").fill((today() - timedelta(days=3)).isoformat())
        tab.get_by_label("信息来源").select_option("police")
        tab.get_by_role("button", name="确定").click()
        tab.wait_for_selector(".notice.success")
        assert "等待第二人复核" in tab.locator("main").inner_text()
        shoot(tab, "death-waits")
        tab.get_by_role("link", name="查看登记、审批或撤销").click()
        assert tab.get_by_role("button", name="不批准").count() == 0, "it is their own"
        report = tab.url
    with hall.tab(SUPERVISOR) as tab:
        tab.goto(report)
        assert S34 in tab.locator(".dialog").first.inner_text()
        tab.get_by_role("button", name="确定").click()
        tab.wait_for_selector(".notice.success")
        shoot(tab, "death-approved")
        tab.goto(person)
        assert tab.locator("h1 .tag").inner_text() == "死亡"
        assert tab.get_by_role("link", name="认证", exact=True).count() == 0
        tab.goto(report)
        tab.get_by_label("撤销原因").fill("本人健在")
        tab.get_by_role("button", name="撤销").click()
        tab.wait_for_selector(".notice.success")
        assert "未认证" in tab.locator("h1 .tag").inner_text()
        shoot(tab, "death-undone")


def test_f05_an_open_page_hears_the_alert_without_being_loaded_anew(
    hall: Hall, shoot: Shoot
) -> None:
    """The answer is changed here; that the real one comes is for the test with the broker."""
    with hall.tab(WORKER) as tab:
        tab.clock.install()
        tab.goto("/people/")
        every_ms = 1000 * int(tab.locator(".alerts").get_attribute("data-every-s"))
        assert every_ms <= 30_000
        loaded = tab.evaluate("performance.timeOrigin")
        words = "<p class='notice bad'>紧急：登记为死亡的对象在终端出现。</p>"
        tab.route("**/alerts/", lambda route: route.fulfill(body=words, content_type="text/html"))
        tab.clock.fast_forward(every_ms + 1000)
        tab.wait_for_selector(".alerts .notice.bad >> text=紧急：登记为死亡的对象在终端出现。")
        assert tab.evaluate("performance.timeOrigin") == loaded
        assert tab.locator(".alerts").get_attribute("aria-live") == "assertive"
        shoot(tab, "alert")


def today() -> date:
    from datetime import UTC, datetime

    return (datetime.now(UTC) + timedelta(hours=8)).date()
