"""A film that hears nothing shows every try the same frames, so its pixels are looked at once.

The product's own watcher runs for each try; only what it would work out again from the very same
pixels comes from memory: the sight of each frame, lids, embeddings and the card. What it is told
and what it decides is what it would be with a camera (`tests/integration/test_evaluation.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.domain.challenge import Prompt
from edge.domain.timebase import MonoNs
from edge.evaluate.scenes.cast import Draw
from edge.models.embedding import Embedder, Embedding
from edge.models.faces import Follower, Lids, Mesh, Sight
from edge.models.preprocess import Image
from edge.models.watcher import Watcher
from edge.ports import Camera, Picture


def once(draw: Draw) -> Draw:
    """The same pictures at the same times, each drawn once. For films only."""
    drawn: dict[float, Image] = {}

    def shown(prompt: Prompt, since_s: float, at_s: float) -> Image:
        if at_s not in drawn:
            drawn[at_s] = draw(prompt, since_s, at_s)
        return drawn[at_s]

    return shown


class _Follower(Follower):
    """`forget` goes back to the film's beginning, `change` to another film's."""

    def __init__(self, models_dir: Path) -> None:
        self._sights: list[Sight] = []
        self._at = 0
        super().__init__(models_dir)

    def change(self) -> None:
        super().forget()
        self._sights, self._at = [], 0

    def forget(self) -> None:
        if not self._sights:
            super().forget()
        self._at = 0

    def look(self, image: Image) -> Sight:
        if self._at == len(self._sights):
            self._sights.append(super().look(image))
        self._at += 1
        return self._sights[self._at - 1]


class _Lids(Lids):
    def __init__(self, models_dir: Path) -> None:
        super().__init__(models_dir)
        self.known: dict[int, float] = {}

    def opening(self, image: Image, mesh: Mesh) -> float:
        """By the mesh itself: the follower keeps each as long as the film runs."""
        if id(mesh) not in self.known:
            self.known[id(mesh)] = super().opening(image, mesh)
        return self.known[id(mesh)]


class _Embedder(Embedder):
    def __init__(self, models_dir: Path) -> None:
        super().__init__(models_dir)
        self.known: dict[bytes, Embedding] = {}

    def embed_chip(self, chip: Image) -> Embedding:
        pixels = chip.tobytes()
        if pixels not in self.known:
            self.known[pixels] = super().embed_chip(chip)
        return self.known[pixels]


class CardWatcher(Watcher):
    """Looks at each card's portrait once, however often the card is laid down."""

    def __init__(self, camera: Camera, models_dir: Path, mono_ns: Callable[[], MonoNs]) -> None:
        super().__init__(camera, models_dir, mono_ns)
        self._cards: dict[bytes, Embedding | None] = {}

    def _embed_reference(self, picture: Picture | None) -> Embedding | None:
        key = bytes(picture.rgb) if picture else b""
        if key not in self._cards:
            self._cards[key] = super()._embed_reference(picture)
        return self._cards[key]


class FilmWatcher(CardWatcher):
    """One film at a time, as many tries before it as wanted."""

    def __init__(self, camera: Camera, models_dir: Path, mono_ns: Callable[[], MonoNs]) -> None:
        super().__init__(camera, models_dir, mono_ns)
        self._follower: _Follower = _Follower(models_dir)
        self._lids: _Lids = _Lids(models_dir)
        self._embedder: _Embedder = _Embedder(models_dir)

    def change_film(self) -> None:
        self._follower.change()
        self._lids.known.clear()
        self._embedder.known.clear()
