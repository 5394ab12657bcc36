"""Word error rates of synthesised speech, by pocketsphinx with its bundled English model."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import jiwer
import numpy as np
import scipy.io.wavfile
from numpy.typing import NDArray
from pocketsphinx import Decoder
from scipy.signal import resample_poly

from serving.audio import SPEECH_RATE

PEAK = 20_000
SILENCE = np.zeros(SPEECH_RATE // 4, np.int16)
"""Put before and after each sentence."""
NOISE = 8
"""Standard deviation of added noise, in 16-bit steps: the recogniser dislikes digital silence."""


def read(path: Path) -> NDArray[np.int16]:
    """Mono at 16 kHz with a peak of 20,000."""
    rate, samples = scipy.io.wavfile.read(path)
    samples = samples.astype(np.float32)
    if rate != SPEECH_RATE:
        samples = resample_poly(samples, SPEECH_RATE, rate)
    loudest = max(1, np.abs(samples).max())
    return np.clip(samples / loudest * PEAK, -32768, 32767).astype(np.int16)


def recognise(paths: Iterable[Path]) -> list[str]:
    """What the recogniser hears in each file."""
    decoder, heard = Decoder(samprate=SPEECH_RATE, loglevel="FATAL"), []
    for path in paths:
        samples = np.concatenate([SILENCE, read(path), SILENCE])
        samples = (samples + np.random.default_rng(0).normal(0, NOISE, len(samples))).astype(np.int16)
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        heard.append(re.sub(r"\(\d+\)", "", hypothesis.hypstr) if hypothesis else "")
    return heard


def word_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """Ignores case and punctuation."""
    return float(jiwer.wer([_plain(text) for text in said], [_plain(text) or "-" for text in heard]))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " ")).split())
