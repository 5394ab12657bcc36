"""Streaming Whisper on faster-whisper and CTranslate2: one model for all calls, one encoder pass per decode.

faster-whisper's own `transcribe` always encodes 30 s and may decode again at rising temperatures. Here the encoder's window
fits the speech, decoding is greedy and happens once, and clips of several calls that are waiting form one batch.
"""

from collections.abc import Hashable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ModelMissing
from serving.audio import SPEECH_RATE, Pcm32
from serving.batcher import PriorityBatcher
from serving.engine import SttStream, VadEngine, VadStream
from serving.errors import EngineDied, EngineLoadFailed
from serving.gpu.libraries import prepare_ctranslate2
from serving.speech import Word
from serving.stt.guards import Decoded, refusal
from serving.stt.hearing import Clip, Heard, Urgency
from serving.stt.segmenter import Segmenter
from serving.stt.stream import UtteranceStream
from serving.stt.whisper_options import (
    FRAMES_PER_S,
    MAX_WINDOW_S,
    FasterWhisperOptions,
    batch_limit,
    window_frames,
    windows_to_warm,
)
from serving.stt.word_times import join_pieces, place_words

__all__ = ["FasterWhisperEngine", "FasterWhisperOptions", "window_frames", "windows_to_warm"]

TOKENS_PER_S = 10
SLACK_TOKENS = 16
"""Nobody speaks faster than 10 tokens a second for more than 16 tokens."""
CHECK_TIMEOUT_S = 20.0
WARM_UP_TIMEOUT_S = 300.0
"""CTranslate2's wheel has machine code for GPUs up to Ada; on newer ones the driver compiles it once, at the first decode."""


class FasterWhisperEngine:
    """An SttEngine. All calls share one model and one decoding thread."""

    name = "faster-whisper"

    def __init__(self, options: FasterWhisperOptions, model_dir: Path, vad: VadEngine) -> None:
        self._options = options
        self._model_dir = model_dir
        self._vad = vad
        self._model: _Whisper | None = None
        self._batcher: PriorityBatcher[Clip, Heard] | None = None

    def load(self) -> None:
        """Read the model. Raises ModelMissing or EngineLoadFailed."""
        if not (self._model_dir / "model.bin").is_file():
            raise ModelMissing(
                f"{self._model_dir}/model.bin is missing. Download the model with scripts/download_models.sh."
            )
        if self._options.device == "cuda":
            prepare_ctranslate2("Speech recognition", self._options.device_index)
        self._model = _Whisper(self._options, self._model_dir)
        max_batch = batch_limit(window_frames(0, self._options), self._options)
        self._batcher = PriorityBatcher("stt", self._model.transcribe, max_batch=max_batch)

    def warm_up(self) -> None:
        """Decode noise in every window that needs warming up; on a GPU also in each window's largest batch."""
        noise = np.random.default_rng(0).normal(0, 0.01, int(MAX_WINDOW_S * SPEECH_RATE)).astype(np.float32)
        for frames in windows_to_warm(self._options):
            seconds = frames / FRAMES_PER_S - self._options.window_margin_s
            batch = batch_limit(frames, self._options) if self._options.device == "cuda" else 0
            clip = Clip(noise[: int(seconds * SPEECH_RATE)], 0.0, 0.0, seconds)
            waiting = [self.submit(clip, Urgency.PARTIAL, None) for _ in range(batch)]
            self._recognise(clip, timeout_s=WARM_UP_TIMEOUT_S)
            for future in waiting:
                future.result(timeout=WARM_UP_TIMEOUT_S)

    def check(self) -> None:
        """Decode half a second of silence. Raises EngineDied."""
        self.recognise(np.zeros(SPEECH_RATE // 2, np.float32))

    def close(self) -> None:
        """Stop decoding and drop the model. Open streams end with EngineDied."""
        if self._batcher is not None:
            self._batcher.close()
        self._batcher = self._model = None

    def open(self, voice_activity: VadStream | None = None) -> SttStream:
        """A stream for one call, on the running event loop. Raises EngineDied unless the engine is loaded."""
        window_s = self._vad.window_samples / SPEECH_RATE
        segmenter = Segmenter(self._options.segmenter, window_s=window_s)
        vad = voice_activity or self._vad.open()
        return UtteranceStream(vad, segmenter, self, partial_load=self._options.partial_load)

    def submit(self, clip: Clip, urgency: Urgency, slot: Hashable | None) -> "Future[Heard]":
        """Queue a clip. Clips in the same encoder window are decoded together."""
        if self._batcher is None:
            raise EngineDied("Speech recognition is not loaded. Load the engine before opening a stream.")
        key = window_frames(len(clip.samples), self._options)
        return self._batcher.submit(clip, key=key, priority=urgency, slot=slot)

    def recognise(self, samples: Pcm32) -> tuple[Word, ...]:
        """The words of a recording of at most 29 s (float32, 16 kHz); blocks. Raises EngineDied."""
        return self._recognise(Clip(samples, 0.0, 0.0, len(samples) / SPEECH_RATE), timeout_s=CHECK_TIMEOUT_S)

    def _recognise(self, clip: Clip, *, timeout_s: float) -> tuple[Word, ...]:
        try:
            return self.submit(clip, Urgency.PARTIAL, None).result(timeout=timeout_s).words
        except (RuntimeError, ValueError, TimeoutError, CancelledError) as error:
            raise EngineDied(f"Speech recognition does not answer: {error!r}. It will be reloaded.") from error


class _Whisper:
    """The model itself. Used by one thread at a time."""

    def __init__(self, options: FasterWhisperOptions, model_dir: Path) -> None:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        self._options = options
        try:
            self._model: Any = WhisperModel(
                str(model_dir),
                device=options.device,
                device_index=options.device_index,
                compute_type=options.compute_type,
                cpu_threads=options.threads,
                local_files_only=True,
            )
            multilingual = self._model.model.is_multilingual
            self._tokenizer: Any = Tokenizer(
                self._model.hf_tokenizer, multilingual, task="transcribe", language=options.language
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineLoadFailed(
                f"The Whisper model in {model_dir} could not be loaded: {error}. Check it with `python -m models verify`, and engines.stt.options."
            ) from error
        self._prompt = self._make_prompt()

    def transcribe(self, clips: Sequence[Clip]) -> list[Heard]:
        """The words of clips that share an encoder window."""
        frames = window_frames(len(clips[0].samples), self._options)
        size = batch_limit(frames, self._options)
        return [
            heard for start in range(0, len(clips), size) for heard in self._decode(clips[start : start + size], frames)
        ]

    def _decode(self, clips: Sequence[Clip], frames: int) -> list[Heard]:
        import ctranslate2

        mels = np.stack([self._mel(clip.samples, frames) for clip in clips])
        encoded = self._model.model.encode(ctranslate2.StorageView.from_array(mels))
        results = self._model.model.generate(
            encoded,
            [self._prompt] * len(clips),
            beam_size=1,
            max_length=self._max_length(frames),
            suppress_blank=self._options.suppress_blank,
            suppress_tokens=[-1],
            return_scores=True,
            return_no_speech_prob=True,
        )
        tokens = [self._tokens_said(clip, result) for clip, result in zip(clips, results, strict=True)]
        words = self._align(encoded, tokens, [len(clip.samples) for clip in clips])
        return [place_words(clip_words, clip) for clip_words, clip in zip(words, clips, strict=True)]

    def _make_prompt(self) -> list[int]:
        previous = (
            self._tokenizer.encode(" " + self._options.initial_prompt.strip()) if self._options.initial_prompt else []
        )
        if (previous or self._options.hotwords) and self._tokenizer.sot_prev is None:
            raise EngineLoadFailed("This speech model does not take prompts: leave initial_prompt and hotwords empty.")
        hotwords = self._options.hotwords or None
        prompt: list[int] = self._model.get_prompt(
            self._tokenizer, previous, without_timestamps=True, hotwords=hotwords
        )
        return prompt

    def _max_length(self, frames: int) -> int:
        """CTranslate2 generates at most half of this, and at most this less the prompt, so a loop ends soon."""
        tokens = SLACK_TOKENS + TOKENS_PER_S * frames // FRAMES_PER_S
        return int(min(self._model.max_length, max(2 * tokens, tokens + len(self._prompt))))

    def _mel(self, samples: Pcm32, frames: int) -> Pcm32:
        """Log-mel spectrogram, shape (bands, frames), of the clip padded with silence."""
        length = frames * SPEECH_RATE // FRAMES_PER_S
        padded = np.pad(samples[:length], (0, max(0, length - len(samples))))
        mel = self._model.feature_extractor(padded, padding=0)[:, :frames]
        return np.ascontiguousarray(mel, dtype=np.float32)

    def _tokens_said(self, clip: Clip, result: Any) -> list[int]:
        """The text tokens of a decode; none if the guards reject it."""
        tokens = [token for token in result.sequences_ids[0] if token < self._tokenizer.eot]
        decoded = Decoded(
            text=self._tokenizer.decode(tokens).strip(),
            speech_s=len(clip.samples) / SPEECH_RATE,
            no_speech_prob=result.no_speech_prob,
            avg_logprob=result.scores[0],
        )
        return tokens if refusal(decoded, self._options.guards) is None else []

    def _align(self, encoded: Any, tokens: list[list[int]], samples: list[int]) -> list[list[Word]]:
        """The words of each clip; times count from its first sample."""
        if not any(tokens):
            return [[] for _ in tokens]
        # only the clip's own frames: the words' attention must not be looked for in the padding
        frames = [max(1, count * FRAMES_PER_S // SPEECH_RATE) for count in samples]
        pieces = self._model.find_alignment(self._tokenizer, tokens, encoded, frames)
        return [
            join_pieces([Word(p["word"], float(p["start"]), float(p["end"]), float(p["probability"])) for p in clip])
            for clip in pieces
        ]
