"""Recordings good and bad: every one is either made fit or refused with a reason."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers import wav
from edge.drivers.wav import Sound, SoundError


def tone(seconds: float, rate_hz: int = 22_050, hz: float = 440.0, peak: float = 0.5) -> Sound:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return Sound((peak * np.sin(2 * np.pi * hz * t)).astype(np.float32), rate_hz)


def file_of(sound: Sound, *, channels: int = 1, width: int = 2) -> bytes:
    """A WAV in other clothes than ours."""
    full = 2 ** (8 * width - 1)
    numbers = np.repeat(np.round(sound.samples * (full - 1)).astype("<i4"), channels)
    if width == 1:
        frames = (numbers + 128).astype("u1").tobytes()
    else:
        frames = numbers.view("u1").reshape(-1, 4)[:, :width].tobytes()
    out = io.BytesIO()
    with wave.open(out, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(width)
        target.setframerate(sound.rate_hz)
        target.writeframes(frames)
    return out.getvalue()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_any_pcm_file_becomes_one_channel_at_our_rate(
    rate_hz: int, channels: int, width: int
) -> None:
    fitted = wav.fit(wav.decode(file_of(tone(1, rate_hz), channels=channels, width=width)))
    assert fitted.rate_hz == wav.RATE_HZ
    assert fitted.seconds == pytest.approx(1, abs=0.01)
    assert fitted.rms == pytest.approx(wav.SPEECH_RMS, rel=0.01)
    spectrum = np.abs(np.fft.rfft(fitted.samples))
    assert np.argmax(spectrum) * wav.RATE_HZ / len(fitted.samples) == pytest.approx(440, abs=2)


def test_nothing_above_half_the_rate_folds_back() -> None:
    mixed = tone(1, 48_000).samples + tone(1, 48_000, hz=15_000).samples
    lower = wav.resampled(Sound(mixed, 48_000))
    assert lower.rms == pytest.approx(tone(1).rms, rel=0.01)


def test_what_we_write_we_read() -> None:
    sound = tone(0.5)
    again = wav.decode(wav.encode(sound))
    assert np.abs(again.samples - sound.samples).max() < 1e-4


def test_silence_at_the_ends_goes_and_a_little_stays() -> None:
    quiet = np.zeros(22_050, np.float32)
    fitted = wav.fit(Sound(np.concatenate([quiet, tone(1).samples, quiet])))
    assert fitted.seconds == pytest.approx(1 + 2 * wav.EDGE_S, abs=0.02)


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (tone(2, peak=0.0), "nothing can be heard"),
        (tone(2, peak=0.002), "nothing can be heard"),
        (tone(0.05), "s of speech"),
        (tone(21), "s of speech"),
        (Sound(np.sign(tone(2).samples)), "too loud"),
    ],
)
def test_unfit_recordings_are_refused_in_words(sound: Sound, why: str) -> None:
    with pytest.raises(SoundError, match=why):
        wav.fit(sound)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"ID3\x04" + bytes(400),
        b"OggS" + bytes(400),
        wav.encode(tone(1))[:-1000],
        wav.encode(tone(1))[:44],
        wav.encode(tone(1))[:40],
        file_of(tone(1)).replace(b"\x01\x00\x01\x00", b"\x55\x00\x01\x00", 1),  # MP3 inside
    ],
)
def test_files_that_are_no_whole_pcm_wav(data: bytes) -> None:
    with pytest.raises(SoundError):
        wav.decode(data)


GOOD = wav.encode(tone(0.4))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_fuzz_a_mutated_file_is_fit_or_refused_and_nothing_else(data: st.DataObject) -> None:
    mutated = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, 60))
        mutated[at] = data.draw(st.integers(0, 255))
    mutated = mutated[: data.draw(st.integers(0, len(mutated)))] if at % 3 == 0 else mutated
    try:
        fitted = wav.fit(wav.decode(bytes(mutated)))
    except SoundError:
        return
    assert wav.SHORTEST_S <= fitted.seconds <= wav.LONGEST_S
    assert np.isfinite(fitted.samples).all()
    assert fitted.peak <= wav.HIGHEST_PEAK + 1e-6


@given(st.floats(0.01, 0.9), st.floats(0.4, 3.0))
@settings(max_examples=30, deadline=None)
def test_levelling_never_clips(peak: float, seconds: float) -> None:
    level = wav.levelled(tone(seconds, peak=peak))
    assert level.peak <= wav.HIGHEST_PEAK + 1e-6
    assert level.rms <= wav.SPEECH_RMS + 1e-6
