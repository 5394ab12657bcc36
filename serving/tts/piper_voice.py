"""A Piper voice: takes text, gives the sound and word times of one sentence after the other. Blocking."""

import json
import threading
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from serving.audio import Pcm16, Pcm32, pcm16
from serving.errors import EngineError, EngineLoadFailed
from serving.onnx_session import Device, Patch, open_session
from serving.speech import Word
from serving.tts.trimming import fade_edges, sounding
from serving.tts.word_times import SILENT, owners, timed_words

if TYPE_CHECKING:
    import onnx
    import onnxruntime
    from piper import PiperVoice

Phonemes = tuple[str, ...]

_LEAD_S = 0.01
_TAIL_S = 0.03
_FETCH = "Download the voice again: scripts/download_models.sh"
_BOS, _PAD = "^", "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """How the voice is loaded and how it sounds."""

    room_rate: int
    device: Device
    threads: int
    tempo: float
    volume: float
    noise_scale: float | None
    noise_w: float | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sound of one sentence, trimmed of silence at both ends."""

    samples: Pcm16
    """At the room's rate."""
    words: tuple[Word, ...]
    """Times count from the first sample."""


@dataclass(frozen=True, slots=True)
class _Phonemized:
    """One sentence of a text before it is spoken; `owner` holds indices into `words`."""

    phonemes: Phonemes
    words: tuple[str, ...]
    spellings: tuple[Phonemes, ...]
    owner: tuple[int, ...]


class Voice:
    """The loaded voice. Stateless; any thread may use it."""

    def __init__(self, model: Path, settings: VoiceSettings) -> None:
        self._settings = settings
        self._piper = _load(model, settings)
        from piper import SynthesisConfig

        self._synthesis: SynthesisConfig = SynthesisConfig(
            length_scale=self._piper.config.length_scale / settings.tempo,
            noise_scale=settings.noise_scale,
            noise_w_scale=settings.noise_w,
        )
        self._phonemizing = threading.Lock()
        self._spell_word = lru_cache(4096)(self._phonemes_of)
        self._phonemize = lru_cache(256)(self._phonemized)

    def sentence(self, text: str, index: int) -> Sentence | None:
        """Synthesize sentence `index` of `text`; None if it has no more. Raises EngineError."""
        try:
            with self._phonemizing:  # espeak is global to the process
                sentences = self._phonemize(text)
            return self._render(sentences[index]) if index < len(sentences) else None
        except Exception as error:
            # The text stays out of the message: it is what the agent tells a caller.
            raise EngineError(
                f"Piper could not speak a text: {type(error).__name__}. Check the voice's files."
            ) from error

    def _render(self, sentence: _Phonemized) -> Sentence:
        audio, ends_s = self._synthesize(sentence.phonemes)
        rate, room_rate = self._piper.config.sample_rate, self._settings.room_rate
        start, end = sounding(audio, rate, lead_s=_LEAD_S, tail_s=_TAIL_S)
        sound = fade_edges(audio[start:end], rate)
        if room_rate != rate and len(sound):
            sound = np.asarray(soxr.resample(sound, rate, room_rate), dtype=np.float32)
        spoken_s = np.clip(ends_s - start / rate, 0.0, len(sound) / room_rate)
        words = timed_words(sentence.words, sentence.spellings, sentence.owner, spoken_s)
        return Sentence(pcm16(sound * self._settings.volume), tuple(words))

    def _synthesize(self, phonemes: Phonemes) -> tuple[Pcm32, Any]:
        """Samples at the voice's rate, and the times of the phonemes' edges, shape (phonemes + 1,)."""
        ids_of, piper = self._piper.config.phoneme_id_map, self._piper
        audio, id_samples = piper.phoneme_ids_to_audio(
            piper.phonemes_to_ids(list(phonemes)), self._synthesis, include_alignments=True
        )
        if id_samples is None:
            raise EngineError("The voice gave no phoneme durations.")
        pads = len(ids_of[_PAD])
        counts = [len(ids_of[_BOS]) + pads, *(len(ids_of[phoneme]) + pads for phoneme in phonemes)]
        ends = np.cumsum(id_samples)[np.cumsum(counts) - 1]
        return np.asarray(audio, dtype=np.float32).reshape(-1), ends / piper.config.sample_rate

    def _phonemes_of(self, text: str) -> list[Phonemes]:
        """The phonemes of each sentence, without symbols that the voice does not know."""
        known = self._piper.config.phoneme_id_map
        sentences = self._piper.phonemize(_audible(text))
        return [tuple(symbol for symbol in sentence if symbol in known) for sentence in sentences]

    def _phonemized(self, text: str) -> list[_Phonemized]:
        words = tuple(text.split())
        spoken = [sentence for sentence in self._phonemes_of(text) if any(symbol.isalpha() for symbol in sentence)]
        if not spoken:
            return []
        spellings = tuple(tuple(symbol for part in self._spell_word(word) for symbol in (*part, " ")) for word in words)
        joined = [symbol for sentence in spoken for symbol in (*sentence, " ")]
        owner = owners(spellings, joined)
        found: list[_Phonemized] = []
        first_word = at = 0
        for place, sentence in enumerate(spoken):
            own = owner[at : at + len(sentence)]
            at += len(sentence) + 1
            rest = [word for word in owner[at:] if word >= first_word]
            past = len(words) if place == len(spoken) - 1 else min(rest, default=len(words))
            past = max(past, max(own) + 1)
            relative = tuple(word - first_word if word >= first_word else SILENT for word in own)
            found.append(_Phonemized(sentence, words[first_word:past], spellings[first_word:past], relative))
            first_word = past
        return found


def _audible(text: str) -> str:
    """`text` without emoji, whose names espeak would read aloud; empty if no letter or digit is left."""
    kept = "".join(symbol for symbol in text if symbol == "°" or not _is_emoji(symbol))
    return kept if any(symbol.isalnum() for symbol in kept) else ""


def _is_emoji(symbol: str) -> bool:
    return unicodedata.category(symbol) in ("So", "Sk") or symbol in "\ufe0f\u200d"


def _load(model: Path, settings: VoiceSettings) -> "PiperVoice":
    """The voice with phoneme alignments. Raises EngineLoadFailed."""
    try:
        from piper import PiperVoice
        from piper.config import PhonemeType, PiperConfig
    except ImportError as error:
        raise EngineLoadFailed(f"Piper is not installed ({error}). Run: make setup") from error
    try:
        config = PiperConfig.from_dict(json.loads(Path(f"{model}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise EngineLoadFailed(f"{model.name}.json cannot be read ({error!r}). {_FETCH}") from error
    if config.phoneme_type != PhonemeType.ESPEAK:
        raise EngineLoadFailed(
            f"{model.name} uses '{config.phoneme_type.value}' phonemes. Choose a voice with espeak phonemes."
        )
    voice = PiperVoice(session=_aligned_session(model, settings), config=config)
    if not voice.espeak_data_dir.is_dir():
        raise EngineLoadFailed("espeak-ng's data is missing from the piper-tts package. Reinstall it: make setup")
    try:
        voice.phonemize("one")
    except RuntimeError as error:
        raise EngineLoadFailed(
            f"espeak-ng has no voice '{config.espeak_voice}' ({error}). Reinstall piper-tts."
        ) from error
    return voice


def _aligned_session(model: Path, settings: VoiceSettings) -> "onnxruntime.InferenceSession":
    session = open_session(model, threads=settings.threads, device=settings.device)
    if len(session.get_outputs()) > 1:
        return session
    return open_session(model, threads=settings.threads, device=settings.device, patch=_tell_durations(model.name))


def _tell_durations(name: str) -> Patch:
    from piper.patch_voice_with_alignment import add_alignment_output

    def patch(model: "onnx.ModelProto") -> None:
        try:
            add_alignment_output(model)
        except ValueError as error:
            message = f"{name} does not say how long each phoneme lasts ({error}). Choose another voice."
            raise EngineLoadFailed(message) from error

    return patch
