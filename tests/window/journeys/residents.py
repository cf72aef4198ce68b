"""Somebody who comes for themselves."""

from __future__ import annotations

from edge.domain.challenge import Action, Prompt
from tests.window.journeys.hall import Journeys, Kiosk

journey = Journeys()


def to_consent(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.touch("进入", "生存验证申请")
    k.see("consent", "刷脸办理须知")


def to_review(k: Kiosk, result: str = "passed") -> None:
    k.touch("同意刷脸")
    k.see("watch")
    k.eyes.end(result)
    k.see("review")


@journey("本人办理：从首页到回执")
def k01_good_day(k: Kiosk) -> None:
    k.see("home", "离退休人员生存验证", "生存认证（本服务免费）", "服务热线", "使用指引",
          "问卷调查", "投诉反馈", "English", "大字", serves="K01 K04 K05 M01 M06 M07")  # fmt: skip
    k.touch("离退休人员生存验证")
    k.see("who_for", "生存认证选择", "请您进行生存认证", "本人生存认证 · 去验证",
          "帮亲友进行生存认证 · 去验证", serves="M08 M09 M10 STR15")  # fmt: skip
    k.touch("本人生存认证 · 去验证")
    drawn = k.see("await_card", "请刷二代身份证", "身份证感应区", "操作说明", "返回首页",
                  "扫描条码", serves="K06 K07 K08 K09 K10 K11 STR01")  # fmt: skip
    assert not any("剩余" in text for text in drawn.texts), "K11: no countdown here"
    k.lay()
    k.see("confirm", "欢迎使用市民之窗服务终端系统！", "姓名", "性别", "身份证号", "王*华",
          "100000********0010", "进入", serves="K12 K13 K14")  # fmt: skip
    k.touch("显示完整信息")
    k.see("confirm", "王建华", "100000194508150010", title="显示完整信息", serves="K13")
    k.touch("进入")
    k.see("choose", "请选择服务功能", "生存验证申请", "生存验证历史", "查看您的历年验证记录",
          "上一步", "帮助", "返回首页", "扫描二维码", "剩余2", "终端 001",
          serves="K15 K16 K17 K18 K19 K20 K40 STR02 STR03 STR11 STR12")  # fmt: skip
    k.touch("生存验证申请")
    k.see("consent", "刷脸办理须知", "同意刷脸", "不刷脸，人工办理", title="刷脸办理须知")
    assert k.eyes.opened == 0, "no frame before consent"
    k.touch("同意刷脸")
    drawn = k.see("watch", "请拍摄生存验证图片", "请调整摄像头位置，使摄像头可以完整地拍摄到您的脸",
                  "终端会自动进行拍摄，请在完成拍摄后提交验证申请。",
                  "请将脸对准屏幕上方的摄像头，然后根据语音提示指引，做出相应动作，完成动作后请注视摄像头。",
                  serves="K21 K22 K23 K24 K25 K26 STR04 STR05 STR06")  # fmt: skip
    assert "上一步" not in [button.label for button in drawn.buttons], "K26"
    k.eyes.ask(Prompt.UP)
    k.see("watch", "请抬头", serves="K27 K28 K30 STR07", title="请抬头")
    k.hear("请抬头")
    k.eyes.ask(Prompt.LOOK_AHEAD, 4)
    k.see("watch", "请看摄像头", serves="K29", title="最后看摄像头")
    k.eyes.end("passed")
    k.see("review", "重新拍摄", "提交", serves="K31 K32 K33 STR08", title="看一看图片")
    assert k.centre.received() == [], "K32: nothing before 提交"
    k.touch("提交")
    k.see("finished", "提交结果", "验证成功。", "生存认证记录保存成功!",
          "回执打印成功，请取走回执。", "退出", "帮助", "剩余2",
          serves="K34 K35 K36 K38 K39 M14 STR09 STR10 STR14")  # fmt: skip
    k.read_paper("生存认证回执", "王*华", "验证成功。", "下次办理")
    k.lift()
    k.see("finished", "温馨提示", "请查看以上信息。", serves="K37", title="取走身份证以后")
    k.touch("退出")
    k.see("home", title="回到首页", serves="K38")
    assert not k.says("王")
    (record,) = k.centre.records()
    assert record.outcome == "passed"


@journey("没有同意刷脸：直接转人工")
def e10_declines_the_face(k: Kiosk) -> None:
    to_consent(k)
    k.touch("不刷脸，人工办理")
    k.see(
        "finished", "已为您登记人工办理", "您的号码：", "回执打印成功，请取走回执。", serves="E10"
    )
    k.read_paper("不刷脸，人工办理", "号")
    assert k.eyes.opened == 0
    k.see("finished", "请取走您的身份证", title="还放着身份证", serves="E16")
    k.lift()
    k.touch("退出")
    k.see("home")


@journey("看了图片，重新拍摄")
def k31_shoots_again(k: Kiosk) -> None:
    to_consent(k)
    to_review(k)
    first = k.eyes.order
    k.touch("重新拍摄")
    k.see("watch", "请拍摄生存验证图片", title="再拍一次", serves="K31")
    assert k.eyes.order is not first
    assert k.centre.received() == []
    k.eyes.end("passed")
    k.see("review", "请看一看拍好的图片")
    k.touch("提交")
    k.see("finished", "验证成功。")


@journey("身份证照片读不出来：提交后由工作人员核实")
def f20_nothing_to_compare_with(k: Kiosk) -> None:
    to_consent(k)
    to_review(k, "no_reference")
    k.see("review", "身份证里的照片没有读出来，提交后由工作人员核实。", title="没有照片可比")
    k.touch("提交")
    k.see("finished", "已受理，工作人员会核实，不影响您的待遇")
    (record,) = k.centre.records()
    assert record.outcome == "needs_review"


@journey("上一步、帮助、返回首页")
def k19_back_help_home(k: Kiosk) -> None:
    k.see("home")
    k.touch("使用指引")
    k.see("help", "操作说明", title="首页的使用指引", serves="M07")
    k.touch("知道了，继续")
    k.see("home")
    k.touch("离退休人员生存验证", "本人生存认证 · 去验证", "操作说明")
    k.see("help", "1. 把身份证平放在感应区", "5. 取走回执和身份证", serves="K08")
    k.touch("知道了，继续")
    k.see("await_card")
    k.touch("上一步")
    k.see("who_for", title="上一步", serves="STR11")
    k.touch("本人生存认证 · 去验证")
    k.lay()
    k.see("confirm")
    k.touch("进入", "生存验证申请")
    k.see("consent")
    k.touch("帮助")
    k.see("help", "操作说明", title="办理中的帮助", serves="K19")
    k.touch("知道了，继续")
    k.see("consent", title="回到原处")
    k.touch("上一步")
    k.see("choose")
    k.touch("上一步")
    k.see("confirm", title="再上一步")
    k.touch("进入", "返回首页")
    k.see("home", "请取走您的身份证", title="返回首页", serves="K09")
    k.lift()
    k.see("home")
    assert not k.says("请取走您的身份证")


@journey("换语言，换大字")
def feature_12_language_and_large_print(k: Kiosk) -> None:
    k.see("home")
    k.touch("大字")
    k.see("home", "普通字", title="大字的首页")
    k.touch("English")
    k.see("home", "Proof", "中文", title="英文的首页")
    k.lay()
    k.see("confirm", "Welcome", title="英文大字")
    k.touch("中文")
    k.see("confirm", "欢迎使用市民之窗服务终端系统！", title="换回中文")
    k.touch("进入", "生存验证申请")
    k.see("consent", "刷脸办理须知", title="大字的须知")
    k.touch("同意刷脸")
    k.see("watch", "请拍摄生存验证图片", title="大字的拍摄")
    assert k.eyes.order is not None
    assert k.eyes.order.slow, "elder mode has more time"
    k.touch("返回首页")
    k.lift()
    k.see("home", "大字", title="下一位从普通字开始")


@journey("身体不便：不用眨眼，慢一点")
def feature_11_cannot_blink(k: Kiosk) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    k.see("watch", "身体不便")
    k.touch("身体不便")
    k.see("pace", "哪里不方便？")
    k.touch("眼不好，不用眨眼")
    k.see("watch", title="接着拍，不用眨眼")
    k.until(lambda: k.eyes.opened == 2, "another try")
    assert k.eyes.order is not None
    assert Action.BLINK not in k.eyes.order.actions
    k.eyes.end("passed")
    k.see("review")


@journey("叫工作人员：号码打在纸上")
def feature_2_calls_a_person(k: Kiosk) -> None:
    k.lay()
    k.see("confirm", "叫工作人员")
    k.touch("叫工作人员")
    k.see("finished", "已为您叫工作人员，请稍候", "您的号码：", "回执打印成功，请取走回执。")
    k.read_paper("人工办理号单", "号")
    (record,) = k.centre.records()
    assert record.outcome == "called"
    assert k.says(record.ticket)
    k.lift()
    k.touch("退出")
    k.see("home")


@journey("叫工作人员，没有纸：号码在屏幕上", paper=False)
def feature_2_calls_a_person_without_paper(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.touch("进入", "生存验证申请", "叫工作人员")
    k.see("finished", "已为您叫工作人员，请稍候", "您的号码：", "回执编号：",
          "号码条没有打印出来，请记住您的号码。", serves="E12")  # fmt: skip
    assert k.eyes.opened == 0


@journey("问卷调查")
def m07_questionnaire(k: Kiosk) -> None:
    k.see("home")
    k.touch("问卷调查")
    k.see("survey_easy", "在这里办理，容易吗？", "第1题，共3题", serves="M07")
    k.touch("好")
    k.see("survey_time", "等的时间，可以接受吗？")
    k.touch("上一步")
    k.see("survey_easy", title="改主意")
    k.touch("一般")
    k.see("survey_time")
    k.touch("好")
    k.see("survey_words", "屏幕和语音，看得清听得懂吗？")
    k.touch("不好")
    k.see("said", "谢谢您，我们会认真看", serves="M07")
    assert len(k.centre.received("jianzai.opinion")) == 1
    k.touch("退出")
    k.see("home")


@journey("投诉反馈，要一个编号")
def m07_complaint(k: Kiosk) -> None:
    k.see("home")
    k.touch("投诉反馈")
    k.see("feedback", "您想反映什么？", "服务热线", serves="M07")
    k.touch("其他问题")
    k.see("feedback", "人员服务", title="其他问题")
    k.touch("其他问题", "机器不好用")
    k.see("feedback_call_back", "要给您一个编号吗？")
    k.touch("要，请给我编号")
    k.see("said", "谢谢您，我们会认真看", "编号：", "已打印", serves="M07")
    k.read_paper("登记编号")
    k.touch("退出")
    k.see("home")


@journey("不会用触摸：只用按键也能办")
def keys_alone(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.key(ord("1"))
    k.see("choose", title="按键1：进入")
    k.key(TAB, TAB)
    k.see("choose", title="焦点走到第二个")
    k.hear("生存验证历史")
    k.key(TAB, TAB, TAB)
    k.key(F1)
    k.see("help", title="F1：帮助")
    k.key(ord("1"))
    k.see("choose")


TAB, F1 = 9, 282
