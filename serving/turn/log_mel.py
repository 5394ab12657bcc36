"""Whisper's log-mel spectrogram of the last seconds (8 by default), as Smart Turn v3 was trained on it, in numpy. Pure.

The waveform is brought to zero mean and unit variance first and padded with zeros on the left.
"""

import numpy as np

from serving.audio import Pcm32
from serving.mel import HOP_SAMPLES, MELS, WINDOW_SAMPLES, mel_power

WINDOW_S = 8.0
FRAMES = 800
_FLOOR = 1e-10
_VARIANCE_FLOOR = 1e-7


def log_mel(samples: Pcm32, frames: int = FRAMES) -> Pcm32:
    """The features of audio that ends now: float32 at 16 kHz, shape (n,); returns float32, shape (80, frames), 10 ms each.

    Only frames that hold some of the audio are transformed: all frames of padding are equal.
    """
    window = frames * HOP_SAMPLES
    audio = np.asarray(samples[-window:], dtype=np.float32)
    padding = window - len(audio)
    mean, scale = _normalisation(audio, window)
    # Frame f is centred on sample 160 f and reaches 200 to either side; with one frame of padding kept before the audio
    first = max(0, (padding - WINDOW_SAMPLES // 2) // HOP_SAMPLES - 1)
    centre = first * HOP_SAMPLES - padding
    lead = max(0, WINDOW_SAMPLES // 2 - centre)
    heard = np.concatenate([np.zeros(min(lead, padding), dtype=np.float32), audio])
    normal = ((heard - mean) * scale).astype(np.float32)
    if lead > padding:
        normal = np.pad(normal, (lead - padding, 0), mode="reflect")
    normal = np.pad(normal, (0, WINDOW_SAMPLES // 2), mode="reflect")
    power = mel_power(normal)[:, : frames - first]
    features = np.empty((MELS, frames), dtype=np.float32)
    features[:, first:] = np.log10(np.maximum(power, _FLOOR))
    features[:, :first] = features[:, first : first + 1]
    np.maximum(features, features.max() - 8.0, out=features)
    return (features + 4.0) / 4.0


def _normalisation(audio: Pcm32, window: int) -> tuple[float, float]:
    """Mean, and one over the standard deviation, of the audio with its padding to `window` samples."""
    total = np.sum(audio, dtype=np.float64)
    mean = total / window
    variance = np.sum(np.square(audio, dtype=np.float64)) / window - mean**2
    return float(mean), float(1.0 / np.sqrt(max(variance, 0.0) + _VARIANCE_FLOOR))
