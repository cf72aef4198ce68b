"""A camera in a process of its own, which can be killed when a vendor library hangs.

The process lives as long as the stream: a hang ends with its death, and the next stream
starts from nothing. It answers one line of JSON for each order:

    ours: next | lock | unlock | nudge STOPS | stop      (end of file means stop, too)
    its:  {"health": [ok, words, fix, fault], "identity": text}       once the camera is there
          {"frame": [width, height, captured_ns, grey_width, grey_height], "lux": number or null,
           "health": if changed}
          {"obeyed": bool}  {"error": [fault, detail, retry]}  {"ended": true}

Pictures go through memory without a name, so nothing can stay behind in /dev/shm: the RGB
bytes, then the grey ones. The process writes there only between our `next` and its `frame`
and always the newest picture, so there is neither a torn frame nor a backlog. At the end of
the stream the memory is zeroed. `edge.drivers.capture_child` is the other end.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import select
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from edge.domain.errors import DeviceError, Fault
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.ports import Frame, Grey, Health, Picture

CAPACITY = 16 * 1024 * 1024  # of the memory, bytes; only what is written takes room
START_S = 15.0  # until the libraries are loaded, from a slow card
PI_PATIENCE, WEBCAM_PATIENCE = 2.7, 6.5  # seconds until the first frame
HANG_S = 2.4
GOODBYE_S = 1.0  # to stop the camera in an orderly way
DISMISSED_MS = 100  # so long a reader may miss that the stream was closed
DEATH_S = 1.0  # a killed process that stays longer sits in the kernel
LOOK_AGAIN_NS = 4 * NS_PER_S
UNDEAD = "the process that hangs cannot be ended"
UNPLUG = "unplug the camera and plug it in again; a ribbon cable only with the power off"


class CaptureProcess:
    """`command` starts the other end; numbers of three descriptors and a word are added to it.

    `first_frame_s` and `hang_s` have to be longer than the camera's own, so that its words are
    heard, unless it hangs itself. `presence` tells cheaply whether the camera is plugged in;
    without it, a process has to be started to look.
    """

    name = "camera"

    def __init__(
        self,
        command: Sequence[str],
        mono_ns: Callable[[], MonoNs],
        *,
        provenance: Provenance = Provenance.LIVE,
        presence: Callable[[], Health] | None = None,
        start_s: float = START_S,
        first_frame_s: float = PI_PATIENCE,
        hang_s: float = HANG_S,
    ) -> None:
        self.provenance = provenance
        self._command = command
        self._mono_ns = mono_ns
        self._start_s, self._patience_s = start_s, (first_frame_s, hang_s)
        self._presence = presence
        self._health = Health(True, "not tried yet")
        self._identity = ""
        self._doubted, self._look_due_ns = True, mono_ns()
        self._streaming = threading.Lock()
        self._child: _Child | None = None

    def open(self) -> None:
        """Look whether the camera is there, in a process that ends at once."""
        if self._streaming.locked():
            return
        with self._alone(), self._started("look") as child:
            self._greeting(child)

    def close(self) -> None:
        """Ends a running stream, from any thread."""
        if child := self._child:
            child.dismiss()

    def health(self) -> Health:
        """Whether the camera is there. After a failure this looks, which may take seconds."""
        if self._streaming.locked():
            return self._health
        if self._child is not None and not self._child.is_dead():
            return Health(False, UNDEAD, UNPLUG, Fault.REFUSED)
        if self._presence is not None:
            return self._presence()
        if self._doubted and self._mono_ns() >= self._look_due_ns:
            with suppress(DeviceError):  # it is in `_health`
                self.open()
            self._look_due_ns = MonoNs(self._mono_ns() + LOOK_AGAIN_NS)
        return self._health

    def lock_exposure(self, locked: bool = True) -> bool:
        return self._obeyed("lock" if locked else "unlock")

    def nudge_exposure(self, stops: float) -> bool:
        return self._obeyed(f"nudge {stops}")

    def _obeyed(self, order: str) -> bool:
        child = self._child
        if child is None or child.dismissed:
            return False
        answer = child.ask(order, self._patience_s[1])
        return bool(answer and answer.get("obeyed"))

    def identity(self) -> str:
        return self._identity

    @contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        with self._alone(), self._started("stream") as child:
            frames = self._frames(child)
            try:
                yield frames
            finally:
                child.dismiss()
                frames.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._streaming.acquire(blocking=False):
            raise DeviceError(self.name, Fault.REFUSED, "already streaming", retry=False)
        try:
            yield
        finally:
            self._streaming.release()

    @contextmanager
    def _started(self, mode: str) -> Iterator[_Child]:
        if self._child is not None and not self._child.is_dead():
            raise self._failed(Fault.REFUSED, UNDEAD, UNPLUG)
        try:
            child = self._child = _Child(self._command, mode, self._mono_ns)
        except OSError as error:
            raise self._failed(Fault.REFUSED, f"no capture process: {error}", "restart") from error
        try:
            yield child
        finally:
            child.end()

    # --- what it says ---

    def _greeting(self, child: _Child) -> None:
        greeting = self._heard(child, child.greeting(self._start_s), self._start_s)
        self._identity = greeting.get("identity", self._identity)
        self._doubted = False

    def _frames(self, child: _Child) -> Generator[Frame, None, None]:
        self._greeting(child)
        patience_s, hang_s = self._patience_s
        while not child.dismissed:
            answer = self._heard(child, child.ask("next", patience_s), patience_s)
            if "frame" not in answer:
                return
            patience_s = hang_s
            yield self._frame(child, answer["frame"], answer.get("lux"))

    def _heard(
        self, child: _Child, answer: dict[str, Any] | None, waited_s: float
    ) -> dict[str, Any]:
        """An answer that is none becomes the `DeviceError` it means."""
        if child.dismissed:
            return {}
        if answer is None:
            child.kill()
            raise self._failed(Fault.SILENT, f"no frame for {waited_s:.1f} s", UNPLUG)
        if "error" in answer:
            fault, detail, retry = answer["error"]
            self._doubt(Health(False, detail, UNPLUG, Fault(fault)))
            raise DeviceError(self.name, Fault(fault), detail, retry=retry)
        if "gone" in answer:
            raise self._failed(Fault.SILENT, "the capture process died", UNPLUG)
        if "health" in answer:
            self._health = _health(answer["health"])
        return answer

    def _frame(self, child: _Child, numbers: list[int], lux: float | None) -> Frame:
        width, height, captured_ns, grey_width, grey_height = numbers
        size, grey_size = width * height * 3, grey_width * grey_height
        if min(numbers) < 0 or not 0 < size <= CAPACITY - grey_size:
            raise self._failed(Fault.GARBLED, f"a frame of {width} x {height}", "restart the kiosk")
        picture = Picture(width, height, child.read(0, size))
        luma = Grey(grey_width, grey_height, child.read(size, grey_size)) if grey_size else None
        return Frame(picture, MonoNs(captured_ns), luma, lux)

    def _failed(self, fault: Fault, why: str, fix: str) -> DeviceError:
        self._doubt(Health(False, why, fix, fault))
        return DeviceError(self.name, fault, f"{why}: {fix}")

    def _doubt(self, health: Health) -> None:
        """What happened to a stream says little about whether the camera is there: look."""
        self._health, self._doubted = health, True
        self._look_due_ns = self._mono_ns()


class _Child:
    """The process, its two pipes and the memory shared with it."""

    def __init__(self, command: Sequence[str], mode: str, mono_ns: Callable[[], MonoNs]) -> None:
        self.dismissed = False
        self._mono_ns = mono_ns
        self._asking = threading.Lock()
        self._closing = threading.Lock()
        self._said = b""
        self._used = 0
        their_orders, self._orders = os.pipe()
        self._answers, their_answers = os.pipe()
        memory = _memory()
        self._pages = mmap.mmap(memory, CAPACITY)
        theirs = (their_orders, their_answers, memory)
        try:
            self._process = subprocess.Popen(
                [*command, *map(str, theirs), mode],
                pass_fds=theirs,
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a vendor library prints belongs to the log
            )
        except OSError:
            os.close(self._orders)
            os.close(self._answers)
            self._pages.close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def ask(self, order: str, patience_s: float) -> dict[str, Any] | None:
        """Its answer; `None` when there is none in time, `{"gone": true}` when it has died."""
        with self._asking:
            self._order(order)
            return self._listen(patience_s)

    def greeting(self, patience_s: float) -> dict[str, Any] | None:
        with self._asking:
            return self._listen(patience_s)

    def _order(self, order: str) -> None:
        with self._closing, suppress(BrokenPipeError):  # that it died is read from its answers
            if self._orders >= 0:
                os.write(self._orders, order.encode() + b"\n")

    def _listen(self, patience_s: float) -> dict[str, Any] | None:
        due_ns = self._mono_ns() + int(patience_s * NS_PER_S)
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        while b"\n" not in self._said:
            left_ms = (due_ns - self._mono_ns()) // 1_000_000
            if left_ms <= 0:
                return None
            if not poll.poll(min(left_ms, DISMISSED_MS)):
                if self.dismissed:
                    return {"gone": True}
                continue
            heard = os.read(self._answers, 4096)
            if not heard:
                return {"gone": True}
            self._said += heard
        line, _, self._said = self._said.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def read(self, start: int, size: int) -> bytes:
        self._used = max(self._used, start + size)
        return self._pages[start : start + size]

    def dismiss(self) -> None:
        """From now on nothing it says counts; from any thread."""
        if not self.dismissed:
            self.dismissed = True
            self._order("stop")

    def kill(self) -> None:
        self._process.kill()

    def is_dead(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        """Nobody uses it any more: let it go, and forget what was seen."""
        self.dismissed = True
        with self._closing:
            os.close(self._orders)
            self._orders = -1
        try:
            self._process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(DEATH_S)
        os.close(self._answers)
        self._pages[: self._used] = bytes(self._used)
        self._pages.madvise(mmap.MADV_REMOVE)
        self._pages.close()


def _health(told: list[Any]) -> Health:
    ok, words, fix, fault = told
    return Health(ok, words, fix, fault and Fault(fault))


def _memory() -> int:
    """Memory of a fixed size, so that the other end cannot pull it away under our feet."""
    memory = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, CAPACITY)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return memory
