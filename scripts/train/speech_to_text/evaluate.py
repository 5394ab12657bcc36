"""Measure an exported model's word error rate and speed, with faster-whisper's tokenizer and CTranslate2.

python -m scripts.train.speech_to_text.evaluate ct2 data/test_seen.json data/test_heldout.json
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import jiwer
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from scripts.train.speech_to_text.audio import PhoneNumbers, load
from serving.audio import SPEECH_RATE

WINDOWS_S = (None, 4, 10, 30)
"""Encoder windows to try; None: the speech plus 0.5 s."""
NO_SPEECH = 0.5
MAX_TOKENS = 60
SILENT_CLIPS = 30


class Recognizer:
    """Greedy decoding without fallback, with a chosen encoder window."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Loads a CTranslate2 directory."""
        self._whisper = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._tokenizer = Tokenizer(self._whisper.hf_tokenizer, False, task="transcribe", language="en")

    def __call__(self, samples: NDArray[np.float32], window_s: float | None = None) -> tuple[str, float]:
        """Text of an utterance at 16 kHz, and the probability that it has no speech."""
        length = len(samples) + SPEECH_RATE // 2
        if window_s is not None:
            length = max(len(samples) + SPEECH_RATE // 10, int(window_s * SPEECH_RATE))
        padded = np.pad(samples, (0, length - len(samples)))
        mel = self._whisper.feature_extractor(padded, padding=0)[:, : length // 160 // 2 * 2]
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None], dtype=np.float32))
        result = self._whisper.model.generate(
            self._whisper.model.encode(features),
            [[self._tokenizer.sot, self._tokenizer.no_timestamps]],
            beam_size=1,
            max_length=MAX_TOKENS,
            suppress_blank=False,
            suppress_tokens=None,
            return_no_speech_prob=True,
        )[0]
        return self._tokenizer.decode(result.sequences_ids[0]).strip(), result.no_speech_prob


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each shard and window, some transcripts, and the result for silence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tests", type=Path, nargs="+", help="shards' .json files")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args(arguments)
    recognizer = Recognizer(options.folder)
    for path in options.tests:
        _measure(recognizer, path.with_suffix(""), options.count)
    _measure_silence(recognizer)


def _measure(recognizer: Recognizer, stem: Path, count: int) -> None:
    utterances = load(stem, PhoneNumbers())[:count]
    said, heard = [utterance.text for utterance in utterances], list[str]()
    for window_s in WINDOWS_S:
        began = time.perf_counter()
        heard = [recognizer(np.asarray(utterance.pcm / 65536, np.float32), window_s)[0] for utterance in utterances]
        took_ms = 1000 * (time.perf_counter() - began) / len(utterances)
        window = "speech + 0.5 s" if window_s is None else f"{window_s} s"
        print(f"{stem.name}, window {window}: WER {jiwer.wer(said, heard):.3f}, {took_ms:.0f} ms", flush=True)
    for pair in list(zip(said, heard, strict=True))[:8]:
        print("   ", " | ".join(pair))


def _measure_silence(recognizer: Recognizer) -> None:
    """Noise at three levels and of three lengths."""
    heard = []
    for i in range(SILENT_CLIPS):
        clip = np.random.default_rng(i).normal(0, 10 ** -(2 + i % 3), SPEECH_RATE * (1 + i % 3))
        heard.append(recognizer(clip.astype(np.float32)))
    words = [text for text, no_speech in heard if text and no_speech <= NO_SPEECH]
    print(f"noise and silence: {SILENT_CLIPS - len(words)} of {SILENT_CLIPS} give no words", *words[:5], flush=True)


if __name__ == "__main__":
    main()
