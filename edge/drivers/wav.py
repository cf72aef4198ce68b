"""Sound as numbers: WAV bytes in and out, and what makes a recording fit to be played.

    decode(bytes) -> Sound -> fit() -> Sound -> encode() -> bytes

No files here. Samples are float32, one channel, full scale at -1..1.
"""

from __future__ import annotations

import io
import struct
import wave
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]

RATE_HZ = 22_050
SHORTEST_S, LONGEST_S = 0.3, 20.0
SPEECH_RMS = 0.12
"""Loudness of every clip, so that a human voice and the engine's follow each other evenly."""
HIGHEST_PEAK = 0.89  # 1 dB below full scale
SILENCE_RMS = 0.003  # -50 dB: nothing was said, or the microphone was off
CLIPPED_SHARE = 0.005
"""A recording with a larger share of its samples at full scale was too loud for the microphone."""


class SoundError(ValueError):
    """A recording that cannot be used. Says why, in words for whoever made it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel of speech."""

    samples: Samples = field(repr=False)
    rate_hz: int = RATE_HZ

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz

    @property
    def rms(self) -> float:
        """Root mean square, 0..1."""
        return float(np.sqrt(np.mean(np.square(self.samples)))) if len(self.samples) else 0.0

    @property
    def peak(self) -> float:
        """Largest absolute sample, 0..1."""
        return float(np.max(np.abs(self.samples), initial=0.0))


def decode(data: bytes) -> Sound:
    """Bytes of a PCM WAV of any rate, 8 to 32 bits, any channels (mixed to one)."""
    try:
        with wave.open(io.BytesIO(data)) as source:
            header = source.getparams()
            frames = source.readframes(header.nframes)
    except (wave.Error, EOFError, struct.error, RuntimeError) as error:
        raise SoundError(f"not a WAV file with PCM samples ({error or 'it ends early'})") from error
    if not 1 <= header.nchannels <= 8 or not 4_000 <= header.framerate <= 192_000:
        raise SoundError(f"{header.nchannels} channels at {header.framerate} Hz")
    if not header.nframes or len(frames) != header.nframes * header.nchannels * header.sampwidth:
        raise SoundError("the file is cut off: its header promises more samples than there are")
    samples = _numbers(frames, header.sampwidth).reshape(-1, header.nchannels).mean(axis=1)
    return Sound(samples.astype(np.float32), header.framerate)


def _numbers(frames: bytes, width: int) -> npt.NDArray[np.float64]:
    """8 bit WAVs are unsigned, all others signed and little-endian."""
    match width:
        case 1:
            return (np.frombuffer(frames, "u1").astype(float) - 128) / 128
        case 2:
            return np.frombuffer(frames, "<i2").astype(float) / 2**15
        case 3:
            padded = np.zeros((len(frames) // 3, 4), "u1")
            padded[:, 1:] = np.frombuffer(frames, "u1").reshape(-1, 3)
            return padded.view("<i4")[:, 0].astype(float) / 2**31
        case 4:
            return np.frombuffer(frames, "<i4").astype(float) / 2**31
        case _:
            raise SoundError(f"samples of {8 * width} bits")


def encode(sound: Sound) -> bytes:
    """A WAV of one channel and 16 bits."""
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(sound.rate_hz)
        target.writeframes(pcm(sound.samples))
    return out.getvalue()


def pcm(samples: Samples) -> bytes:
    """16 bits, little-endian."""
    return (np.clip(samples, -1.0, 1.0) * 32_767).round().astype("<i2").tobytes()


def fit(sound: Sound) -> Sound:
    """Checked, at our rate, without silence at its ends, at our loudness. Raises `SoundError`."""
    if sound.rms < SILENCE_RMS:
        raise SoundError("nothing can be heard; was the microphone on?")
    if float(np.mean(np.abs(sound.samples) >= 0.999)) > CLIPPED_SHARE:
        raise SoundError("too loud for the microphone; move back a little and say it again")
    fitted = levelled(trimmed(resampled(sound)))
    if not SHORTEST_S <= fitted.seconds <= LONGEST_S:
        raise SoundError(
            f"{fitted.seconds:.1f} s of speech; it has to be {SHORTEST_S} to {LONGEST_S:.0f} s"
        )
    return fitted


def resampled(sound: Sound, rate_hz: int = RATE_HZ) -> Sound:
    """At another rate, by cutting or padding the spectrum: nothing above the lower half rate."""
    if sound.rate_hz == rate_hz:
        return sound
    count = max(1, round(len(sound.samples) * rate_hz / sound.rate_hz))
    spectrum = np.fft.rfft(sound.samples)[: count // 2 + 1]
    samples = np.fft.irfft(spectrum, count) * (count / len(sound.samples))
    return Sound(samples.astype(np.float32), rate_hz)


EDGE_S = 0.08
"""Quiet kept before and after the speech."""


def trimmed(sound: Sound) -> Sound:
    """Without the silence before and after: less than a fiftieth of the peak, 34 dB below it."""
    loud = np.flatnonzero(np.abs(sound.samples) > max(sound.peak / 50, SILENCE_RMS))
    if not len(loud):
        return sound
    edge = int(EDGE_S * sound.rate_hz)
    first, last = max(0, int(loud[0]) - edge), int(loud[-1]) + edge
    return Sound(sound.samples[first:last], sound.rate_hz)


def levelled(sound: Sound) -> Sound:
    """At `SPEECH_RMS`, or as near to it as `HIGHEST_PEAK` allows."""
    if not sound.peak:
        return sound
    gain = min(SPEECH_RMS / sound.rms, HIGHEST_PEAK / sound.peak)
    return Sound((sound.samples * gain).astype(np.float32), sound.rate_hz)
