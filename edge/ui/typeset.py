"""Where lines break and where boxes stand. Pure arithmetic; pixels from the top left corner."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Measure = Callable[[str], float]
"""Width of a string in pixels."""

# A piece is what may not be torn apart: a Latin word, or one Chinese character,
# each with the opening marks before it and the closing marks after it. A raised
# dot between two names stays with the first, a number with what it counts.
_PIECE = re.compile(
    r"[（“‘《【「第]*"
    r"(?:[!-~\u00a0-\u00b6\u00b8-\u024f’]+(?:(?<=[0-9]) ?[年月日天位项条页题个秒])?|[^ ])"
    r"[，。、；：！？）”’》】」…]*(?: *[·—])* *"
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `x`, `y` is its top left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y + self.h / 2

    def inset(self, dx: float, dy: float | None = None) -> Box:
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def top(self, height: float) -> Box:
        return Box(self.x, self.y, self.w, height)

    def foot(self, height: float) -> Box:
        return Box(self.x, self.bottom - height, self.w, height)

    def left(self, width: float) -> Box:
        return Box(self.x, self.y, width, self.h)

    def end(self, width: float) -> Box:
        return Box(self.right - width, self.y, width, self.h)

    def without(self, *, top: float = 0, foot: float = 0, left: float = 0, end: float = 0) -> Box:
        return Box(self.x + left, self.y + top, self.w - left - end, self.h - top - foot)

    def middle(self, width: float, height: float) -> Box:
        """A box of this size around the same centre."""
        x, y = self.centre
        return Box(x - width / 2, y - height / 2, width, height)

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def within(self, other: Box, slack: float = 0.5) -> bool:
        """Whether this box lies inside another, up to rounding."""
        across = other.x - slack <= self.x and self.right <= other.right + slack
        return across and other.y - slack <= self.y and self.bottom <= other.bottom + slack

    def apart(self, other: Box) -> float:
        """The gap between two boxes along the axis that parts them more; below 0 they overlap."""
        across = max(self.x - other.right, other.x - self.right)
        return max(across, self.y - other.bottom, other.y - self.bottom)


def columns(box: Box, count: int, gap: float) -> list[Box]:
    """Equal boxes side by side."""
    width = (box.w - gap * (count - 1)) / max(count, 1)
    return [Box(box.x + i * (width + gap), box.y, width, box.h) for i in range(count)]


def rows(box: Box, heights: Iterable[float], gap: float) -> list[Box]:
    """Boxes of these heights one below the other, from the top."""
    placed, y = [], box.y
    for height in heights:
        placed.append(Box(box.x, y, box.w, height))
        y += height + gap
    return placed


TORN = 0.15
"""What it costs to end a line inside a Chinese clause, against 1 for an empty line."""

SPLIT = 0.75
"""What it costs to end a line inside one of these words."""

LONE = 1.0
"""What it costs to leave one Chinese character alone on a line."""

SOFT = 0.5
"""What it costs to end a line between these two; on a small key there is no other way."""

_SOFT = re.compile("(?<=叫)工作(?=人员)")

_WORDS = re.compile(
    "离退休|二代|对象|上方|刷脸|不要|不用|核对|更正|我们|离开|感应区|工作人员|生存验证|生存认证|显示|完整|手工|输入|"
    "身份证|人员|摄像头|生存|验证|认证|申请|历史|终端|服务|系统|市民之窗|信息|"
    "办理|屏幕|触摸|按钮|提交|动作|提示|待遇|影响|登记|编号|查询|咨询|电话|社区|中心|回执|打印|"
    "成功|保存|记录|退休|自助|请求|可以|需要|时间|完成|开始|查看|同意|人工|选择|功能|重新|拍摄|"
    "图片|照片|语音|温馨|使用|指引|问卷|调查|投诉|反馈|扫描|二维码|条码|返回|首页|帮助|亲友|本人|"
    "断开|电源|原因|见证|关闭|放平|收到|居民|模板|人脸|特征|删除|通知|机器|转动|不便|不想|不能|"
    "不好|确定|已经|没有|联网|以前|随时|登录"
)


def wrap(text: str, width: float, measure: Measure, *, tear_numbers: bool = False) -> list[str]:
    """As few lines as fit the width, about equally long, ending where the sense does if they can.

    No line starts with a closing mark. A piece wider than the width stands on
    a line of its own and is too wide; whoever calls makes the letters smaller, or lets
    long numbers be torn in two.
    """
    if measure(text) <= width:
        return [text]
    pieces = _PIECE.findall(text) or [text]
    if tear_numbers:
        pieces = [part for piece in pieces for part in _torn(piece, width, measure)]
    ends = [0.0, *itertools.accumulate(measure(piece) for piece in pieces)]
    count = _fewest(ends, width)
    costs = _costs(pieces)
    return ["".join(pieces[a:b]).strip() for a, b in _best(costs, ends, width, count)]


def longest_piece(text: str) -> str:
    """What needs most room of all that may not be torn apart."""
    return max((piece.strip() for piece in _PIECE.findall(text)), key=len, default="")


_NUMBER = re.compile(r"[0-9*Xx–-]{10,} *")


def _torn(piece: str, width: float, measure: Measure) -> list[str]:
    if measure(piece.strip()) <= width or not _NUMBER.fullmatch(piece):
        return [piece]
    half = len(piece) // 2 + 1
    return [piece[:half], piece[half:]]


def _fewest(ends: list[float], width: float) -> int:
    lines, start = 1, 0
    for end in range(1, len(ends)):
        if ends[end] - ends[start] > width and end - 1 > start:
            lines, start = lines + 1, end - 1
    return lines


def _best(costs: list[float], ends: list[float], width: float, count: int) -> list[tuple[int, int]]:
    """The cheapest way to cut all pieces into `count` lines: what is left blank, what is torn."""
    total = len(costs)
    paths: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for left in reversed(range(count)):
        longer: dict[int, tuple[float, list[tuple[int, int]]]] = {}
        for start, (cost, path) in paths.items():
            for end in range(start + 1, total - left + 1):
                used = ends[end] - ends[start]
                if used > width and end > start + 1:
                    break
                paid = cost + (1 - used / width) ** 2 + costs[end - 1]
                if end not in longer or paid < longer[end][0]:
                    longer[end] = (paid, [*path, (start, end)])
        paths = longer
    return paths[total][1]


def tears_words(text: str, lines: Sequence[str]) -> bool:
    """Whether a line ends inside one of the words that should stay whole."""
    inside = {
        place for word in _WORDS.finditer(text) for place in range(word.start() + 1, word.end())
    }
    inside -= {word.end() for word in _SOFT.finditer(text)}
    at = 0
    for line in lines[:-1]:
        at = text.index(line, at) + len(line)
        if at in inside:
            return True
    return False


def _costs(pieces: list[str]) -> list[float]:
    """What it costs to end a line after each piece; nothing after the last."""
    whole = "".join(pieces)
    inside = {
        place for word in _WORDS.finditer(whole) for place in range(word.start() + 1, word.end())
    }
    soft = {word.end() for word in _SOFT.finditer(whole)}
    costs, at = [], 0
    for piece in pieces:
        at += len(piece)
        torn = piece[-1] not in " ，。、；：！？）”’》】」…"
        split = SOFT if at in soft else SPLIT
        costs.append(split if at in inside else TORN if torn else 0.0)
    for end, alone in ((0, pieces[0]), (-2, pieces[-1])):
        if len(pieces) > 1 and len(alone.strip("，。、；：！？）”’》】」… ")) == 1:
            costs[end] += LONE
    return [*costs[:-1], 0.0]
