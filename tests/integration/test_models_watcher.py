"""Camera and models together: a drawn head passes, a print does not, nothing breaks it."""

import itertools

import numpy as np
import pytest

from edge.domain.challenge import Action, Hint, Prompt, Reason
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Reference
from edge.drivers.sim import head, portrait
from edge.models.embedding import likeness, match_distance
from edge.models.liveness import Check
from edge.models.manifest import specs
from edge.models.observation import Limits, Observation
from edge.models.preprocess import picture_of
from edge.models.watcher import Watcher, view_of
from edge.ports import Picture, WatchOrder
from tests.helpers_models import PromptedCamera, admiral, astronaut, printed, watch

REACTION_S = 0.5
TURNS = {
    Prompt.LEFT: (30, 0, 0, 0),
    Prompt.RIGHT: (-30, 0, 0, 0),
    Prompt.UP: (0, 20, 0, 0),
    Prompt.DOWN: (0, -20, 0, 0),
    Prompt.MOUTH: (0, 0, 0, 1),
    Prompt.BLINK: (0, 0, 1, 0),
}
ORDER = (Action.LEFT, Action.UP)


@pytest.fixture(scope="module")
def heads():
    return {spec.name: head.Head(spec) for spec in (portrait.ASTRONAUT, portrait.ADMIRAL)}


@pytest.fixture(scope="module")
def watcher(models_dir):
    nobody = PromptedCamera(lambda prompt, since_s: np.zeros((480, 640, 3), np.uint8))
    return Watcher(nobody, models_dir, nobody.mono_ns)


def card(spec) -> Picture:
    return picture_of(portrait.card_portrait(spec))


def resident(drawn, turns=TURNS):
    """A head that answers each prompt after a moment, smoothly, and keeps the pose."""
    pose = np.zeros(4)

    def scene(prompt, since_s):
        late = since_s - REACTION_S
        target = np.array(turns.get(prompt, (0, 0, 0, 0)) if late > 0 else pose, float)
        if prompt is Prompt.BLINK and late > 0.4:
            target = np.zeros(4)
        pose[:] += np.clip(target - pose, [-4, -4, -0.4, -0.3], [4, 4, 0.4, 0.3])
        return drawn.render(head.Pose(*map(float, pose)))

    return scene


@pytest.mark.parametrize("name", ["astronaut", "admiral"])
@pytest.mark.parametrize(
    "order",
    [
        (Action.LEFT, Action.UP, Action.MOUTH),
        (Action.RIGHT, Action.DOWN, Action.BLINK),
    ],
)
def test_e03_a_resident_who_follows_passes_and_is_known(watcher, heads, name, order) -> None:
    spec = portrait.ASTRONAUT if name == "astronaut" else portrait.ADMIRAL
    camera = PromptedCamera(resident(heads[name]))
    looks = watch(watcher, camera, order, card(spec))
    verdict = looks[-1].result.verdict
    assert verdict.live
    assert verdict.alike
    assert verdict.passed
    assert verdict.actions == order
    assert verdict.reasons == ()
    assert verdict.reference is Reference.CHIP
    assert verdict.liveness.model_sha256 == specs()["face_mesh"].sha256
    assert verdict.likeness.model_sha256 == specs()["face_embedding"].sha256
    assert verdict.frames == len(looks)
    assert 3 < verdict.seconds < 30
    assert not camera.is_open
    shown = looks[-1].result.portrait
    assert 200 < shown.width < shown.height * 1.2
    assert len(shown.rgb) == shown.width * shown.height * 3


def test_the_comparison_is_of_five_to_ten_frontal_frames(watcher, heads, monkeypatch) -> None:
    """The mean of frames, each with its mirror image (`test_a_mirrored_chip_is_the_same_face`)."""
    tries, result = [], watcher._result
    monkeypatch.setattr(
        watcher, "_result", lambda attempt: tries.append(attempt) or result(attempt)
    )
    camera = PromptedCamera(resident(heads["astronaut"]))
    verdict = watch(watcher, camera, ORDER, card(portrait.ASTRONAUT))[-1].result.verdict
    (attempt,) = tries
    assert 5 <= len(attempt.frontal) <= 10
    assert len({frontal.tobytes() for frontal in attempt.frontal}) == len(attempt.frontal)
    apart = match_distance(attempt.frontal, attempt.reference)
    assert verdict.likeness.value == pytest.approx(likeness(apart))


def test_the_card_of_another_person_is_not_alike(watcher, heads) -> None:
    camera = PromptedCamera(resident(heads["astronaut"]))
    verdict = watch(watcher, camera, ORDER, card(portrait.ADMIRAL))[-1].result.verdict
    assert verdict.live
    assert not verdict.alike
    assert verdict.reasons == (Reason.NOT_ALIKE,)


@pytest.mark.parametrize(
    "reference",
    [None, Picture(102, 126, bytes(102 * 126 * 3)), Picture(102, 126, b"short")],
    ids=["no picture", "no face on it", "no picture at all"],
)
def test_without_a_reference_the_person_may_still_be_live(watcher, heads, reference) -> None:
    camera = PromptedCamera(resident(heads["astronaut"]))
    verdict = watch(watcher, camera, ORDER, reference)[-1].result.verdict
    assert verdict.live
    assert verdict.likeness is None
    assert verdict.reference is Reference.NONE
    assert verdict.reasons == (Reason.NO_REFERENCE,)
    assert not verdict.passed


def test_a_turn_to_the_other_side_fails(watcher, heads) -> None:
    mirrored = {Prompt.LEFT: TURNS[Prompt.RIGHT]}
    camera = PromptedCamera(resident(heads["astronaut"], mirrored))
    verdict = watch(watcher, camera, ORDER)[-1].result.verdict
    assert not verdict.live
    assert verdict.reasons[0] is Reason.WRONG_ACTION


def test_another_person_who_steps_in_is_found(watcher, heads) -> None:
    """Swapped while looking ahead, at the same place, from one frame to the next."""
    first, second = resident(heads["astronaut"]), resident(heads["admiral"])
    swapped = []

    def scene(prompt, since_s):
        if prompt is Prompt.UP:
            swapped.append(True)
        return (second if swapped else first)(prompt, since_s)

    verdict = watch(watcher, PromptedCamera(scene), ORDER)[-1].result.verdict
    assert not verdict.live
    assert verdict.reasons[0] in (Reason.FACE_CHANGED, Reason.FACE_LOST)


def test_a_second_face_is_noticed(watcher) -> None:
    def scene(prompt, since_s):
        left = printed(astronaut()[:300, 70:370], shift=(-150, 0), tall_px=300)
        right = printed(admiral()[:420, 90:430], shift=(150, 0), tall_px=300)
        return np.where(np.arange(640)[None, :, None] < 320, left, right)

    looks = _some(watcher, PromptedCamera(scene), 5)
    assert Hint.TWO_FACES in {look.progress.hint for look in looks}


def _some(watcher, camera, count):
    watcher._camera, watcher._mono_ns = camera, camera.mono_ns
    running = watcher.watch(WatchOrder(ORDER))
    looks = list(itertools.islice(running, count))
    assert camera.is_open
    running.close()
    assert not camera.is_open
    return looks


def test_an_empty_room_waits_for_a_face_and_closing_closes_the_camera(watcher) -> None:
    room = np.repeat(np.linspace(60, 180, 640)[None, :, None], 480, axis=0).astype(np.uint8)
    camera = PromptedCamera(lambda prompt, since_s: np.repeat(room, 3, axis=2))
    looks = _some(watcher, camera, 10)
    assert {look.progress.hint for look in looks} == {Hint.NO_FACE}
    assert {look.progress.prompt for look in looks} == {Prompt.FRAME_FACE}


def test_e06_a_covered_lens_is_said(watcher) -> None:
    camera = PromptedCamera(lambda prompt, since_s: np.full((480, 640, 3), 9, np.uint8))
    assert {look.progress.hint for look in _some(watcher, camera, 3)} == {Hint.COVERED}


def test_an_order_that_is_no_longer_wanted_opens_no_camera(watcher) -> None:
    """The runner may close the try before its first frame."""
    camera = PromptedCamera(lambda *_: np.zeros((480, 640, 3), np.uint8))
    watcher._camera, watcher._mono_ns = camera, camera.mono_ns
    running = watcher.watch(WatchOrder(ORDER, card(portrait.ASTRONAUT)))
    assert camera.opened == 0
    running.close()
    assert camera.opened == 0
    assert list(running) == []
    assert camera.opened == 0


def test_a_camera_that_fails_is_heard_of(watcher) -> None:
    def scene(prompt, since_s):
        raise DeviceError("camera", Fault.SILENT, "no frame in time")

    with pytest.raises(DeviceError, match="no frame in time"):
        watch(watcher, PromptedCamera(scene), ORDER)


def test_a_stream_that_ends_is_an_error_not_a_verdict(watcher) -> None:
    camera = PromptedCamera(lambda *_: np.zeros((480, 640, 3), np.uint8), frames=3)
    with pytest.raises(DeviceError, match="ended") as failure:
        watch(watcher, camera, ORDER)
    assert failure.value.fault is Fault.SILENT
    assert not camera.is_open


# --- flat prints ---------------------------------------------------------------

PHOTOS = {"astronaut": (astronaut, (0, 300, 70, 370)), "admiral": (admiral, (0, 420, 90, 430))}


def photo_of(name):
    load, (top, bottom, left, right) = PHOTOS[name]
    return load()[top:bottom, left:right]


@pytest.mark.parametrize("name", PHOTOS)
def test_no_tilt_of_a_print_is_read_as_a_turned_head(watcher, name) -> None:
    """Frame by frame along tilts out to 50 degrees: no angle with depth, on either axis."""
    photo, limits, worst = photo_of(name), Limits(), 0.0
    for yaw, pitch, roll in [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (1, 1, 0.3), (-1, 1, 0)]:
        path = [(t * yaw, t * pitch, t * roll) for t in [0] * 6 + list(range(2, 51, 4))]
        neutral = None
        for angles in path:
            view = _view(watcher, printed(photo, *angles))
            if neutral is None or angles == path[0]:
                neutral = view
            if view is None or neutral is None:
                continue
            parallax = _parallax(neutral, view)
            turned = abs(view.pose.yaw - neutral.pose.yaw) >= limits.yaw
            lifted = abs(view.pose.pitch - neutral.pose.pitch) >= limits.pitch
            assert not ((turned or lifted) and parallax >= limits.parallax), angles
            worst = max(worst, parallax)
        watcher._follower.forget()
    assert 0 < worst < 0.2


def _view(watcher, image):
    sight = watcher._follower.look(image)
    return view_of(image, sight.mesh, lids=None) if sight.mesh else None


def _parallax(neutral, view):
    from edge.models.geometry import nose_parallax

    return nose_parallax(neutral.rigid, view.rigid)


def held_up(photo, seed):
    """Somebody holds a print and tilts it on prompt, more or less as asked, hand not steady."""
    rng = np.random.default_rng(seed)
    strength = rng.uniform(20, 50)
    lean = rng.uniform(-15, 15, 3)
    state = np.zeros(5)
    towards = {
        Prompt.LEFT: (1, 0, 0, 20, 0),
        Prompt.RIGHT: (-1, 0, 0, -20, 0),
        Prompt.UP: (0, 1, 0, 0, -20),
        Prompt.DOWN: (0, -1, 0, 0, 20),
    }

    def scene(prompt, since_s):
        target = np.zeros(5)
        if since_s > REACTION_S and prompt in towards:
            target = np.array(towards[prompt], float) * [strength] * 5
            target[:3] += lean
            target[3:] = np.array(towards[prompt][3:]) * rng.uniform(0, 1)
        state[:] += np.clip(target - state, -4, 4)
        yaw, pitch, roll, x, y = state + rng.normal(0, 0.15, 5)
        return printed(photo, yaw, pitch, roll, (x, y))

    return scene


@pytest.mark.parametrize("name", PHOTOS)
def test_a_print_that_is_tilted_on_prompt_is_never_live(models_dir, name) -> None:
    photo = photo_of(name)
    nobody = PromptedCamera(lambda *_: photo)
    impatient = Watcher(nobody, models_dir, nobody.mono_ns, Limits(window_s=1.5))
    orders = [order for order in itertools.permutations(TURNS_BY_AXIS, 2) if _both_axes(order)]
    for seed, order in enumerate(orders):
        camera = PromptedCamera(held_up(photo, seed))
        verdict = watch(impatient, camera, order)[-1].result.verdict
        assert not verdict.live, (seed, order)
        assert verdict.actions == (), (seed, order)


TURNS_BY_AXIS = (Action.LEFT, Action.RIGHT, Action.UP, Action.DOWN)


def _both_axes(order):
    return {action.axis for action in order} == {"yaw", "pitch"}


# --- nothing breaks it ---------------------------------------------------------------


def test_three_hundred_odd_frames_do_not_break_it(watcher, heads) -> None:
    rng = np.random.default_rng(20261123)
    face = heads["astronaut"].render(head.Pose())

    def scene(prompt, since_s):
        width, height = (int(n) for n in rng.integers(1, 700, 2))
        match rng.integers(6):
            case 0:
                return Picture(width, height, rng.bytes(int(rng.integers(0, 5000))))
            case 1:
                return Picture(width, height, bytes(width * height * 3))
            case 2:
                return Picture(width, height, memoryview(b"\xff" * (width * height * 3)))
            case 3:
                return rng.integers(0, 256, (height, width, 3), np.uint8)
            case 4:
                top, left = (int(n) for n in rng.integers(0, 300, 2))
                return np.ascontiguousarray(face[top : top + height, left : left + width])
            case _:
                return face

    camera = PromptedCamera(scene, frames=300)
    watcher._limits = Limits(framing_s=1e6, loss_s=1e6, losses=1000, window_s=1e6)
    with pytest.raises(DeviceError, match="ended"):
        watch(watcher, camera, ORDER)
    watcher._limits = None
    assert camera.at_s == pytest.approx(20.0)


def test_time_that_goes_backwards_does_not_break_it(watcher, heads) -> None:
    face = heads["astronaut"].render(head.Pose())
    camera = PromptedCamera(lambda *_: face, frames=40)
    real = camera._frames

    def shuffled():
        for index, frame in enumerate(real()):
            camera.at_s -= 0.1 if index % 5 == 4 else 0
            yield frame

    camera._frames = shuffled
    with pytest.raises(DeviceError, match="ended"):
        watch(watcher, camera, ORDER)


def test_the_check_asks_for_what_costs_only_when_it_needs_it() -> None:
    assert not Check(ORDER).wants_identity(Observation(0, 0))


def test_f17_wiped_networks_remember_nothing_of_what_they_were_shown(watcher, heads) -> None:
    camera = PromptedCamera(resident(heads["astronaut"]))
    watch(watcher, camera, (Action.LEFT, Action.UP, Action.BLINK), card(portrait.ASTRONAUT))
    parts = (
        watcher._follower._detector,
        watcher._follower._mesher,
        watcher._lids,
        watcher._embedder,
    )
    assert all(part._model._input_view().any() for part in parts)
    watcher.wipe()
    assert not any(part._model._input_view().any() for part in parts)
    assert watcher._follower._mesh is None
