"""Whisper's log-mel spectrogram of the last 8 s, as Smart Turn v3 was trained on it, in numpy. Pure.

The waveform is brought to zero mean and unit variance first and padded with zeros on the left.
"""

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.mel import HOP_SAMPLES, MELS, WINDOW_SAMPLES, mel_power

WINDOW_S = 8.0
FRAMES = 800
_SAMPLES = round(WINDOW_S * SPEECH_RATE)
_FLOOR = 1e-10
_VARIANCE_FLOOR = 1e-7


def log_mel(samples: Pcm32) -> Pcm32:
    """The features of audio that ends now: float32 at 16 kHz, shape (n,); returns float32, shape (80, 800).

    Only frames that hold some of the audio are transformed: all frames of padding are equal.
    """
    audio = np.asarray(samples[-_SAMPLES:], dtype=np.float32)
    padding = _SAMPLES - len(audio)
    mean, scale = _normalisation(audio)
    # Frame f is centred on sample 160 f and reaches 200 to either side; with one frame of padding kept before the audio
    first = max(0, (padding - WINDOW_SAMPLES // 2) // HOP_SAMPLES - 1)
    centre = first * HOP_SAMPLES - padding
    lead = max(0, WINDOW_SAMPLES // 2 - centre)
    heard = np.concatenate([np.zeros(min(lead, padding), dtype=np.float32), audio])
    normal = ((heard - mean) * scale).astype(np.float32)
    if lead > padding:
        normal = np.pad(normal, (lead - padding, 0), mode="reflect")
    normal = np.pad(normal, (0, WINDOW_SAMPLES // 2), mode="reflect")
    power = mel_power(normal)[:, : FRAMES - first]
    features = np.empty((MELS, FRAMES), dtype=np.float32)
    features[:, first:] = np.log10(np.maximum(power, _FLOOR))
    features[:, :first] = features[:, first : first + 1]
    np.maximum(features, features.max() - 8.0, out=features)
    return (features + 4.0) / 4.0


def _normalisation(audio: Pcm32) -> tuple[float, float]:
    """Mean, and one over the standard deviation, of the audio with its padding."""
    total = np.sum(audio, dtype=np.float64)
    mean = total / _SAMPLES
    variance = np.sum(np.square(audio, dtype=np.float64)) / _SAMPLES - mean**2
    return float(mean), float(1.0 / np.sqrt(max(variance, 0.0) + _VARIANCE_FLOOR))
