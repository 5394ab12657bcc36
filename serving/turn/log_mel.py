"""Whisper's log-mel spectrogram of the last 8 s, as Smart Turn v3 was trained on it, in numpy. Pure.

The transform is that of OpenAI's Whisper (Radford et al. 2022; Slaney's mel scale, Hann window of 25 ms, hop of 10 ms), with
the waveform brought to zero mean and unit variance first and padded with zeros on the left.
"""

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE, Pcm32

WINDOW_S = 8.0
MELS = 80
FRAMES = 800
_FFT = 400
_HOP = 160
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
    first = max(0, (padding - _FFT // 2) // _HOP - 1)
    centre = first * _HOP - padding
    lead = max(0, _FFT // 2 - centre)
    heard = np.concatenate([np.zeros(min(lead, padding), dtype=np.float32), audio])
    normal = ((heard - mean) * scale).astype(np.float32)
    if lead > padding:
        normal = np.pad(normal, (lead - padding, 0), mode="reflect")
    normal = np.pad(normal, (0, _FFT // 2), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(normal, _FFT)[::_HOP][: FRAMES - first]
    power = np.abs(np.fft.rfft(frames * _WINDOW, axis=-1)) ** 2
    features = np.empty((MELS, FRAMES), dtype=np.float32)
    features[:, first:] = np.log10(np.maximum(_FILTERS @ power.T, _FLOOR))
    features[:, :first] = features[:, first : first + 1]
    np.maximum(features, features.max() - 8.0, out=features)
    return (features + 4.0) / 4.0


def _normalisation(audio: Pcm32) -> tuple[float, float]:
    """Mean, and one over the standard deviation, of the audio with its padding."""
    total = np.sum(audio, dtype=np.float64)
    mean = total / _SAMPLES
    variance = np.sum(np.square(audio, dtype=np.float64)) / _SAMPLES - mean**2
    return float(mean), float(1.0 / np.sqrt(max(variance, 0.0) + _VARIANCE_FLOOR))


def _mel_to_hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: linear to 1 kHz (15 mels), logarithmic above, 27 mels to a factor of 6.4."""
    return np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0))


def _mel_filters() -> npt.NDArray[np.float64]:
    """Triangular filters of equal area up to 8 kHz, shape (80, 201)."""
    top = 15.0 + 27.0 * np.log(8.0) / np.log(6.4)
    edges = _mel_to_hertz(np.linspace(0.0, top, MELS + 2))
    bins = np.linspace(0.0, SPEECH_RATE / 2, _FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None])


_WINDOW = np.hanning(_FFT + 1)[:-1]
_FILTERS = _mel_filters()
