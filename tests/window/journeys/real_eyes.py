"""The same with the models that a kiosk uses, and a simulated person or an empty chair."""

from __future__ import annotations

from tests.window.journeys.hall import Journeys, Kiosk
from tests.window.journeys.residents import to_consent

journey = Journeys()


@journey("真的模型：本人办理", real_eyes=True)
def k28_real_models(k: Kiosk) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    k.see("watch", "第2个", title="按提示做动作", serves="K27 K28")
    k.see("review", "重新拍摄", "提交", serves="K33")
    k.touch("提交")
    k.see("finished", "验证成功。", serves="K35")
    (record,) = k.centre.records()
    assert record.liveness is not None
    assert record.liveness["frames"] > 20


@journey("真的模型：没有人在摄像头前", real_eyes=True, present=False)
def e06_real_models_and_an_empty_chair(k: Kiosk) -> None:
    to_consent(k)
    k.touch("同意刷脸")
    k.see("watch", "没有看到您的脸", serves="E06")
    k.touch("返回首页")
    k.see("home")
