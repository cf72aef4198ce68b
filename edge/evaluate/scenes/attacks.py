"""One function per kind of attack: each plays a whole session as well as its kind can.

All of them hear the prompts. `Group` says who is on the card and who else is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, lru_cache, partial

import cv2
import numpy as np

from edge.domain.challenge import Prompt
from edge.drivers.sim.head import Pose
from edge.drivers.sim.lids_and_lips import blinking, speaking, without_eyes
from edge.drivers.sim.portrait import Floats, Rgb
from edge.drivers.sim.scenery import empty_room
from edge.evaluate.scenes import sheets
from edge.evaluate.scenes.bodies import RESTING, TURNS, Body, Hand, Rng, Tilt, brisk, sway
from edge.evaluate.scenes.cast import Draw, Group, Show
from edge.evaluate.scenes.films import Film, Screen, order_of
from edge.evaluate.scenes.lens import Lens, Light
from edge.evaluate.scenes.sheets import Bend, Sheet, View
from edge.evaluate.scenes.sitters import SIZE, Sitter

RATES = (8.0, 10.0, 12.0, 15.0)
AXES_DEG = (0.0, 90.0, 45.0)
MASK_LEVELS = 5
HALF = 0.5  # of the picture: from there on somebody else is before the camera


@lru_cache(maxsize=1)
def _room() -> Rgb:
    return empty_room(SIZE)


def _rate(rng: Rng) -> float:
    return float(rng.choice(RATES))


def _lens(rng: Rng) -> Lens:
    blur = rng.uniform(0.5, 1.2) if rng.random() < 0.3 else 0.0
    return Lens(Light(rng.uniform(0.8, 1.1), grain=rng.uniform(1.0, 4.0), blur_px=blur), rng)


def _view(rng: Rng) -> View:
    return View(rng.uniform(76.0, 125.0), rng.uniform(520.0, 900.0), rng.uniform(0.85, 1.1))


# --- pictures of the person --------------------------------------------------------


def flat_print(group: Group, rng: Rng) -> Show:
    edge = bool(rng.random() < 0.5)
    sheet = sheets.printed(group.sitter, rng, edge=edge)
    return _flat(group, rng, sheet, {"edge": edge})


def flat_screen(group: Group, rng: Rng) -> Show:
    edge = bool(rng.random() < 0.5)
    sheet = sheets.displayed(group.sitter, rng, edge=edge)
    return _flat(group, rng, sheet, {"edge": edge})


def _flat(group: Group, rng: Rng, sheet: Sheet, facts: dict[str, str | float]) -> Show:
    view, room = _view(rng), _room()
    return _held(group, rng, lambda tilt: sheets.on_room(sheet, room, view, tilt), facts)


def bent_print(group: Group, rng: Rng, radius: float) -> Show:
    """Half of them bend the paper in the very movement, the others hold it bent all the time.

    Who bends it anew each time can do so about the axis that a turn or a nod wants.
    """
    edge, axis = bool(rng.random() < 0.5), float(rng.choice(AXES_DEG))
    flexes, fits = bool(rng.random() < 0.5), bool(rng.random() < 0.7)
    sheet, view, room = sheets.printed(group.sitter, rng, edge=edge), _view(rng), _room()

    def scene(tilt: Tilt) -> Rgb:
        bent = tilt.bend if flexes else 1.0
        if bent < 0.05:
            return sheets.on_room(sheet, room, view, tilt)
        wanted = 0.0 if abs(tilt.yaw_deg) >= abs(tilt.pitch_deg) else 90.0
        about = wanted if flexes and fits else axis
        return sheets.bent_on_room(sheet, room, view, tilt, Bend(radius / bent, about))

    facts = {"edge": edge, "axis_deg": axis, "flexes": flexes, "axis as asked": flexes and fits}
    return _held(group, rng, scene, dict(facts))


def cutout(group: Group, rng: Rng) -> Show:
    """Holes for eyes and mouth, and a living person behind whose lids and lips fit exactly."""
    edge = bool(rng.random() < 0.5)
    sheet, view, room = sheets.printed(group.sitter, rng, edge=edge), _view(rng), _room()
    masks = Masks(sheet, sheets.on_sheet(group.sitter, edge=edge))
    bend = Bend(rng.uniform(1.0, 3.0), 0.0) if rng.random() < 0.5 else None
    body = Body(brisk(rng))

    def scene(tilt: Tilt) -> Rgb:
        worn = masks.wide_open(body.mouth) if body.mouth > 0 else masks.shut(body.lids)
        if bend is None:
            return sheets.on_room(worn, room, view, tilt)
        return sheets.bent_on_room(worn, room, view, tilt, bend)

    facts = {"edge": edge, "bent": bend is not None}
    return _held(group, rng, scene, dict(facts), body)


class Masks:
    """The sheet with lids, and with lips, from as they are to shut or wide open, each made when
    it is worn first; `laid` is whose lids and lips they are.
    """

    def __init__(self, sheet: Sheet, laid: Sitter) -> None:
        self._sheet, self._laid = sheet, laid
        self._shut: dict[int, Sheet] = {}
        self._wide_open: dict[int, Sheet] = {}

    @cached_property
    def _skin(self) -> Floats:
        return without_eyes(self._sheet.rgb, self._laid.points, self._laid.lids)

    def shut(self, amount: float) -> Sheet:
        level = _level(amount)
        if level not in self._shut:
            part = level / (MASK_LEVELS - 1)
            rgb = blinking(self._sheet.rgb, self._skin, self._laid.lids, part)
            self._shut[level] = replace(self._sheet, rgb=rgb)
        return self._shut[level]

    def wide_open(self, amount: float) -> Sheet:
        level = _level(amount)
        if level not in self._wide_open:
            rgb = speaking(self._sheet.rgb, self._laid.points, level / (MASK_LEVELS - 1))
            self._wide_open[level] = replace(self._sheet, rgb=rgb)
        return self._wide_open[level]


def _level(amount: float) -> int:
    return round(amount * (MASK_LEVELS - 1))


def _held(
    group: Group,
    rng: Rng,
    scene: Callable[[Tilt], Rgb],
    facts: dict[str, str | float],
    behind: Body | None = None,
) -> Show:
    hand, lens, fps = Hand(rng), _lens(rng), _rate(rng)

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        hand.move(prompt, since_s, 1 / fps)
        if behind:
            behind.move(prompt, since_s, 1 / fps)
        return lens.expose(scene(hand.tilt(at_s)))

    return _alone(group, fps, draw, facts)


def _alone(group: Group, fps: float, draw: Draw, facts: dict[str, str | float]) -> Show:
    return Show(fps, (group.sitter.person,), group.card, draw, facts)


def injected_still(group: Group, rng: Rng) -> Show:
    """One digital still fed in by a virtual camera, turned and stretched by software when asked."""
    sheet = sheets.printed(group.sitter, rng, edge=False)
    view, room, fps = View(rng.uniform(80.0, 125.0), 690.0), _room(), _rate(rng)
    hand, moves = Hand(rng, most_deg=70.0), bool(rng.random() < 0.7)
    still = sheets.on_room(sheet, room, view, Tilt())

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        if not moves:
            return still
        hand.move(prompt, since_s, 1 / fps)
        return sheets.on_room(sheet, room, view, hand.tilt(at_s))

    return _alone(group, fps, draw, {"moves": moves})


def stills_in_poses(group: Group, rng: Rng) -> Show:
    """Photographs of the person looking ahead, to each side, up and down, with open mouth and
    shut eyes; the one that is asked for is shown: at once, dissolved, or pushed in from aside.
    """
    through, how = (
        str(rng.choice(("paper", "screen"))),
        str(rng.choice(("cut", "dissolve", "push"))),
    )
    lasts_s = 0.0 if how == "cut" else rng.uniform(0.15, 0.6)
    pack = Pack(group, rng, through, edge=bool(rng.random() < 0.5))
    view, lens, fps, phase = (
        View(group.shape.eyes_px, 690.0),
        _lens(rng),
        _rate(rng),
        rng.uniform(0, 9),
    )
    reaction_s, blink_s = rng.uniform(0.35, 0.9), rng.uniform(0.25, 0.6)

    def laid(base: Rgb, prompt: Prompt, at_s: float, right: float = 0.0) -> Rgb:
        shake, tremble = sway(at_s * 1.6 + phase, 0.35)
        tilt = Tilt(shake, tremble, 0.3 * shake, right + 0.002 * shake, 0.002 * tremble)
        return sheets.on_room(pack.sheet(prompt), base, view, tilt)

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        over = prompt is Prompt.BLINK and since_s > reaction_s + blink_s
        pack.turn_to(prompt if since_s >= reaction_s and not over else None, at_s, over=over)
        part = 1.0 if lasts_s == 0.0 else min(1.0, (at_s - pack.since_s) / lasts_s)
        if part >= 1.0:
            return lens.expose(laid(_room(), pack.now, at_s))
        before = laid(_room(), pack.before, at_s)
        if how == "push":
            return lens.expose(laid(before, pack.now, at_s, 1.1 * (1 - part)))
        both = before, laid(_room(), pack.now, at_s)
        return lens.expose(np.asarray(cv2.addWeighted(both[0], 1 - part, both[1], part, 0)))

    return _alone(group, fps, draw, {"through": through, "how": how, "lasts_s": lasts_s})


class Pack:
    """Stills of one person, the one that is shown now, and the one before."""

    def __init__(self, group: Group, rng: Rng, through: str, *, edge: bool) -> None:
        self.now = self.before = Prompt.LOOK_AHEAD
        self.since_s = -9.0
        far = rng.uniform(0.8, 1.0)
        poses = {Prompt.LOOK_AHEAD: Pose()}
        for prompt, (across, up) in TURNS.items():
            poses[prompt] = Pose(across * far * 37.0, up * far * (29.0 if up > 0 else 26.0))
        poses |= {Prompt.MOUTH: Pose(mouth=1.0), Prompt.BLINK: Pose(lids=1.0)}
        self._poses, self._group, self._edge = poses, group, edge
        self._made = sheets.on_paper if through == "paper" else sheets.on_screen
        self._again = int(rng.integers(2**31))  # all through the same printer or screen
        self._sheets: dict[Prompt, Sheet] = {}

    def sheet(self, prompt: Prompt) -> Sheet:
        """Made when it is shown first."""
        if prompt not in self._sheets:
            picture = self._group.head.render(self._poses[prompt])
            again = np.random.default_rng(self._again)
            eyes_px = self._group.shape.eyes_px
            rgb = self._made(picture, again, edge=self._edge)
            self._sheets[prompt] = Sheet(rgb, eyes_px, 2.2 * eyes_px)
        return self._sheets[prompt]

    def turn_to(self, prompt: Prompt | None, at_s: float, *, over: bool) -> None:
        """`over`: back to the middle without being told, as after a blink."""
        aim = Prompt.LOOK_AHEAD if over or prompt in RESTING else prompt
        aim = Prompt.LOOK_AHEAD if aim is Prompt.STILL else aim
        if aim is not None and aim is not self.now:
            self.before, self.now, self.since_s = self.now, aim, at_s


# --- films of the person -------------------------------------------------------------


def replay(group: Group, rng: Rng) -> Show:
    """A good session, recorded earlier, played from its beginning; it may have any order."""
    order = order_of(rng)
    film, screen = Film(order, brisk(rng)), Screen.some(rng)
    lens, fps, start_s = _lens(rng), _rate(rng), rng.uniform(0.0, 0.8)

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        del prompt, since_s  # a film hears nothing
        return lens.expose(screen.shows(group.head.render(film.pose(at_s + start_s)), at_s))

    facts = {"order": " ".join(action.value for action in order), "through": screen.name}
    return _alone(group, fps, draw, dict(facts))


def replay_scrubbed(group: Group, rng: Rng) -> Show:
    """Somebody owns a film of each movement and starts the one that is asked for."""
    body = Body(brisk(rng).reacting(rng.uniform(0.4, 0.9)))
    screen, lens, fps = Screen.some(rng), _lens(rng), _rate(rng)

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        body.move(prompt, since_s, 1 / fps)
        return lens.expose(screen.shows(group.head.render(body.pose(at_s)), at_s))

    return _alone(group, fps, draw, {"through": screen.name})


# --- two people ------------------------------------------------------------------------


def swap(group: Group, rng: Rng) -> Show:
    """The card holder begins, somebody else goes on: by a cut, a dissolve, or a short absence.

    A try that ends before the other face makes up half of a picture shows no swap.
    """
    how = str(rng.choice(("cut", "dissolve", "absence")))
    number, wait_s = int(rng.integers(1, 5)), rng.uniform(0.0, 1.8)
    lasts_s = {"cut": 0.0, "dissolve": rng.uniform(0.1, 0.8), "absence": rng.uniform(0.05, 0.3)}[
        how
    ]
    body, lens, fps, room = Body(brisk(rng)), _lens(rng), _rate(rng), _room()
    asked: list[float] = []
    began: list[float] = []
    shown: list[float] = []

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        body.move(prompt, since_s, 1 / fps)
        if prompt not in RESTING and since_s < 1.5 / fps:
            asked.append(at_s)
        if not began and len(asked) >= number and at_s - asked[number - 1] >= wait_s:
            began.append(at_s)
        pose = body.pose(at_s)
        part = 0.0 if not began else _part(at_s - began[0], lasts_s)
        shown.append(part)
        if part == 0.0 or part == 1.0:
            head = group.other_head if part else group.head
            return lens.expose(head.render(pose))
        if how == "absence":
            return lens.expose(room)
        both = group.head.render(pose), group.other_head.render(pose)
        return lens.expose(np.asarray(cv2.addWeighted(both[0], 1 - part, both[1], part, 0)))

    show = _together(group, fps, draw, {"how": how, "lasts_s": lasts_s, "at_prompt": number})
    show.presented = lambda: max(shown, default=0.0) >= HALF
    return show


def _part(since_s: float, lasts_s: float) -> float:
    return 1.0 if since_s >= lasts_s else max(since_s / lasts_s, 1e-6)


def _together(group: Group, fps: float, draw: Draw, facts: dict[str, str | float]) -> Show:
    return Show(fps, (group.sitter.person, group.other.person), group.card, draw, facts)


def two_people(group: Group, rng: Rng) -> Show:
    """The card holder sits still; a helper at their side, nearer or not, makes the movements."""
    body, idle = Body(brisk(rng)), Body(brisk(rng))
    lens, fps = _lens(rng), _rate(rng)
    ours, theirs = rng.uniform(0.62, 0.85), rng.uniform(0.62, 0.85)

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        body.move(prompt, since_s, 1 / fps)
        helper = _small(group.other_head.render(body.pose(at_s)), ours)
        holder = _small(group.head.render(idle.pose(at_s)), theirs)
        return lens.expose(np.ascontiguousarray(np.hstack([helper, holder])))

    return _together(group, fps, draw, {"helper": ours, "holder": theirs})


def _small(rgb: Rgb, scale: float) -> Rgb:
    """The picture, smaller, cut to half the width; the face stays in the middle."""
    half = SIZE[0] // 2
    place = np.array(
        [[scale, 0, half / 2 - scale * SIZE[0] / 2], [0, scale, SIZE[1] * (1 - scale) / 2]]
    )
    four = cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA)
    small = cv2.warpAffine(four, place, (half, SIZE[1]), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGBA2RGB), np.uint8)


def photo_beside_face(group: Group, rng: Rng) -> Show:
    """A helper's living face, and a photograph of the card holder beside it.

    Half of them hold it before the face whenever the prompt is to look ahead.
    """
    sheet = sheets.printed(group.sitter, rng, edge=True)
    hides = bool(rng.random() < 0.5)
    nearness = rng.uniform(0.75, 1.1)
    view = View(group.shape.eyes_px * nearness, 690.0)
    body, lens, fps = Body(brisk(rng)), _lens(rng), _rate(rng)
    beside = float(rng.choice((-1.0, 1.0))) * rng.uniform(0.3, 0.36)
    at = [0.0 if hides else beside]

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        body.move(prompt, since_s, 1 / fps)
        aim = 0.0 if hides and prompt in RESTING else beside
        at[0] += min(1.0 / fps, max(-1.0 / fps, aim - at[0]))
        shake, tremble = sway(at_s * 1.6, 0.003)
        face = _aside(group.other_head.render(body.pose(at_s)), -np.sign(beside) * 0.12)
        tilt = Tilt(right=at[0] + shake, down=0.03 + tremble)
        return lens.expose(sheets.on_room(sheet, face, view, tilt))

    return _together(group, fps, draw, {"hides": hides, "nearness": nearness})


def _aside(rgb: Rgb, right: float) -> Rgb:
    px = round(right * SIZE[0])
    filled = cv2.copyMakeBorder(rgb, 0, 0, max(0, px), max(0, -px), cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(filled[:, max(0, -px) : max(0, -px) + SIZE[0]])


OF_STILLS = ("flat_print", "flat_screen", "bent_print", "cutout", "injected_still")
"""How the names of those kinds begin that need a photograph only, and no head that turns."""

Generator = Callable[[Group, Rng], Show]
BENT_RADII = ("0.8", "1.0", "1.25", "1.5")
KINDS: dict[str, Generator] = {
    "flat_print": flat_print,
    "flat_screen": flat_screen,
    **{f"bent_print_{name}": partial(bent_print, radius=float(name)) for name in BENT_RADII},
    "cutout": cutout,
    "stills_in_poses": stills_in_poses,
    "replay": replay,
    "replay_scrubbed": replay_scrubbed,
    "swap": swap,
    "two_people": two_people,
    "photo_beside_face": photo_beside_face,
    "injected_still": injected_still,
}
