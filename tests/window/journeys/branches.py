"""E01 to E17: what the source documents leave out, each once on the glass."""

from __future__ import annotations

from datetime import date

from edge.domain.challenge import Hint, Prompt
from edge.domain.timebase import ClockTrust
from edge.drivers.sim.printer import Fault
from tests.own_world import HELD
from tests.window.journeys.hall import NEAREST, TODAY, Journeys, Kiosk
from tests.window.journeys.residents import to_consent, to_review

journey = Journeys()

DONE = {"certified_on": TODAY, "due_by": date(TODAY.year + 1, 12, 31)}
UNREAD = "没有读到身份证，请把卡平放在感应区"


def to_finish(k: Kiosk) -> None:
    to_consent(k)
    to_review(k)
    k.touch("提交")


@journey("E01 身份证读不出来：三次以后找工作人员")
def e01_card_not_read(k: Kiosk) -> None:
    k.touch("离退休人员生存验证", "本人生存认证 · 去验证")
    k.see("await_card", "请刷二代身份证")
    k.world.sam.fault("sw3", times=None, on="3001", value=0x41)
    for number in (1, 2):
        k.lay()
        k.until(lambda seen=number: k.runner.session().state.failures == seen, "the try counted")
        k.see("await_card", UNREAD, title=f"第{number}次没有读出来", serves="E01")
        k.hear(UNREAD)
        k.world.sam.lift()
    k.lay()
    k.see("turned_card_unreadable", "身份证没有读出来", "找工作人员办理", serves="E01")
    k.world.sam.clear_faults()
    k.lift()
    k.touch("找工作人员办理")
    k.see("finished", "已为您叫工作人员，请稍候", serves="E01")


@journey("E01 十五秒没有放身份证：再说一遍，三次以后找工作人员")
def e01_no_card_in_time(k: Kiosk) -> None:
    k.touch("离退休人员生存验证", "本人生存认证 · 去验证")
    k.see("await_card", "请刷二代身份证")
    for _ in range(2):
        k.hall.heard.clear()
        k.skip(15)
        k.see("await_card", UNREAD, title="十五秒过去了", serves="E01")
        k.hear(UNREAD)
    k.skip(15)
    k.see("turned_card_unreadable", "找工作人员办理", title="第三次", serves="E01")
    k.lay()
    k.see("confirm", title="现在放上，照样办理", serves="E01")


@journey("E02 身份证过期：可以继续", card={"valid_to": date(2020, 1, 1)})
def e02_expired_card(k: Kiosk) -> None:
    k.lay()
    k.see("confirm", "身份证已过期，可以继续，请尽快换证", serves="E02")
    k.touch("进入", "生存验证申请")
    to_review(k)
    k.touch("提交")
    k.see("finished", "验证成功。", serves="E02")
    (record,) = k.centre.records()
    assert "expired" in record.flags


@journey("E03 名单上没有，中心也没有", known=False)
def e03_not_found(k: Kiosk) -> None:
    k.lay()
    k.see("asking_registry", "正在问中心", title="问中心", serves="E03")
    k.centre.answers_who(None)
    k.see("turned_not_found", "未查到该对象认证信息!", "咨询，电话", "咨询单已打印，请取走。",
          serves="E03 M11 M12 STR13")  # fmt: skip
    k.read_paper("咨询单", "未查到该对象认证信息!", "电话")


@journey("E03 名单上没有，中心知道这个人（别处的，或共同生活成员）", known=False)
def e03_known_elsewhere(k: Kiosk) -> None:
    k.lay()
    k.see("asking_registry", serves="K02 M11")
    k.centre.answers_who(k.expected())
    k.see("confirm", "王*华", title="可以办理", serves="K02 M11 M13")


@journey("E04 本年度已办：告诉日期，可以补打", entry=DONE)
def e04_already_done(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.touch("进入", "生存验证申请")
    k.see("turned_already_done", "您本年度已完成", "您已于", "下次请在", "补打回执", serves="E04")
    k.touch("补打回执")
    k.see("history", "已认证", serves="E04 STR17", title="先确认是本人")
    k.touch("刷脸确认是我", "同意刷脸")
    k.see("watch")
    k.eyes.end("passed")
    k.centre.answers_history(HELD)
    k.see("mine_papers", "补打回执")
    k.touch("补打回执")
    k.see("reprint_gone", "这里没有这张回执的存底", title="在别处办的：没有存底", serves="E04")


@journey("E05 信息需要工作人员核对：中性的话", entry={"to_staff": True})
def e05_staff_look_first(k: Kiosk) -> None:
    k.lay()
    k.see("confirm", "王*华")
    k.touch("进入")
    drawn = k.see("finished", "信息需要工作人员核对，请稍候", "您的号码：", serves="E05")
    assert not any(word in text for text in drawn.texts for word in ("死", "亡", "故"))
    assert k.eyes.opened == 0


@journey("E06 画面不对：一次只说一件")
def e06_one_plain_instruction(k: Kiosk) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    k.see("watch")
    for hint, words in (
        (Hint.NO_FACE, "没有看到您的脸，请正对屏幕上方的摄像头"),
        (Hint.TWO_FACES, "请只留一个人在摄像头前"),
        (Hint.BACKLIGHT, "您身后的光太强，请换个位置"),
        (Hint.TOO_FAR, "请靠近一点"),
        (Hint.TOO_DARK, "光线有点暗，请面向亮的地方"),
        (Hint.COVERED, "请露出整张脸，不要挡住摄像头"),
    ):
        k.eyes.miss(hint)
        k.see("watch", words, serves="E06")
        k.hear(words)
    k.eyes.end("passed")
    k.see("review")


@journey("E07 动作没有做完：慢一点，换一个动作")
def e07_not_in_time(k: Kiosk) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    k.see("watch")
    k.until(lambda: k.eyes.order, "a try")
    missed = k.eyes.order.actions[0]
    k.eyes.ask(Prompt.of(missed), 0)
    k.eyes.ask(Prompt.of(missed), 0, Hint.AGAIN)
    k.see("watch", "不着急，请慢慢再做一次", serves="E07")
    k.eyes.end("timed_out")
    k.see("retry", "这次没有完成，不要紧", "动作还没有全部做完。不着急，可以慢慢来。",
          "不影响您的待遇。", serves="E07")  # fmt: skip
    first = k.eyes.order
    k.touch("再试一次")
    k.see("watch", title="慢一点，换一个动作", serves="E07")
    k.until(lambda: k.eyes.order is not first, "another try")
    assert k.eyes.order.slow
    assert missed not in k.eyes.order.actions
    k.eyes.end("passed")
    k.see("review")


@journey("E08 看不准是不是真人：三次以后找工作人员")
def e08_liveness_doubtful(k: Kiosk) -> None:
    three_tries(k, "flat", "没有看清楚您的脸", "E08")
    k.touch("提交，由工作人员核实")
    k.see("finished", "已受理，工作人员会核实，不影响您的待遇", serves="E08")
    (record,) = k.centre.records()
    assert (record.outcome, record.attempts) == ("needs_review", 3)


@journey("E09 没有比对成功：三次以后找工作人员，没有指责")
def e09_face_differs(k: Kiosk) -> None:
    three_tries(k, "unlike", "这次没有比对成功", "E09")
    k.touch("找工作人员办理")
    k.see("finished", "已为您叫工作人员，请稍候", "您的号码：", serves="E09")


def three_tries(k: Kiosk, result: str, reason: str, serves: str) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    for number in (1, 2, 3):
        k.see("watch", title=f"第{number}次")
        k.eyes.end(result)
        if number < 3:
            k.see("retry", reason, "不影响您的待遇。", serves=serves)
            k.touch("再试一次")
    k.see("retry_exhausted", "没有比对成功，不影响您的待遇，工作人员会帮您", serves=serves)


@journey("E11 没有网络：照样办完，已受理，待上传", link=False)
def e11_network_down(k: Kiosk) -> None:
    to_finish(k)
    k.see("finished", "验证成功。", "已受理，待上传", serves="E11")
    k.hear("网络恢复后会自动上传，您不用再来。")
    k.read_paper("验证成功。", "已受理，待上传")
    k.lift()
    k.see("finished", "网络恢复后会自动上传，您不用再来。", title="取走身份证以后", serves="E11")


@journey("E12 没有纸：结果有效，码在屏幕上，以后补打", paper=False, scanner="sim")
def e12_no_paper(k: Kiosk) -> None:
    to_finish(k)
    k.see("finished", "验证成功。", "回执未能打印，办理结果有效", "请用手机拍下二维码",
          "回执编号：", serves="E12")  # fmt: skip
    code = k.runner.session().state.code  # type: ignore[union-attr]
    k.lift()
    k.touch("退出")
    k.see("home", "打印机暂时不能用", title="首页先说明", serves="E12")
    k.world.printer.clear(Fault.PAPER_OUT)
    k.touch("扫描二维码")
    k.see("scan")
    k.scan(code)
    k.see("code_genuine", "核验通过，这张回执是真的", title="扫手机里的码", serves="E12")
    k.touch("补打回执")
    k.see("reprint_card")
    k.lay()
    k.see("reprint_printed", "回执打印成功，请取走回执。", title="补打好了", serves="E12 STR10")


@journey("E12 打印到一半卡住")
def e12_jam_in_the_middle(k: Kiosk) -> None:
    k.world.printer.add(Fault.CUTTER_JAM_AT_CUT)
    to_finish(k)
    k.see("finished", "验证成功。", "回执未能打印，办理结果有效", serves="E12")


@journey("E12 机盖开着")
def e12_cover_open(k: Kiosk) -> None:
    k.world.printer.add(Fault.COVER_OPEN)
    to_finish(k)
    k.see("finished", "回执未能打印，办理结果有效", serves="E12")


@journey("E13 读卡器坏了，又好了")
def e13_dead_reader(k: Kiosk) -> None:
    k.see("home")
    k.world.sam.vanish()
    k.see(
        "turned_reader_down",
        "本机暂时不能读身份证",
        NEAREST,
        "找工作人员办理",
        serves="E13",
    )
    k.world.sam.come_back()
    k.see("home", title="自己好了", serves="E13")


@journey("E13 摄像头坏了")
def e13_dead_camera(k: Kiosk) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    k.see("watch")
    k.eyes.break_down()
    k.see(
        "turned_camera_down",
        "本机摄像头暂时不能使用",
        "不影响您的待遇",
        "找工作人员办理",
        serves="E13",
    )
    k.touch("退出")
    k.lift()
    k.see("home", "摄像头暂时不能用，请找工作人员办理。", title="首页先说明", serves="E13")


@journey("E15 剩余30秒：说一声，摸一下就有更多时间；不摸就清空")
def e15_time_runs_out(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.touch("进入")
    k.see("choose")
    k.skip(271)
    k.see("choose", "我还需要时间", "时间快到了", serves="E15 K40")
    k.hear("时间快到了")
    k.touch_nothing()
    k.see("choose", "剩余29", title="摸一下，重新计时", serves="E15")
    assert not k.says("时间快到了")
    k.skip(271)
    k.see("choose", "我还需要时间")
    k.touch("我还需要时间")
    k.see("choose", "剩余29", title="按大按钮也一样", serves="E15")
    k.skip(271)
    k.see("choose", "我还需要时间")
    k.skip(31)
    k.see("home", title="到时间：清空", serves="K41")
    assert not k.says("王")
    assert k.glass.portrait() is None


@journey("E16 身份证忘在读卡器上：一直提醒到取走")
def e16_card_left(k: Kiosk) -> None:
    to_finish(k)
    k.see("finished", "请取走您的身份证", serves="E16")
    k.hear("请取走您的身份证")
    k.touch("退出")
    k.see("home", "请取走您的身份证", title="首页也提醒", serves="E16")
    k.hear("请取走您的身份证")
    k.hall.heard.clear()
    k.skip(15)
    k.hear("请取走您的身份证")
    k.lift()
    k.see("home", title="取走了")
    assert not k.says("请取走您的身份证")


@journey("E17 时钟不可靠：照办，纸上不写时间", trust=ClockTrust.UNKNOWN)
def e17_clock_unsure(k: Kiosk) -> None:
    to_finish(k)
    k.see("finished", "验证成功。", serves="E17")
    k.read_paper("办理时间：待核实")
    (record,) = k.centre.records()
    assert record.finished["trust"] == "unknown"
