"""The interruption model's input: the sound from shortly before its onset, as a log-mel spectrogram. Pure.

The window begins LEAD_S before the onset, so its length tells the model how long the sound has lasted; its gain is fixed, so
loudness tells callers from television sets. scripts/train/interruption/model.py trains on the same features.
"""

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.log_mel import HOP_SAMPLES, WINDOW_SAMPLES, log_mel_power

LEAD_S = 0.4
"""How much of the line before the onset is shown."""
MAX_OVERLAP_S = 1.6
"""Of a longer overlap the last LEAD_S + MAX_OVERLAP_S are shown."""
MIN_OVERLAP_S = 0.06
"""A shorter overlap is treated as if it had begun this long ago."""
GAIN = 20.0
"""Brings speech at -26 dBFS to a variance of 1, which the encoder is used to."""
FLOOR = 10**-5.5
"""The least power in a mel band: 85 dB below loud speech."""


def onset_window(samples: Pcm32, overlap_s: float) -> Pcm32:
    """The last `overlap_s` seconds and LEAD_S before them, at 16 kHz, shape (n,), as a copy; padded with silence."""
    wanted = round((LEAD_S + min(max(overlap_s, MIN_OVERLAP_S), MAX_OVERLAP_S)) * SPEECH_RATE)
    window = np.zeros(wanted, np.float32)
    there = samples[-wanted:]
    if len(there):
        window[-len(there) :] = there
    return window


def onset_log_mel(window: Pcm32) -> Pcm32:
    """Features of a window, float32, shape (80, (n - 400) // 160 + 1). The last frame ends where the window ends."""
    spare = (len(window) - WINDOW_SAMPLES) % HOP_SAMPLES
    power = log_mel_power(window[spare:].astype(np.float64) * GAIN, floor=FLOOR)
    return np.asarray((power + 4.0) / 4.0, dtype=np.float32)
