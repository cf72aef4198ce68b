"""What the capture process costs: `python -m tests.tools.bench_capture [FRAMES]`, 20 per second.

Latency is the age of a frame when the reader has it; processor time is that of both
processes together, per frame. The same camera without a process is the comparison, and
start is the time from `stream()` to the first frame.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

import psutil

from edge.ports import Camera, Frame
from tests.camera_bench import camera, mono_ns, processed


def cpu_s() -> float:
    here = psutil.Process()
    times = [p.cpu_times() for p in (here, *here.children())]
    return sum(t.user + t.system for t in times)


def measure(device: Camera, count: int) -> tuple[float, list[float], float]:
    """Start in s, ages in ms, processor time per frame in ms."""
    began_s = time.monotonic()
    with device.stream() as frames:
        next(frames)
        start_s = time.monotonic() - began_s
        before_s = cpu_s()
        ages = list(_ages(frames, count))
        return start_s, ages, (cpu_s() - before_s) * 1000 / count


def _ages(frames: Iterator[Frame], count: int) -> Iterator[float]:
    for _ in range(count):
        captured_ns = next(frames).captured_ns
        yield (mono_ns() - captured_ns) / 1e6


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("picture   camera   start s   age median ms   age p99 ms   cpu ms/frame")
    for size, behaviour in (("640x480", "counts"), ("1280x720", "counts-720")):
        for name, device in (("direct", camera(behaviour)), ("process", processed(behaviour))):
            start_s, ages, cpu_ms = measure(device, count)
            p99 = statistics.quantiles(ages, n=100)[98]
            median = statistics.median(ages)
            print(f"{size:9} {name:8} {start_s:7.2f} {median:15.2f} {p99:12.2f} {cpu_ms:14.2f}")


if __name__ == "__main__":
    main()
