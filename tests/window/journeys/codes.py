"""扫描条码 / 扫描二维码: receipts, notice letters and whatever else people hold up."""

from __future__ import annotations

import zxingcpp
from PIL import Image

from edge.domain.codes import LetterService, letter_code
from tests.window.journeys.hall import Journeys, Kiosk

journey = Journeys()


def certified(k: Kiosk) -> str:
    """A whole visit; the code on its paper, read from the picture of it."""
    k.lay()
    k.see("confirm")
    k.touch("进入", "生存验证申请", "同意刷脸")
    k.see("watch")
    k.eyes.end("passed")
    k.touch("提交")
    k.see("finished", "回执打印成功，请取走回执。")
    k.lift()
    k.touch("退出")
    k.see("home")
    return code_on_paper(k)


def code_on_paper(k: Kiosk) -> str:
    k.world.printer.save_png(k.root / "paper.png")
    with Image.open(k.root / "paper.png") as picture:
        (code,) = zxingcpp.read_barcodes(picture)
    return str(code.text)


@journey("扫一张以前的回执，再补打一张", scanner="sim")
def k10_a_receipt(k: Kiosk) -> None:
    code = certified(k)
    k.touch("扫描二维码")
    k.see("scan", "请出示二维码", serves="K10 K19")
    k.scan(code)
    k.see("code_genuine", "核验通过，这张回执是真的", "王*华", "验证成功", serves="K10")
    k.touch("补打回执")
    k.see("reprint_card", "补打回执，请放上回执本人的身份证。")
    k.lay()
    k.see("reprint_printed", "回执打印成功，请取走回执。", "请取走您的身份证", serves="E16")
    k.read_paper("补打的回执（副本）")
    k.lift()
    k.touch("返回首页")
    k.see("home")


@journey("扫一张改过的回执", scanner="sim")
def k10_a_changed_receipt(k: Kiosk) -> None:
    code = certified(k)
    changed = code[:40] + ("A" if code[40] != "A" else "B") + code[41:]
    k.scan(changed)
    k.see("code_unproven", "这个码没有核验通过", "不影响您的待遇", serves="K10")
    k.touch("再扫一次")
    k.see("scan", "请出示二维码")


@journey("扫通知书：服务已经选好，身份证还是要刷", scanner="sim")
def k10_a_notice_letter(k: Kiosk) -> None:
    k.see("home")
    k.touch("扫描二维码")
    k.see("scan", "收到的通知书")
    k.scan(letter_code(LetterService.PROOF))
    k.see("await_card", "通知书上的服务：生存验证", "请刷二代身份证", serves="K10")
    k.lay()
    k.see("confirm")
    k.touch("进入")
    k.see("consent", "刷脸办理须知", title="直接到须知")
    k.touch("帮助", "知道了，继续")
    k.see("consent")


@journey("扫一个用不上的码", scanner="sim")
def k10_some_other_code(k: Kiosk) -> None:
    k.touch("离退休人员生存验证", "本人生存认证 · 去验证", "扫描条码")
    k.see("scan", serves="K10")
    k.scan("6901234567892")
    k.see("code_other", "这个码在这里用不上", serves="K10")
    k.touch("上一步")
    k.see("await_card", title="回到刷身份证")


@journey("没有扫码器：用摄像头扫码，先说明")
def k19_with_the_camera(k: Kiosk) -> None:
    k.lay()
    k.see("confirm")
    k.touch("进入", "扫描二维码")
    k.see(
        "scan_notice",
        "用摄像头扫码",
        "摄像头只用来找二维码，不认脸，不拍照，不保存。",
        serves="K19",
    )
    assert k.eyes.opened == 0, "nobody is looked at before they ask for it"
    k.touch("用摄像头扫码")
    k.see("scan_camera", "请把二维码对着摄像头", "只找二维码，不认脸，画面不保存。", serves="K19")
    k.eyes.hold_up(letter_code(LetterService.PROOF))
    k.see("code_letter", "您正在办理这项服务", serves="K19")
    k.until(lambda: not k.eyes.is_open, "the camera closed")
    k.touch("上一步")
    k.see("choose", title="回到原处")


@journey("用摄像头扫码，没有人出示码")
def k19_no_code_came(k: Kiosk) -> None:
    k.see("home")
    k.touch("扫描二维码", "用摄像头扫码")
    k.see("scan_camera")
    k.skip(61)
    k.see("code_nothing", "没有看到二维码", "摄像头已经关闭")
    k.until(lambda: not k.eyes.is_open, "the camera closed")
