"""Simulated days as data: who stands in front of the kiosk, what they want, what is broken."""

from __future__ import annotations

from dataclasses import dataclass

WISHES = (
    "提交",
    "提交，由工作人员核实",
    "再试一次",
    "同意刷脸",
    "生存验证申请",
    "进入",
    "本人生存认证 · 去验证",
    "离退休人员生存验证",
    "找工作人员办理",
    "退出",
)
"""Labels of buttons, dearest first: a person presses the first of them that is on the screen."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One visit.

    `before_camera` is `resident`, `printed_photo` or `nobody`; `face` and
    `card_face` name portraits (`astronaut`, `admiral`).
    """

    words: str
    before_camera: str = "resident"
    face: str = "astronaut"
    card_face: str = "astronaut"
    decoder: bool = True
    paper: bool = True
    broker: bool = True
    helper: bool = False  # somebody lays down their own card first
    wishes: tuple[str, ...] = WISHES
    ends_in: str = "passed"


SCENARIOS = {
    "good-day": Scenario("everything works"),
    "wrong-face": Scenario(
        "the card carries somebody else's portrait", card_face="admiral", ends_in="needs_review"
    ),
    "printed-photo": Scenario(
        "a printed photograph is held up and tilted",
        before_camera="printed_photo",
        ends_in="needs_review",
    ),
    "no-consent": Scenario(
        "the person does not want the camera",
        wishes=("不刷脸，人工办理", *(w for w in WISHES if w != "同意刷脸")),
        ends_in="declined",
    ),
    "helped": Scenario(
        "somebody helps a relative: their own card first, then the relative's",
        helper=True,
        wishes=(*WISHES[:6], "帮亲友进行生存认证 · 去验证", *WISHES[7:]),
    ),
    "paper-out": Scenario("the printer has no paper", paper=False),
    "broker-gone": Scenario("no network until after the person has gone", broker=False),
    "first-visit": Scenario(
        "no photo decoder and no template, as on most terminals today",
        decoder=False,
        ends_in="needs_review",
    ),
}
