"""Whisper's mel scale and window in numpy, for the engines that hear with Whisper's encoder. Pure.

The transform is that of OpenAI's Whisper (Radford et al. 2022): Slaney's mel scale, Hann window of 25 ms, hop of 10 ms.
"""

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE

MELS = 80
WINDOW_SAMPLES = 400
HOP_SAMPLES = 160


def mel_power(audio: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Power in mel bands of audio at 16 kHz, shape (n,); returns shape (80, (n - 400) // 160 + 1): frame f holds the samples
    160 f to 160 f + 400, so nothing is padded."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, WINDOW_SAMPLES)[::HOP_SAMPLES]
    return np.asarray(_FILTERS @ (np.abs(np.fft.rfft(frames * _WINDOW, axis=-1)) ** 2).T)


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
_FILTERS = _mel_filters()
