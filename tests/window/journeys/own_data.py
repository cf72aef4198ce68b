"""我的信息 and 生存验证历史: what is kept of somebody, shown to that person alone."""

from __future__ import annotations

import json

from edge.wire import messages
from tests.own_world import HELD
from tests.window.journeys.hall import Journeys, Kiosk

journey = Journeys()


def to_choice(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.touch("进入")
    k.see("choose", "请选择服务功能")


def prove(k: Kiosk, result: str = "passed") -> None:
    """From this year's page through the camera; what is filed first is filed."""
    k.touch("刷脸确认是我")
    k.see("consent", "只给您看", title="为看自己的信息刷脸：须知")
    k.touch("同意刷脸")
    k.see("watch", "不保存")
    k.eyes.end(result)


def to_menu(k: Kiosk) -> None:
    to_choice(k)
    k.touch("我的信息")
    k.see(
        "history", "我的信息", "本年度", "只凭身份证，只显示本年度", title="只凭身份证，只见本年度"
    )
    prove(k)
    k.see("asking_mine", "正在向中心查询您的记录…")
    k.centre.answers_history(HELD)
    k.see("mine_menu", "已确认是您本人，请选择。")


@journey("生存验证历史：先确认是本人，再看历年")
def k17_history_of_past_years(k: Kiosk) -> None:
    to_choice(k)
    k.touch("生存验证历史")
    k.see("history", "生存验证历史", "本年度", "未认证", serves="K17 STR03 STR17")
    prove(k)
    k.centre.answers_history(HELD)
    k.see("mine_history", "生存验证历史（1/2）", "自助终端", "上门核实", serves="K17")
    k.touch("更早的记录")
    k.see("mine_history", "生存验证历史（2/2）", title="第二页")
    k.touch("最新的记录", "上一步")
    k.see("choose")
    assert len(k.centre.received(messages.MATTER)) == 1, "the look itself is written down"
    assert k.centre.records() == []


@journey("历史，连不上中心：说实话", link=False)
def k17_history_offline(k: Kiosk) -> None:
    to_choice(k)
    k.touch("生存验证历史")
    k.see("history", "本年度")
    prove(k)
    k.see("mine_no_history", "现在联系不上中心，看不到全部记录，请稍后再试。", serves="K17")
    k.centre.link()
    k.touch("再试一次")
    k.centre.answers_history(HELD)
    k.see("mine_history", "生存验证历史（1/2）", title="网络回来了")


@journey("我的信息：看、打印、更正、撤回")
def feature_22_my_information(k: Kiosk) -> None:
    to_menu(k)
    k.touch("看我的信息")
    k.see("mine_data", "登记的信息", "离退休", "桂园街道桂园社区", "5条")
    k.touch("看历年记录")
    k.see("mine_history", "生存验证历史（1/2）")
    k.touch("上一步", "上一步", "打印或更正")
    k.see("mine_papers", "请选择要办的事")
    k.touch("打印我的信息")
    k.see("mine_print", "已经打印，请取走。")
    assert "王建华" not in k.read_paper("登记信息清单")
    k.touch("上一步", "信息不对，要更正")
    k.see("mine_correct", "哪一项不对？")
    k.touch("出生日期")
    k.see("mine_sure", "要更正：出生日期")
    k.touch("确定要更正")
    k.see("mine_filed", "已登记，工作人员会和您核对", "登记编号：", "凭条已打印，请取走。")
    matters = [json.loads(body)["kind"] for body in k.centre.received(messages.MATTER)]
    assert matters == ["access", "correction"]
    k.touch("上一步", "撤回刷脸信息")
    k.see("mine_withdraw", "确定撤回")
    k.touch("确定撤回")
    k.see(
        "mine_withdrawn", "已按您的要求删除", "本机没有保存您的人脸特征。", "凭条已打印，请取走。"
    )
    assert len(k.centre.received(messages.TEMPLATE)) == 1
    k.touch("返回首页")
    k.lift()
    k.see("home")
    assert not k.says("王")


@journey("不是本人：什么也看不到，没有指责")
def feature_22_somebody_elses_card(k: Kiosk) -> None:
    to_choice(k)
    k.touch("我的信息")
    k.see("history", "本年度")
    prove(k, "unlike")
    k.see("retry", "这次没有比对成功", "不影响您的待遇。")
    for _ in range(2):
        k.touch("再试一次")
        k.see("watch")
        k.eyes.end("unlike")
        k.see("retry" if _ == 0 else "turned_not_proven", title="又没有比对成功")
    k.see("turned_not_proven", "请工作人员帮您查看", "这次没有确认成功，不影响您的待遇。")
    assert len(k.centre.received(messages.MATTER)) == 1


@journey("大字时，办完一件再补打一张回执")
def e04_reprints_the_newest_receipt(k: Kiosk) -> None:
    to_choice(k)
    k.touch("生存验证申请", "同意刷脸")
    k.see("watch")
    k.eyes.end("passed")
    k.touch("提交")
    k.see("finished", "回执打印成功，请取走回执。")
    k.lift()
    k.touch("退出")
    k.see("home")
    to_menu(k)
    k.touch("打印或更正", "补打回执")
    k.see("reprint_printed", "回执打印成功，请取走回执。", title="补打好了", serves="E04")
    k.read_paper("补打的回执（副本）")
