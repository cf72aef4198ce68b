"""员工入口: service pages, and a resident served by a member of staff."""

from __future__ import annotations

from edge.session.staff_states import PowerWish
from edge.wire import messages
from tests.own_world import HELD
from tests.window.journeys.centre import CLERK, PIN, TECHNICIAN
from tests.window.journeys.hall import Journeys, Kiosk

journey = Journeys()


def sign_in(k: Kiosk, badge: str) -> None:
    k.centre.issues_badges()
    k.see("home")
    k.touch("员工入口")
    k.see("staff_badge", "工作人员登录：工号")
    k.touch(*badge, "确定")
    k.see("staff_pin", "工作人员登录：密码")
    k.touch(*PIN, "确定")
    k.see("service_menu", "终端服务", "登记中心", "待上传")


def to_resident(k: Kiosk) -> None:
    sign_in(k, CLERK)
    k.touch("帮居民办理")
    k.see("assist_card", "请把居民的身份证放在感应区")
    k.lay()
    k.see("assist_confirm", "来的人是证上的本人吗？", "王*华")
    k.touch("是本人")
    k.see("assist_choice", "要为这位居民办什么？", serves="M02")


@journey("技术人员：每一页看一遍")
def service_pages(k: Kiosk) -> None:
    sign_in(k, TECHNICIAN)
    k.touch("设备")
    k.see("service_devices", "设备状态")
    k.touch("全面检查")
    k.see("service_check", "检查结果")
    k.touch("上一步")
    k.see("service_devices")
    k.touch("测试")
    k.see("service_tests", "看摄像头")
    k.touch("打印测试")
    k.see("service_tests", "打印机确认")
    k.touch("看摄像头")
    k.see("service_camera", "摄像头画面")
    k.until(lambda: k.eyes.is_open, "the camera")
    k.touch("上一步")
    k.until(lambda: not k.eyes.is_open, "the camera closed")
    k.touch("音量")
    k.see("service_sound", "80%")
    k.touch("大声一点")
    k.see("service_sound", "90%")
    k.touch("上一步", "上一步", "上一步", "本机")
    k.see("service_kiosk", "软件版本", "识别模型")
    k.touch("关机或重启", "关机")
    k.see("service_confirm_off", "确定要关机吗？")
    k.touch("上一步", "重启", "确定重启")
    k.see("service_going_restart", "正在重启…")
    k.until(lambda: k.wishes == [PowerWish.RESTART], "the wish")


@journey("密码不对，五次以后锁定")
def wrong_pin_and_locked(k: Kiosk) -> None:
    k.centre.issues_badges()
    k.see("home")
    k.touch("员工入口", *CLERK, "确定")
    for number in range(1, 5):
        k.touch(*"000000", "确定")
        k.see("staff_pin", "工号或密码不对", title=f"第{number}次不对")
    k.touch(*"000000", "确定")
    k.see("staff_badge", "这个工号已锁定")
    k.touch("返回首页")
    k.see("home")


@journey("还没有工作人员名单")
def nobody_on_the_list(k: Kiosk) -> None:
    k.touch("员工入口", *CLERK, "确定", *PIN, "确定")
    k.see("staff_badge", "本机还没有收到工作人员名单，请先联网")


@journey("工作人员作见证")
def feature_8_a_witness(k: Kiosk) -> None:
    to_resident(k)
    k.touch("作见证，直接办理")
    k.see("assist_reasons", "为什么没有刷脸？（1/3页）")
    k.touch("下一页")
    k.see("assist_reasons", "为什么没有刷脸？（2/3页）")
    k.touch("听不见")
    k.see("vouching", "请确认您的见证", "听不见")
    k.touch("我见证，提交")
    k.see("finished", "验证成功。")
    k.read_paper("工作人员当面见证")
    (record,) = k.centre.records()
    assert (record.method, record.witness, record.assisted_reason) == ("witness", CLERK, "deaf")
    assert k.eyes.opened == 0


@journey("登记人脸模板，再删除")
def feature_17_a_template(k: Kiosk) -> None:
    to_resident(k)
    k.touch("登记人脸模板")
    k.see("enrol_consent", "登记人脸模板须知", "同意登记", "不登记")
    assert k.eyes.opened == 0
    k.touch("同意登记")
    k.see("watch")
    k.eyes.end("passed")
    k.see("enrol_review", "提交")
    k.touch("提交")
    k.see("enrolled", "登记好了", "到期自动删除")
    k.touch("退出")
    k.lift()
    to_resident(k)
    k.touch("看、打印或更正资料")
    k.centre.answers_history(HELD)
    k.see("mine_menu", "撤回刷脸信息", title="见证以后打开本人资料")
    k.touch("撤回刷脸信息")
    k.see("mine_withdraw", "确定撤回")
    k.touch("确定撤回")
    k.see(
        "mine_withdrawn", "已按您的要求删除", "本机保存的人脸特征已经删除。", "凭条已打印，请取走。"
    )
    k.read_paper("人脸模板撤回凭条")
    assert len(k.centre.received(messages.TEMPLATE)) == 2


@journey("居民不想登记")
def feature_17_declines_a_template(k: Kiosk) -> None:
    to_resident(k)
    k.touch("登记人脸模板")
    k.see("enrol_consent")
    k.touch("不登记")
    k.see("assist_choice")
    assert k.eyes.opened == 0
    assert k.centre.received(messages.TEMPLATE) == []
    k.touch("退出登录")
    k.see("home")
