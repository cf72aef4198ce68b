"""帮亲友: somebody lays their own card down first, then names another person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from edge.app.world import DEMO_NUMBER
from edge.domain.idnumber import check_character
from edge.domain.spelling import LETTERS, keys_of
from edge.drivers.sim.idcard import SimCard
from tests.window.journeys.hall import Journeys, Kiosk

journey = Journeys()
SPELT = (("wang", "王"), ("jian", "建"), ("hua", "华"))


def to_naming(k: Kiosk) -> None:
    k.see("home")
    k.touch("离退休人员生存验证", "帮亲友进行生存认证 · 去验证")
    k.see("await_helper", "请刷二代身份证：帮忙的人", serves="M10")
    k.lay(k.world.helper_card)
    k.see("confirm_helper", "请核对帮忙的人", "周*明")
    k.touch("进入")
    k.see("name_target", "请刷二代身份证：需要认证的人", "请先取走您自己的身份证", serves="M15")
    k.lift()


def neighbour(number: int) -> SimCard:
    """Somebody else of the same village."""
    first = f"10000019500101{number:03d}"
    digits = first + check_character(first)
    return SimCard(f"邻居{'甲乙丙丁'[number]}", "1", date(1950, 1, 1), digits)


@journey("帮亲友：两张身份证")
def m10_with_the_targets_card(k: Kiosk) -> None:
    to_naming(k)
    k.see("name_target", "没有带来，请按“手工输入”。")
    k.lay()
    k.see("confirm", "请核对需要认证的人", "王*华", serves="M16 M17")
    k.touch("进入", "生存验证申请")
    k.see("consent", "亲友不能代选", title="须知：请本人自己选", serves="M13")
    k.touch("同意刷脸")
    k.see("watch", serves="M13")
    k.eyes.end("passed")
    k.see("review")
    k.touch("提交")
    k.see("finished", "验证成功。", "生存认证记录保存成功!", serves="M14 M16")
    (record,) = k.centre.records()
    assert record.name == "王建华"
    assert record.helper is not None
    assert record.helper["name"] == "周晓明"
    assert "周晓明" not in k.read_paper("王*华")


@journey("帮亲友：没带身份证，输入号码和姓名")
def m15_with_a_typed_target(k: Kiosk) -> None:
    to_naming(k)
    k.touch("手工输入")
    k.see("type_number", "请输入亲友的身份证号", serves="M15")
    k.touch(*DEMO_NUMBER[:-1], "1", "确定")
    k.see("type_number", "有一位不对，请和证件再核对一遍", title="输错一位")
    k.touch("删除", "0", "确定")
    k.see("type_name", "请输入亲友的姓名", serves="M15")
    for syllable, char in SPELT:
        k.touch(*(LETTERS[key] for key in keys_of(syllable)))
        k.see("type_name", syllable, title=f"拼出 {syllable}")
        k.touch("选字")
        _pick(k, syllable, char)
    k.see("type_name", "王建华", title="姓名输好了")
    k.touch("确定")
    drawn = k.see("confirm", "王*华", title="只凭号码和姓名，什么也不透露", serves="M16")
    assert not any("认证" in text and "年" in text for text in drawn.texts)
    k.touch("进入")
    k.see("consent", "亲友不能代选")
    k.touch("同意刷脸")
    k.see("watch")
    k.eyes.end("no_reference")
    k.see("review", "没有照片可以比，提交后由工作人员核实。")
    k.touch("提交")
    k.see("finished", "已受理，工作人员会核实，不影响您的待遇")
    (record,) = k.centre.records()
    assert (record.outcome, record.named_by) == ("needs_review", "typed")


def _pick(k: Kiosk, syllable: str, char: str) -> None:
    """A syllable first where the letters may mean several, then the character."""
    drawn = k.until(k.glass.shown, "the options")
    labels = [button.label for button in drawn.buttons]
    if syllable in labels:
        k.touch(syllable)
    while char not in [b.label for b in k.until(k.glass.shown, "the options").buttons]:
        k.touch("下一页")
    k.touch(char)


@journey("帮亲友：查不到这个人")
def m12_e03_no_such_target(k: Kiosk) -> None:
    k.centre.link(up=False)
    to_naming(k)
    k.lay(neighbour(1))
    k.see("turned_not_reached", "未查到该对象认证信息!", "咨询单已打印，请取走。", "电话",
          serves="E03 M12 M16 STR13")  # fmt: skip
    k.read_paper("咨询单", "未查到该对象认证信息!")
    k.touch("上一步")
    k.see("name_target", title="换一位")


@journey("帮亲友：一天最多三位")
def feature_13_three_a_day(k: Kiosk) -> None:
    people = [neighbour(number) for number in range(4)]
    keys = [k.parts.keyring.card_key(card.number) for card in people]
    k.centre.expects(*(replace(k.expected(), key=key, masked_name="邻*") for key in keys))
    to_naming(k)
    for number, card in enumerate(people[:3], 1):
        k.lay(card)
        k.see("confirm", "邻*", title=f"第{number}位")
        k.touch("上一步")
        k.lift()
        k.see("name_target", "请放亲友的身份证")
    k.lay(people[3])
    k.see("turned_helper_spent", "这张身份证今天不能再帮别人了", title="第四位")


@journey("帮亲友：又放了自己的身份证")
def feature_13_the_helpers_own_card_again(k: Kiosk) -> None:
    to_naming(k)
    k.lay(k.world.helper_card)
    k.see("name_target", "这还是您自己的身份证，请换成亲友的")
