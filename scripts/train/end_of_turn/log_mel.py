"""Whisper's log-mel of the last seconds, as Smart Turn was trained on it: by faster-whisper's extractor.

serving/log_mel.py computes the same without it (tests/serving/test_log_mel.py compares them).
"""

from functools import cache

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

RATE = 16_000


@cache
def _extractor(window_s: int) -> FeatureExtractor:
    return FeatureExtractor(chunk_length=window_s)


def log_mel(samples: NDArray[np.float32], window_s: int = 4) -> NDArray[np.float32]:
    """Audio that ends now -> (80, 100 a second): padded on the left, brought to zero mean and unit variance."""
    window = np.zeros(window_s * RATE, np.float32)
    recent = samples[-len(window) :]
    if len(recent):
        window[-len(recent) :] = recent
    normal = (window - window.mean()) / np.sqrt(window.var() + 1e-7)
    return np.asarray(_extractor(window_s)(normal.astype(np.float32), padding=0), dtype=np.float32)
