"""The models on pictures of real people, where the evaluation material is at hand."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageSequence

from edge.models.embedding import MATCH_DISTANCE, Embedder, match_distance
from edge.models.faces import Follower, Sight
from edge.models.geometry import nose_parallax, pose_of, rigid_points
from edge.models.observation import Limits
from edge.models.seam import Seam

pytestmark = pytest.mark.eval_data


@pytest.fixture(scope="module")
def follower(models_dir) -> Follower:
    return Follower(models_dir)


def gif_frames(path: Path) -> list[np.ndarray]:
    with Pictures.open(path) as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


def film_frames(path: Path) -> list[np.ndarray]:
    film = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = film.read()
        if not there:
            film.release()
            return frames
        frames.append(np.ascontiguousarray(frame[..., ::-1]))


def followed(follower: Follower, frames: list[np.ndarray]) -> list[Sight]:
    follower.forget()
    return [follower.look(frame) for frame in frames]


@pytest.fixture(scope="module")
def turn(eval_data, follower):
    frames = gif_frames(eval_data / "live" / "head-turn-female.gif")
    sights = followed(follower, frames)
    assert all(sight.mesh is not None for sight in sights)
    return frames, [sight.mesh.points for sight in sights], sights


def test_the_signs_are_the_persons_own(turn) -> None:
    """She looks at the left edge of the picture first: her own right, so yaw is negative."""
    _, meshes, _ = turn
    yaws = [pose_of(points).yaw for points in meshes]
    assert min(yaws[:6]) < -40
    front = int(np.argmin(np.abs(yaws)))
    assert 5 < front < 20
    assert max(yaws) > 25
    for points, yaw in zip(meshes, yaws, strict=True):
        nose_right_of_cheeks = points[4, 0] - (points[234, 0] + points[454, 0]) / 2
        if abs(yaw) > 10:
            assert np.sign(nose_right_of_cheeks) == np.sign(yaw)


def test_a_real_turn_has_the_depth_the_check_asks_for(turn) -> None:
    _, meshes, _ = turn
    limits = Limits()
    yaws = [pose_of(points).yaw for points in meshes]
    front = int(np.argmin(np.abs(yaws)))
    neutral = rigid_points(meshes[front])
    sides = {"left": 0, "right": 0}
    for points, yaw in zip(meshes, yaws, strict=True):
        change = yaw - yaws[front]
        if abs(change) >= limits.yaw:
            parallax = nose_parallax(neutral, rigid_points(points))
            needed = limits.parallax + limits.parallax_per_degree * (abs(change) - limits.yaw)
            assert parallax >= needed
            sides["left" if change > 0 else "right"] += 1
    assert min(sides.values()) >= 3


def test_the_track_holds_and_it_stays_the_same_person(turn, models_dir) -> None:
    frames, meshes, sights = turn
    assert {sight.track for sight in sights} == {1}
    assert {sight.faces for sight in sights} == {1}
    yaws = [pose_of(points).yaw for points in meshes]
    front = int(np.argmin(np.abs(yaws)))
    embedder = Embedder(models_dir)
    first = embedder.embed(frames[front], meshes[front])
    for frame, points in list(zip(frames, meshes, strict=True))[::3]:
        assert match_distance([embedder.embed(frame, points)], first) < Limits().same_person


def seams(frames: list[np.ndarray], sights: list[Sight], embedder: Embedder) -> list[float]:
    seam, found = Seam(embedder), []
    for frame, sight in zip(frames, sights, strict=True):
        if sight.mesh is not None:
            found.append(seam.see(frame, sight.mesh))
    return found


def test_a_real_turn_has_no_seam_and_no_jump(turn, models_dir) -> None:
    """12.5 frames a second, up to 220 degrees a second: as quick as a person turns."""
    frames, meshes, sights = turn
    limits = Limits()
    found = seams(frames, sights, Embedder(models_dir))
    assert 0 < max(found) < 0.8 * limits.seam
    for one, other in pairwise(pose_of(points) for points in meshes):
        reach = limits.jump_per_s * 0.08
        assert max(abs(one.yaw - other.yaw), abs(one.pitch - other.pitch)) <= reach


def test_a_held_real_turn_proves_the_person(turn, models_dir) -> None:
    """The nearest two of any three neighbouring frames beyond the threshold, on both sides."""
    frames, meshes, _ = turn
    yaws = np.array([pose_of(points).yaw for points in meshes])
    front = int(np.argmin(np.abs(yaws)))
    embedder = Embedder(models_dir)
    all_of_them = [embedder.embed(*pair) for pair in zip(frames, meshes, strict=True)]
    apart = np.array([match_distance([one], all_of_them[front]) for one in all_of_them])
    far = np.abs(yaws - yaws[front]) >= Limits().yaw
    held = [
        float(np.sort(apart[i : i + 3])[:2].mean())
        for i in range(len(frames) - 2)
        if far[i : i + 3].all()
    ]
    assert len(held) >= 5
    assert max(held) < Limits().same_person


@pytest.mark.parametrize("every", [1, 3], ids=["30 fps", "10 fps"])
def test_no_seam_in_films_of_people_who_sign_before_their_face(
    eval_data, follower, models_dir, every
) -> None:
    embedder, found = Embedder(models_dir), []
    for film in sorted((eval_data / "live").glob("clip_*.mkv")):
        frames = film_frames(film)[::every]
        found += seams(frames, followed(follower, frames), embedder)
    assert len(found) >= 900 / every
    assert 0 < max(found) < 0.8 * Limits().seam


def test_people_who_only_talk_and_sign_make_no_head_movement(eval_data, follower) -> None:
    """No clip has a fully made and kept turn or nod with depth, measured as the check does."""
    limits, films = Limits(), sorted((eval_data / "live").glob("clip_*.mkv"))
    assert len(films) == 14
    for film in films:
        sights = followed(follower, film_frames(film))
        meshes = [sight.mesh.points for sight in sights if sight.mesh]
        assert len(meshes) >= 0.7 * len(sights), film.name
        assert _kept_movement(meshes, limits) is None, film.name


def _kept_movement(meshes: list[np.ndarray], limits: Limits) -> str | None:
    """The first axis moved beyond its threshold, with depth, for the time of a hold (30 fps)."""
    poses = [pose_of(points) for points in meshes]
    middle = {axis: np.median([getattr(p, axis) for p in poses]) for axis in ("yaw", "pitch")}
    nearest = min(range(len(poses)), key=lambda i: abs(poses[i].yaw - middle["yaw"]))
    neutral = rigid_points(meshes[nearest])
    for axis in ("yaw", "pitch"):
        run = 0
        for points, pose in zip(meshes, poses, strict=True):
            far = abs(getattr(pose, axis) - middle[axis]) >= getattr(limits, axis)
            deep = nose_parallax(neutral, rigid_points(points)) >= limits.parallax
            run = run + 1 if far and deep else 0
            if run >= limits.hold_s * 30:
                return axis
    return None


@pytest.mark.parametrize("film", ["no-frontal-face-classroom.gif", "passers-by.gif"])
def test_nobody_stands_at_the_kiosk_when_people_only_pass_by(eval_data, follower, film) -> None:
    sights = followed(follower, gif_frames(eval_data / "live" / film))
    near = [s for s in sights if s.mesh and _eye_distance(s) >= Limits().min_eye_distance_px]
    assert near == []


def _eye_distance(sight: Sight) -> float:
    points = sight.mesh.points
    return float(np.linalg.norm(points[[33, 133], :2].mean(0) - points[[362, 263], :2].mean(0)))


def test_portraits_of_one_person_are_nearer_than_those_of_two(
    eval_data, follower, models_dir
) -> None:
    """Six people of the ORL set, three pictures each, at the kiosk's threshold."""
    embedder, found = Embedder(models_dir), {}
    for person in range(1, 7):
        for number in (1, 4, 8):
            grey = cv2.imread(str(eval_data / "verify" / f"s{person}" / f"{number}.pgm"))
            image = cv2.resize(grey, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
            mesh = follower.find_one(image)
            assert mesh is not None
            found[person, number] = embedder.embed(image, mesh.points)
    pairs = [(a, b) for a in found for b in found if a < b]
    same = [match_distance([found[a]], found[b]) for a, b in pairs if a[0] == b[0]]
    other = [match_distance([found[a]], found[b]) for a, b in pairs if a[0] != b[0]]
    assert max(same) < MATCH_DISTANCE < min(other)
