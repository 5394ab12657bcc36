"""Whisper's log-mel spectrogram in numpy, for the models built on Whisper's encoder. Pure.

The transform is that of OpenAI's Whisper (Radford et al. 2022): Slaney's mel scale, Hann window of 25 ms, hop of 10 ms.
"""

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE, Pcm32

MELS = 80
WINDOW_SAMPLES = 400
HOP_SAMPLES = 160
_FLOOR = 1e-10
_VARIANCE_FLOOR = 1e-7


def log_mel_power(audio: npt.NDArray[np.floating], *, floor: float) -> npt.NDArray[np.float64]:
    """log10 of the power in each mel band, clipped below at `floor`, of audio at 16 kHz, shape (n,).

    Returns shape (80, (n - 400) // 160 + 1): frame f holds the samples 160 f to 160 f + 400, so nothing is padded.
    """
    frames = np.lib.stride_tricks.sliding_window_view(audio, WINDOW_SAMPLES)[::HOP_SAMPLES]
    power = MEL_FILTERS @ (np.abs(np.fft.rfft(frames * _WINDOW, axis=-1)) ** 2).T
    return np.asarray(np.log10(np.maximum(power, floor)))


def normalised_log_mel(samples: Pcm32, frames: int) -> Pcm32:
    """The features of audio that ends now, as Smart Turn was trained on it: float32 at 16 kHz, shape (n,).

    Returns float32, shape (80, frames), 10 ms each. The waveform is padded with zeros on the left and brought to zero mean
    and unit variance. Only frames that hold some of the audio are transformed: all frames of padding are equal.
    """
    window = frames * HOP_SAMPLES
    audio = np.asarray(samples[-window:], dtype=np.float32)
    padding = window - len(audio)
    mean, scale = _normalisation(audio, window)
    # Frame f is centred on sample 160 f and reaches 200 to either side. The frames of nothing but padding are copies of the last one.
    first = max(0, (padding - WINDOW_SAMPLES // 2) // HOP_SAMPLES - 1)
    centre = first * HOP_SAMPLES - padding
    lead = max(0, WINDOW_SAMPLES // 2 - centre)
    heard = np.concatenate([np.zeros(min(lead, padding), dtype=np.float32), audio])
    normal = ((heard - mean) * scale).astype(np.float32)
    if lead > padding:
        normal = np.pad(normal, (lead - padding, 0), mode="reflect")
    normal = np.pad(normal, (0, WINDOW_SAMPLES // 2), mode="reflect")
    features = np.empty((MELS, frames), dtype=np.float32)
    features[:, first:] = log_mel_power(normal, floor=_FLOOR)[:, : frames - first]
    features[:, :first] = features[:, first : first + 1]
    np.maximum(features, features.max() - 8.0, out=features)
    return (features + 4.0) / 4.0


def _normalisation(audio: Pcm32, window: int) -> tuple[float, float]:
    """Mean, and one over the standard deviation, of the audio with its padding to `window` samples."""
    total = np.sum(audio, dtype=np.float64)
    mean = total / window
    variance = np.sum(np.square(audio, dtype=np.float64)) / window - mean**2
    return float(mean), float(1.0 / np.sqrt(max(variance, 0.0) + _VARIANCE_FLOOR))


def _mel_to_hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale: linear to 1 kHz (15 mels), logarithmic above, 27 mels to a factor of 6.4."""
    return np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0))


def _mel_filters() -> npt.NDArray[np.float64]:
    """Triangular filters of equal area up to 8 kHz, shape (80, 201)."""
    top = 15.0 + 27.0 * np.log(8.0) / np.log(6.4)
    edges = _mel_to_hertz(np.linspace(0.0, top, MELS + 2))
    bins = np.linspace(0.0, SPEECH_RATE / 2, WINDOW_SAMPLES // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None])


_WINDOW = np.hanning(WINDOW_SAMPLES + 1)[:-1]
MEL_FILTERS = _mel_filters()
"""Shape (80, 201): from the power of a frame's frequencies to that of its bands."""
