"""The console in a real browser: what every page has in common, by keyboard and without script."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cloud_bridge import demo
from tests.browser import checks
from tests.browser.conftest import Shoot
from tests.browser.hall import Hall
from tests.browser.pages import AUDITOR, COUNTY, OPERATOR, PAGES, SUPERVISOR, WORKER

pytestmark = pytest.mark.browser
QUICK = ("sign-in", "people", "person", "tasks", "kiosks")


def menu(tab: Any) -> list[str]:
    texts = tab.locator("nav.menu").first.locator("a").all_inner_texts()
    return [re.sub(r"\s*\d.*", "", text, flags=re.DOTALL) for text in texts]


# --- the frame -----------------------------------------------------------------------


def test_s01_s04_somebody_signs_in_by_keyboard_with_a_second_factor(
    hall: Hall, shoot: Shoot
) -> None:
    name = "sunli"
    with hall.tab() as tab:
        tab.goto("/")
        tab.wait_for_selector("#id_username:focus")
        tab.keyboard.type(name)
        tab.keyboard.press("Tab")
        tab.keyboard.type(hall.accounts[name]["password"])
        tab.keyboard.press("Enter")
        tab.wait_for_selector("#id_code:focus")
        shoot(tab, "sign-in-code")
        tab.keyboard.type(hall.code(name))
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/people/")
        assert tab.locator("h1").inner_text() == "生存认证"
        crumbs = " ".join(tab.locator(".crumbs").inner_text().split())
        assert crumbs == "当前位置： 生存认证 >> 生存认证"  # S04


@pytest.mark.parametrize(
    ("account", "groups"),
    [
        (WORKER, ["今日工作", "人员", "统计", "终端"]),
        (SUPERVISOR, ["今日工作", "人员", "核查", "统计", "终端"]),
        (COUNTY, ["今日工作", "人员", "核查", "统计", "终端", "管理"]),
        (AUDITOR, ["人员", "统计", "管理"]),
        (OPERATOR, ["终端"]),
    ],
)
def test_the_menu_shows_what_the_role_may_open(hall: Hall, account: str, groups: list[str]) -> None:
    with hall.tab(account) as tab:
        tab.goto("/")
        assert menu(tab) == groups
        for link in [*tab.locator("nav.menu a").all()]:
            assert tab.request.get(link.get_attribute("href")).status == 200


def test_open_tasks_are_counted_in_the_menu(hall: Hall) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/people/")
        count = int(tab.locator("nav.menu .count").inner_text().split()[0])
        tab.goto("/tasks/")
        assert 0 < count < 100
        assert tab.locator("tbody .tag.open").count() >= min(count, 5)


def test_the_language_is_said_and_switched(hall: Hall) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/tasks/")
        assert tab.locator("html").get_attribute("lang") == "zh-CN"
        assert tab.get_by_role("button", name="English").get_attribute("lang") == "en"
        tab.get_by_role("button", name="English").click()
        tab.wait_for_selector("html[lang=en]")
        assert tab.locator("h1").inner_text() == "Tasks"
        tab.get_by_role("button", name="简体中文").click()
        tab.wait_for_selector("html[lang=zh-CN]")


def test_somebody_idle_is_warned_and_may_stay(hall: Hall, shoot: Shoot) -> None:
    with hall.tab(WORKER) as tab:
        tab.clock.install()
        tab.goto("/people/")
        tab.get_by_role("textbox", name="姓名").focus()
        idle_minutes = int(tab.locator(".idle").get_attribute("data-idle-minutes"))
        tab.clock.fast_forward((idle_minutes - 3) * 60_000)
        assert not tab.locator(".idle").is_visible()
        tab.clock.fast_forward(61_000)
        box = tab.get_by_role("alertdialog")
        assert "将自动退出登录" in box.inner_text()
        shoot(tab, "idle")
        with tab.expect_request(hall.address + "/") as asked:
            tab.keyboard.press("Enter")  # the button has the focus
        assert asked.value.method == "HEAD"
        box.wait_for(state="hidden")
        assert tab.evaluate("document.activeElement.id") == "id_name"


def test_a_form_is_sent_once(hall: Hall) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/people/")
        stopped = tab.evaluate("""() => {
          const stopped = [], form = document.querySelector('.languages');
          form.addEventListener('submit', (event) => {
            stopped.push(event.defaultPrevented);
            event.preventDefault();
          });
          form.requestSubmit();
          form.requestSubmit();
          return stopped;
        }""")
        assert stopped == [False, True]


def test_no_focus_is_hidden_or_lost(hall: Hall) -> None:
    """2.4.11 and 2.4.7, from the skip link to the first row of the list."""
    with hall.tab(WORKER) as tab:
        tab.goto("/people/")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.className") == "skip"
        for _ in range(40):
            tab.keyboard.press("Tab")
            seen, outline = tab.evaluate("""() => {
              const e = document.activeElement, box = e.getBoundingClientRect();
              const on = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return [e.contains(on) || on.contains(e), getComputedStyle(e).outlineWidth];
            }""")
            assert seen
            assert outline == "3px"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name in QUICK], ids=lambda p: p.name
)
def test_pages_have_no_fault_that_a_machine_can_find(hall: Hall, page: Any) -> None:
    with hall.tab(page.account) as tab:
        tab.goto(page.path.format(**hall.places))
        assert checks.faults(tab) == []


def test_printed_lists_show_no_buttons_and_who_printed_them(hall: Hall) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/people/")
        tab.emulate_media(media="print")
        assert not tab.locator("button, nav").filter(visible=True).count()
        assert WORKER in tab.locator(".printed").inner_text()
        assert tab.locator("tbody tr").count() == 20


# --- journeys ------------------------------------------------------------------------


def test_s11_a_clerk_finds_a_person_by_keyboard(hall: Hall) -> None:
    with hall.tab(WORKER) as tab:
        tab.goto("/people/")
        tab.get_by_role("textbox", name="姓名").focus()
        tab.keyboard.type(demo.DEMO_NAME)
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/people/?name=*")
        assert tab.locator("tbody th").first.inner_text() == demo.DEMO_NAME
        tab.get_by_role("link", name=demo.DEMO_NAME, exact=True).press("Enter")
        tab.wait_for_url("**/people/p*/")
        assert "100000********0010" in tab.locator("main").inner_text()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_clerk_closes_a_task_by_keyboard(hall: Hall, script: bool) -> None:
    with hall.tab(WORKER, java_script_enabled=script) as tab:
        tab.goto("/tasks/")
        tab.locator("tbody tr:has(.tag.open) a", has_text="查看").first.press("Enter")
        tab.wait_for_url("**/tasks/*/")
        tab.get_by_label("如何处理").focus()
        tab.keyboard.type("上门核实，本人健在")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("[role=status]")
        assert "该待办已办结" in tab.locator("[role=status]").inner_text()
        assert "上门核实，本人健在" in tab.locator("main").inner_text()
        assert tab.locator("textarea").count() == 0
