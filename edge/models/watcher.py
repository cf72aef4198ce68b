"""Camera and models together: the `Eyes` of the kiosk."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.domain.challenge import Reason, WatchProgress
from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Reference, Score, Verdict
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.models import geometry, quality
from edge.models.embedding import (
    Embedder,
    Embedding,
    face_of,
    kept_face,
    match_distance,
)
from edge.models.faces import Box, Follower, Lids, Mesh, Sight
from edge.models.gate import Judgement, judge
from edge.models.geometry import Light
from edge.models.layers import Layers, LayersTry, reasons_of
from edge.models.liveness import Check, Stage
from edge.models.mixture import Patch, patch_of
from edge.models.observation import FaceView, Limits, Observation
from edge.models.preprocess import Image, enlarged, image_of, picture_of
from edge.models.runtime import sha256_of_model
from edge.models.seam import Seam
from edge.ports import Camera, CheckResult, Frame, Health, Look, Picture, WatchOrder

LIVENESS_THRESHOLD = 0.5  # where `Check.evidence` says depth was just enough
STALLED_NS = 5 * NS_PER_S
STAGES_OF_GETTING_READY = (Stage.FRAMING, Stage.BASELINE)
LIT_STAGES = (Stage.FRAMING, Stage.BASELINE, Stage.FINAL)
REFERENCE_WIDTH_PX = 300  # the chip's 102 px, three times
# Head and shoulders, in heights of the face: above the brow, below the chin, to each side.
PORTRAIT_ABOVE, PORTRAIT_BELOW, PORTRAIT_ASIDE = 0.55, 0.65, 0.85


@dataclass(slots=True)
class _Try:
    """What one try gathers besides the check itself. Nothing of it outlives the try."""

    check: Check
    reference: Embedding | None = field(repr=False)
    seam: Seam = field(repr=False)
    started_ns: MonoNs
    moved_ns: MonoNs  # when the time of the frames last moved on
    layers: LayersTry = field(repr=False)
    frames: int = 0
    last_ns: MonoNs = field(default=MonoNs(0))  # of the newest frame
    light: Light | None = None
    place: Box | None = None  # of the face while no movement was asked for
    first: Embedding | None = field(repr=False, default=None)
    frontal: list[Embedding] = field(repr=False, default_factory=list)
    portrait: Picture | None = field(repr=False, default=None)
    portrait_sharpness: float = -1.0
    template: Embedding | None = field(repr=False, default=None)
    enrol: bool = False


class Watcher:
    """Runs a check on a camera's frames. Models are loaded once, here; one try at a time.

    `mono_ns` is the clock that `Frame.captured_ns` counts on.
    """

    def __init__(
        self,
        camera: Camera,
        models_dir: Path,
        mono_ns: Callable[[], MonoNs],
        limits: Limits | None = None,
        layers: Layers | None = None,
    ) -> None:
        self.provenance = camera.provenance
        self._camera = camera
        self._mono_ns = mono_ns
        self._limits = limits
        self._layers = layers or Layers()
        self._follower = Follower(models_dir)
        self._lids = Lids(models_dir)
        self._embedder = Embedder(models_dir)

    def health(self) -> Health:
        return self._camera.health()

    def view(self) -> Generator[Frame]:
        """See `Eyes.view`."""
        with self._camera.stream() as frames:
            yield from frames
        raise DeviceError("camera", Fault.SILENT, "the stream ended")

    def watch(self, order: WatchOrder) -> Generator[Look]:
        """See `Eyes.watch`. Raises `DeviceError` when the camera does or its stream ends.

        A generator: nothing is opened before its first frame is asked for, and nothing at
        all if it is closed before that.
        """
        reference = self._embed_reference(order.reference)
        check = Check(order.actions, self._limits or (Limits.slow() if order.slow else Limits()))
        now_ns = self._mono_ns()
        layers = self._layers.begin(self._camera, self._mono_ns)
        attempt = _Try(check, reference, Seam(self._embedder), now_ns, now_ns, layers)
        attempt.template, attempt.enrol = kept_face(order.template), order.enrol
        self._follower.forget()
        with self._camera.stream() as frames, closing(layers):
            for frame in frames:
                progress = self._step(attempt, frame)
                result = self._result(attempt) if attempt.check.finished else None
                yield Look(frame, progress, result)
                if result is not None:
                    return
        raise DeviceError("camera", Fault.SILENT, "the stream ended before the check did")

    def wipe(self) -> None:
        """Keep no face, neither here nor in the networks' memory; some 20 ms."""
        self._follower.wipe()
        self._lids.wipe()
        self._embedder.wipe()
        if self._layers.passive is not None:
            self._layers.passive.wipe()

    def _embed_reference(self, picture: Picture | None) -> Embedding | None:
        image = image_of(picture) if picture else None
        return None if image is None else embed_reference(image, self._follower, self._embedder)

    # --- one frame ---------------------------------------------------------------

    def _step(self, attempt: _Try, frame: Frame) -> WatchProgress:
        attempt.frames += 1
        self._keep_time(attempt, frame.captured_ns)
        image = image_of(frame.picture)
        if image is None:
            return attempt.check.see(Observation(attempt.last_ns, faces=0))
        attempt.layers.frame(image, frame)
        sight = self._follower.look(image)
        counted = attempt.check.frontal_frames
        seen = self._observe(attempt, image, sight)
        progress = attempt.check.see(seen)
        if attempt.check.stage not in STAGES_OF_GETTING_READY:
            attempt.layers.face(image, frame, sight.mesh, seen.face)
        if attempt.check.frontal_frames > counted:
            self._keep(attempt, image, sight.mesh, seen.face)
        return attempt.layers.lit(progress)

    def _keep_time(self, attempt: _Try, captured_ns: MonoNs) -> None:
        """Backwards it does not run here. Raises `DeviceError` where it stands still: then no
        time limit of the check would ever end the try."""
        now_ns = self._mono_ns()
        if captured_ns > attempt.last_ns:
            attempt.last_ns, attempt.moved_ns = captured_ns, now_ns
        elif now_ns - attempt.moved_ns > STALLED_NS:
            raise DeviceError("camera", Fault.GARBLED, "the time of its frames stands still")

    def _observe(self, attempt: _Try, image: Image, sight: Sight) -> Observation:
        if sight.mesh is None:
            blank = attempt.check.wants_quality and quality.is_blank(image)
            return Observation(attempt.last_ns, faces=0, blank=blank)
        lids = self._lids.opening(image, sight.mesh) if attempt.check.wants_lids else None
        view = view_of(image, sight.mesh, lids, _light(attempt, sight.mesh))
        differs = attempt.seam.see(image, sight.mesh)
        if attempt.check.wants_quality:
            view = _with_quality(view, image, sight.mesh.box, attempt.seam.chip())
        seen = Observation(
            at_ns=attempt.last_ns,
            faces=sight.faces,
            track=sight.track,
            face=view,
            seam=differs,
            patch=_patch(attempt, image, sight.mesh.box),
        )
        wanted = attempt.check.wants_identity(seen)
        return replace(seen, identity=_identity(attempt)) if wanted else seen

    def _keep(self, attempt: _Try, image: Image, mesh: Mesh | None, face: FaceView | None) -> None:
        """Remember a frontal face for the comparison, and the sharpest picture."""
        if mesh is None or face is None:
            return
        attempt.frontal.append(attempt.seam.embedding())
        attempt.layers.frontal(image, mesh)
        if face.sharpness > attempt.portrait_sharpness:
            attempt.portrait_sharpness = face.sharpness
            attempt.portrait = picture_of(head_and_shoulders(image, mesh.box))

    # --- the end -------------------------------------------------------------------

    def _result(self, attempt: _Try) -> CheckResult:
        liveness = _liveness(attempt.check)
        judged = _judged(attempt)
        live = attempt.check.stage is Stage.PASSED and liveness is not None and liveness.passed
        layers = attempt.layers.results()
        verdict = Verdict(
            live=live,
            actions=attempt.check.done,
            liveness=liveness,
            likeness=judged.likeness,
            reference=judged.reference,
            reasons=(*_reasons(attempt, liveness, judged), *reasons_of(layers)),
            frames=attempt.frames,
            seconds=(self._mono_ns() - attempt.started_ns) / NS_PER_S,
            layers=layers,
            card_photo=judged.card_photo,
        )
        face = face_of(attempt.frontal) if attempt.enrol and live else b""
        return CheckResult(verdict, attempt.portrait, face)


def embed_reference(image: Image, follower: Follower, embedder: Embedder) -> Embedding | None:
    """The face on a card's picture, enlarged first if it is small; `None` if none is found."""
    if image.shape[1] < REFERENCE_WIDTH_PX:
        image = enlarged(image, REFERENCE_WIDTH_PX / image.shape[1])
    mesh = follower.find_one(image)
    return None if mesh is None else embedder.embed(image, mesh.points)


def _light(attempt: _Try, mesh: Mesh) -> Light:
    """Measured where the check or the portrait depends on it; meanwhile what it was."""
    if attempt.light is None or attempt.check.stage in LIT_STAGES:
        attempt.light = geometry.light_of(mesh.cut)
    return attempt.light


def view_of(image: Image, mesh: Mesh, lids: float | None, light: Light | None = None) -> FaceView:
    """What the check is told of a face; `lids` from `Lids.opening` where it wants them."""
    height, width = image.shape[:2]
    box, light = mesh.box, light or geometry.light_of(mesh.cut)
    return FaceView(
        pose=geometry.pose_of(mesh.points),
        eye_distance_px=geometry.eye_distance(mesh.points),
        mouth=geometry.mouth_opening(mesh.points),
        lids=lids,
        off_centre=(
            (box.left + box.right) / 2 / width - 0.5,
            (box.top + box.bottom) / 2 / height - 0.5,
        ),
        width=(box.right - box.left) / width,
        brightness=light.brightness,
        sharpness=light.sharpness,
        rigid=geometry.rigid_points(mesh.points),
    )


def _with_quality(view: FaceView, image: Image, box: Box, chip: Image) -> FaceView:
    lips, eyes = quality.lips_and_eyes(chip)
    return replace(view, behind=quality.behind(image, box.left, box.right), lips=lips, eyes=eyes)


def _patch(attempt: _Try, image: Image, face: Box) -> Patch | None:
    """Where the face is when a movement is asked for; then the same place, wherever it goes."""
    if not attempt.check.wants_patch:
        attempt.place = face
        return None
    return patch_of(image, attempt.place or face)


def _identity(attempt: _Try) -> float:
    """How far the newest face points away from the first frontal one of this try."""
    newest = attempt.seam.embedding()
    if attempt.first is None:
        attempt.first = newest
    return match_distance([newest], attempt.first)


def _liveness(check: Check) -> Score | None:
    if check.evidence is None:
        return None
    return Score(check.evidence, LIVENESS_THRESHOLD, sha256_of_model("face_mesh"))


def _judged(attempt: _Try) -> Judgement:
    """The mean of the frontal embeddings against the references: steadier than any one frame."""
    card, kept = attempt.reference, attempt.template
    if attempt.frontal:
        return judge(_distance(attempt, card), _distance(attempt, kept))
    if card is None and kept is None:
        return judge(None, None)
    return Judgement(Reference.TEMPLATE if card is None else Reference.CHIP, None)


def _distance(attempt: _Try, reference: Embedding | None) -> float | None:
    return None if reference is None else match_distance(attempt.frontal, reference)


def _reasons(attempt: _Try, liveness: Score | None, judged: Judgement) -> tuple[Reason, ...]:
    reasons = list(attempt.check.reasons)
    if not reasons and not (liveness and liveness.passed):
        reasons.append(Reason.FLAT)
    return (*reasons, *judged.reasons)


def head_and_shoulders(image: Image, face: Box) -> Image:
    """The part of the picture a portrait shows, as far as the picture reaches."""
    height, width = image.shape[:2]
    tall, middle = face.bottom - face.top, (face.left + face.right) / 2
    top = max(0, round(face.top - PORTRAIT_ABOVE * tall))
    bottom = min(height, round(face.bottom + PORTRAIT_BELOW * tall))
    left = max(0, round(middle - PORTRAIT_ASIDE * tall))
    right = min(width, round(middle + PORTRAIT_ASIDE * tall))
    return image[top:bottom, left:right]
