"""What each screen says and offers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from edge.domain.challenge import Prompt
from edge.domain.record import Outcome
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session import machine
from edge.session.assist_states import (
    AssistCard,
    AssistChoice,
    AssistConfirm,
    AssistReasons,
    Enrolling,
    Vouching,
)
from edge.session.codes_states import CopyNews, Reprinting
from edge.session.events import Button
from edge.session.staff_states import StaffState
from edge.session.states import (
    AwaitingCard,
    Choosing,
    Confirming,
    Consenting,
    Finished,
    Home,
    Informing,
    Language,
    PaperNews,
    Retrying,
    Reviewing,
    Session,
    ShowingHistory,
    State,
    Topic,
    Turned,
    Watching,
    Why,
)
from edge.ui.screen import SIMULATED_BAND, Screen, Weight
from edge.ui.texts import text
from edge.ui.viewmodel import consent_text, view
from tests.session_world import NAME, NUMBER, verdict
from tests.ui_world import (
    FACTS,
    NOW,
    VISIT,
    every_state,
    finished,
    gallery,
    hurried,
    session,
    states,
    watching,
)

LANGUAGES = pytest.mark.parametrize("language", Language)


def shown(state: State, language: Language = Language.ZH, **changes: object) -> Screen:
    return view(session(state, language, **changes), NOW, FACTS)


def texts(screen: Screen) -> list[str]:
    """Everything that can be read on a screen."""
    fields = [part for row in screen.fields for part in row]
    labels = [choice.label for choice in screen.buttons]
    footer = [screen.footer.terminal, screen.footer.time_left]
    plain = [screen.headline, *screen.lines, screen.advice, screen.hint, screen.note, screen.band]
    return [*plain, *fields, *labels, *footer, screen.progress_words]


def walk() -> list[Session]:
    """Every state in both languages, calm and hurried."""
    found = [session(state, language) for state in every_state() for language in Language]
    hurry = [hurried(s.state, s.language) for s in found if not isinstance(s.state, Home)]
    large = [replace(s, large=True) for s in found]
    return [*found, *hurry, *large, *(s for language in Language for _, s in gallery(language))]


# --- every screen ---------------------------------------------------------------


def test_the_examples_cover_every_state() -> None:
    kinds = {type(state) for state in every_state()}
    assert kinds == set(get_args(State))


def test_what_is_offered_is_shown_and_what_is_shown_is_offered() -> None:
    for found in walk():
        screen = view(found, NOW, FACTS)
        other = Button.LANGUAGE_EN if found.language is Language.ZH else Button.LANGUAGE_ZH
        more = [Button.MORE_TIME] if found.warned else []
        again = [Button.REPEAT] if screen.spoken else []
        expected = [*machine.offered(found.state), Button.LARGE_PRINT, other, *more, *again]
        posted = [choice.button for choice in screen.buttons]
        assert sorted(b.value for b in posted) == sorted(b.value for b in expected), screen.name


def test_at_most_three_main_choices() -> None:
    assert max(len(view(found, NOW, FACTS).choices) for found in walk()) == 3


def test_every_button_has_words_and_no_two_on_a_screen_have_the_same() -> None:
    for found in walk():
        labels = [choice.label for choice in view(found, NOW, FACTS).buttons]
        assert all(labels)
        assert len(set(labels)) == len(labels)


STAFF_SEES = AssistCard | AssistConfirm | AssistChoice | AssistReasons | Vouching | Enrolling


def test_every_screen_but_home_and_those_of_staff_is_spoken() -> None:
    for found in walk():
        screen = view(found, NOW, FACTS)
        if isinstance(found.state, StaffState | STAFF_SEES):
            sample = screen.name == "service_sound"
            assert bool(screen.spoken) == (sample or found.warned), screen.name
        else:
            assert screen.spoken or screen.name == "home"


def test_the_voice_does_not_repeat_itself_while_seconds_pass() -> None:
    for found in walk():
        later = MonoNs(NOW + 3 * NS_PER_S)
        assert view(found, NOW, FACTS).spoken == view(found, later, FACTS).spoken


def test_the_simulated_band_stands_on_every_screen_and_on_no_real_one() -> None:
    real = replace(FACTS, simulated=False)
    for found in walk():
        assert view(found, NOW, FACTS).band == SIMULATED_BAND == "模拟设备 SIMULATED"
        assert view(found, NOW, real).band == ""


def test_nobody_is_accused_or_called_dead() -> None:
    forbidden = re.compile(
        r"作假|造假|假冒|冒充|欺诈|攻击|死|亡|问责|\b(fraud|fake|dead|death|cheat|attack)"
    )
    for found in walk():
        screen = view(found, NOW, FACTS)
        assert not forbidden.search("\n".join([*texts(screen), screen.spoken]).lower())


def test_name_and_number_are_masked_until_revealed_and_never_spoken_or_in_a_repr() -> None:
    for found in walk():
        screen = view(found, NOW, FACTS)
        revealed = isinstance(found.state, Confirming | AssistConfirm) and found.state.revealed
        read = "\n".join(texts(screen))
        assert (NAME in read, NUMBER in read) == (revealed, revealed)
        assert NAME not in screen.spoken
        assert NUMBER not in screen.spoken
        assert NAME not in repr(screen)
        assert NUMBER not in repr(screen)


def test_the_camera_is_shown_while_it_watches_and_the_picture_only_in_the_review() -> None:
    for found in walk():
        screen = view(found, NOW, FACTS)
        assert screen.shows_preview == (screen.name in ("watch", "service_camera", "scan_camera"))
        assert screen.shows_portrait == (screen.name in ("review", "enrol_review"))


# --- the strings of the source ---------------------------------------------------

VERBATIM = {
    "STR01": ("await_card", ["请刷二代身份证"], ["Please swipe your second-generation ID card"]),
    "STR02": ("choose", ["请选择服务功能"], ["Please choose a function"]),
    "STR03": ("choose", ["生存验证申请", "生存验证历史"], ["Apply", "History"]),
    "STR04": ("watch_frame", ["请拍摄生存验证图片"], ["Please take the verification picture"]),
    "STR05": (
        "watch_frame",
        ["请调整摄像头位置，使摄像头可以完整地拍摄到您的脸"],
        ["Adjust the camera so it sees your whole face"],
    ),
    "STR06": (
        "watch_frame",
        ["终端会自动进行拍摄，请在完成拍摄后提交验证申请。"],
        ["The terminal shoots by itself; submit afterwards"],
    ),
    "STR07": ("watch_up", ["请抬头"], ["Raise your head"]),
    "STR08": ("review", ["重新拍摄", "提交"], ["Shoot again", "Submit"]),
    "STR09": ("finished", ["验证成功。"], ["Verified"]),
    "STR10": ("finished", ["回执打印成功，请取走回执。"], ["Receipt printed, please take it"]),
    "STR11": ("choose", ["上一步", "返回首页", "帮助"], ["Previous", "Home", "Help"]),
    "STR11 leave": ("finished", ["退出"], ["Leave"]),
    "STR12": ("choose", ["剩余299秒"], ["299 seconds left"]),
    "STR13": ("turned_not_found", ["未查到该对象认证信息!"], ["No record found for this person"]),
    "STR14": ("finished", ["生存认证记录保存成功!"], ["Record saved"]),
    "K04": ("home", ["离退休人员生存验证"], []),
    "K08 K10": ("await_card", ["操作说明", "返回首页", "扫描条码"], []),
    "K12": ("confirm", ["欢迎使用市民之窗服务终端系统！"], []),
    "K13 K14": ("confirm", ["姓名", "性别", "女", "身份证号", "进入"], []),
    "K19 K20": ("choose", ["终端 0001", "扫描二维码"], []),
    "K24": (
        "watch_frame",
        [
            "温馨提示：请将脸对准屏幕上方的摄像头，然后根据语音提示指引，做出相应动作，"
            "完成动作后请注视摄像头。"
        ],
        [],
    ),
    "K34": ("finished", ["提交结果"], []),
    "K37": ("finished", ["温馨提示：请查看以上信息。"], []),
    "E01": ("await_card_again", ["没有读到身份证，请把卡平放在感应区"], []),
    "E02": ("confirm_expired", ["身份证已过期，可以继续，请尽快换证"], []),
    "E04": ("turned_already_done", ["您本年度已完成", "下次请在2027年3月前办理"], []),
    "E09": ("retry_exhausted", ["没有比对成功，不影响您的待遇，工作人员会帮您"], []),
    "E10": ("confirm", ["叫工作人员"], ["Call staff"]),
    "E11": ("finished_offline", ["已受理，待上传", "验证成功。"], []),
    "E12": ("finished_no_paper", ["回执未能打印，办理结果有效", "回执编号：K1-000042"], []),
    "NEEDS_REVIEW": ("finished_review", ["已受理，工作人员会核实，不影响您的待遇"], []),
    "DECLINED": ("finished_declined", ["已为您登记人工办理", "您的号码：1-07"], []),
    "CALLED": ("finished_called", ["已为您叫工作人员，请稍候", "您的号码：1-07"], []),
    "STR15 M08": ("who_for", ["生存认证选择", "请您进行生存认证"], []),
    "STR15 M09 M10": (
        "who_for",
        ["本人生存认证 · 去验证", "帮亲友进行生存认证 · 去验证"],
        ["Myself · Go", "A relative or friend · Go"],
    ),
    "E03": (
        "turned_not_found_printed",
        ["未查到该对象认证信息!", "温馨提示：咨询单已打印，请取走。"],
        [],
    ),
    "paper": ("finished_printing", ["正在打印回执…"], []),
    "consent": ("consent", ["刷脸办理须知", "同意刷脸", "不刷脸，人工办理"], []),
}


@pytest.mark.parametrize("item", VERBATIM)
def test_strings_stand_where_the_source_has_them(item: str) -> None:
    name, chinese, english = VERBATIM[item]
    state = states()[name]
    assert set(chinese) <= set(texts(shown(state)))
    assert set(english) <= set(texts(shown(state, Language.EN)))


MOVEMENTS = {
    Prompt.UP: ("请抬头", "Raise your head"),
    Prompt.DOWN: ("请低头", "Lower your head"),
    Prompt.LEFT: ("请向左转头", "Turn your head to the left"),
    Prompt.RIGHT: ("请向右转头", "Turn your head to the right"),
    Prompt.MOUTH: ("请张嘴", "Open your mouth"),
    Prompt.BLINK: ("请眨眼", "Blink"),
    Prompt.LOOK_AHEAD: ("请看摄像头，保持不动", "Look at the camera and hold still"),
}


@pytest.mark.parametrize("prompt", MOVEMENTS)
def test_k27_k28_the_movement_takes_the_top_of_the_screen_and_is_spoken(prompt: Prompt) -> None:
    for language, words in zip(Language, MOVEMENTS[prompt], strict=True):
        screen = shown(watching(prompt), language)
        assert screen.prompt == screen.headline == screen.spoken == words


def test_str10_is_said_only_when_the_printer_confirmed() -> None:
    said = 0
    for found in walk():
        screen = view(found, NOW, FACTS)
        claims = "打印成功" in str(texts(screen)) or "Receipt printed" in str(texts(screen))
        again = isinstance(found.state, Reprinting) and found.state.news is CopyNews.PRINTED
        first = isinstance(found.state, Finished) and found.state.paper is PaperNews.PRINTED
        choosing = isinstance(found.state, Choosing | Confirming) and not found.warned
        result = found.state.visit.result if choosing else None  # type: ignore[union-attr]
        printed = first or again or (result is not None and result.paper is PaperNews.PRINTED)
        assert claims == printed
        assert ("打印成功" in screen.spoken or "printed," in screen.spoken) <= printed
        said += claims
    assert said


def test_success_is_said_only_of_a_record_that_passed() -> None:
    for found in walk():
        done = isinstance(found.state, Finished) and found.state.record.outcome is Outcome.PASSED
        assert ("验证成功。" in texts(view(found, NOW, FACTS))) == (
            done and found.language is Language.ZH
        )


# --- the frame --------------------------------------------------------------------


def footer_labels(screen: Screen) -> list[str]:
    return [choice.label for choice in screen.footer.buttons]


def test_k19_footer_of_the_choice_and_k26_of_the_camera_without_a_step_back() -> None:
    choose, watch = shown(Choosing(VISIT)), shown(watching(Prompt.UP))
    assert footer_labels(choose) == ["上一步", "帮助", "返回首页", "叫工作人员", "扫描二维码"]
    assert footer_labels(watch) == [*footer_labels(choose)[1:], "身体不便"]
    assert footer_labels(shown(finished(Outcome.PASSED))) == footer_labels(choose)
    waiting = shown(finished(Outcome.CALLED))
    assert footer_labels(waiting) == ["帮助", "返回首页", "扫描二维码"]
    assert watch.footer.time_left == "剩余299秒"


@pytest.mark.parametrize(
    "state",
    [
        *(Confirming(VISIT), Choosing(VISIT), ShowingHistory(VISIT), Consenting(VISIT)),
        Reviewing(VISIT, verdict()),
        *(Retrying(VISIT, verdict(live=False), done) for done in (False, True)),
        *(finished(Outcome.PASSED, paper) for paper in PaperNews),
    ],
)
def test_from_every_screen_after_the_card_a_step_back_help_home_and_a_person(state: State) -> None:
    """All but the camera's (K26), the one where nothing can be taken again, and where one waits."""
    screen = shown(state)
    keys = {choice.button for choice in (*screen.footer.buttons, *screen.choices)}
    assert {Button.BACK, Button.HELP, Button.HOME, Button.CALL_STAFF} <= keys
    assert Button.BACK in [choice.button for choice in screen.footer.buttons]


@pytest.mark.parametrize("paper", PaperNews)
def test_who_goes_on_from_their_result_still_hears_of_the_paper(paper: PaperNews) -> None:
    came = replace(VISIT, result=finished(Outcome.PASSED, paper))
    for state in (Choosing(came), Confirming(came)):
        screen = shown(state)
        result = shown(finished(Outcome.PASSED, paper))
        assert screen.spoken in result.spoken
        assert screen.spoken in screen.hint


@LANGUAGES
def test_k40_time_left_runs_from_299_to_0(language: Language) -> None:
    lasting = session(Choosing(VISIT), language)
    assert lasting.deadline_ns is not None
    seen = []
    for passed_s in (0, 0.001, 1, 150, 299, 299.999, 300, 400):
        now = MonoNs(NOW + int(passed_s * NS_PER_S))
        seen.append(int(re.sub(r"\D", "", view(lasting, now, FACTS).footer.time_left)))
    assert seen == [299, 299, 298, 149, 0, 0, 0, 0]


def test_k11_no_time_is_shown_while_the_card_is_dealt_with_until_it_runs_out() -> None:
    for state in (AwaitingCard(), Confirming(VISIT)):
        assert shown(state).footer.time_left == ""
        assert view(hurried(state), NOW, FACTS).footer.time_left == "剩余19秒"
    assert shown(Home()).footer.time_left == ""


@LANGUAGES
def test_e15_the_last_half_minute_is_spoken_and_has_a_button(language: Language) -> None:
    screen = view(hurried(Choosing(VISIT), language), NOW, FACTS)
    assert screen.more_time is not None
    assert screen.more_time.button is Button.MORE_TIME
    assert (
        screen.more_time.label == {"zh": "我还需要时间", "en": "I need more time"}[language.value]
    )
    assert screen.more_time.label in screen.spoken
    assert screen.spoken in screen.hint
    assert screen.footer.urgent
    assert shown(Choosing(VISIT), language).more_time is None


@pytest.mark.parametrize("state", [Home(), finished(Outcome.PASSED)])
def test_e16_a_card_left_behind_is_shown_and_said(state: State) -> None:
    left, taken = shown(state, card_lies=True), shown(state)
    assert left.advice == "请取走您的身份证"
    assert "请取走您的身份证" in left.spoken
    assert taken.advice == ""
    assert "请取走您的身份证" not in taken.spoken


def test_a_device_that_is_lost_is_said_on_the_first_screen_the_most_important_two() -> None:
    lost = ("camera", "panel", "printer", "scanner", "voice")
    told = shown(Home(), lost=lost).lines[:-2]
    assert told == (text(Language.ZH, "lost.camera"), text(Language.ZH, "lost.printer"))
    assert shown(Home(), lost=("voice",)).lines[:-2] == (text(Language.ZH, "lost.voice"),)
    assert shown(Home(), lost=("disk", "card_reader")).lines[:-2] == ()


def test_help_leads_back_with_the_largest_button() -> None:
    for topic in Topic:
        screen = shown(Informing(topic, Choosing(VISIT)))
        assert screen.choices[0].button is Button.BACK
        assert screen.choices[0].weight is Weight.MAIN
        assert footer_labels(screen) == ["返回首页", "叫工作人员"]


def test_e13_where_else_it_can_be_done_is_told_where_this_kiosk_cannot_and_nowhere_else() -> None:
    named = {
        why for why in Why if any("柳荫社区" in line for line in shown(Turned(why, VISIT)).lines)
    }
    broken = {Why.READER_DOWN, Why.CAMERA_DOWN, Why.STORE_DOWN, Why.OUT_OF_SERVICE}
    assert named == {*broken, Why.CARD_UNREADABLE}
    alone = view(session(Turned(Why.READER_DOWN)), NOW, replace(FACTS, nearest=""))
    assert not any("终端：" in line for line in alone.lines), "unknown is not said"


@pytest.mark.parametrize("why", [w for w in Why if w is not Why.ALREADY_DONE])
def test_e03_e13_a_turned_person_learns_where_to_ask(why: Why) -> None:
    for visit in (None, VISIT):
        screen = shown(Turned(why, visit))
        assert any(FACTS.office in line and FACTS.phone in line for line in screen.lines)


@pytest.mark.parametrize(
    ("look", "word"), [("service_menu_well", "已连接"), ("service_menu", "没有连接")]
)
def test_staff_see_when_the_centre_was_last_heard_connected_or_not(look: str, word: str) -> None:
    fields = dict(view(dict(gallery(Language.ZH))[look], NOW, FACTS).fields)
    assert fields["登记中心"].startswith(word)
    assert fields["登记中心"].endswith("2026-11-23 10:00")


def test_a_hint_of_the_check_goes_before_the_prompt() -> None:
    screen = shown(states()["watch_up_hint"])
    assert isinstance(states()["watch_up_hint"], Watching)
    assert screen.prompt == "请抬头"
    assert screen.advice == screen.spoken == "请靠近一点"


# --- consent ------------------------------------------------------------------------


@LANGUAGES
def test_the_consent_text_is_what_the_screen_shows(language: Language) -> None:
    screen = shown(Consenting(VISIT), language)
    said = consent_text(language, FACTS)
    labels = [choice.label for choice in screen.choices]
    assert said.words == "\n".join([screen.title, *screen.lines, *labels])
    assert len(said.sha256) == 64
    assert said.version == "1"


def test_the_consent_hash_depends_on_every_word() -> None:
    first = consent_text(Language.ZH, FACTS).sha256
    other = consent_text(Language.ZH, replace(FACTS, phone="12345")).sha256
    assert len({first, other, consent_text(Language.EN, FACTS).sha256}) == 3


def test_consent_has_five_short_lines_and_two_equal_buttons() -> None:
    screen = shown(Consenting(VISIT))
    assert len(screen.lines) == 5
    assert max(map(len, screen.lines)) < 25
    assert FACTS.agency_name in screen.lines[0]
    assert FACTS.phone in screen.lines[0]
    assert "现场人脸，只和您的身份证照片比" in screen.lines[2]
    assert "比对后立即删除" in screen.lines[3]
    assert "随时可撤回" in screen.lines[4]
    assert [choice.weight for choice in screen.choices] == [Weight.EQUAL, Weight.EQUAL]
    assert all(line in screen.spoken for line in screen.lines)
