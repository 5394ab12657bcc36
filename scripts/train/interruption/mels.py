"""What the network hears of rendered events: the log-mel spectrum that the engine computes (serving/interruption)."""

import numpy as np
from numpy.typing import NDArray

from serving.audio import Pcm32
from serving.interruption.onset_window import onset_log_mel
from serving.log_mel import HOP_SAMPLES, WINDOW_SAMPLES


def log_mels(audio: NDArray[np.int16], frames: int) -> Pcm32:
    """As much of events (n, samples) as that many encoder frames have heard; shape (n, 80, 2 * frames + 1)."""
    heard = audio[:, : 2 * frames * HOP_SAMPLES + WINDOW_SAMPLES]
    return np.stack([onset_log_mel(one) for one in heard.astype(np.float32) / 32768])
