"""Models of any size with random weights, and the conversations they are asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.store import open_store
from scripts.bench.gpu import llm
from scripts.bench.gpu.llama_shape import TOKENIZER, write_llama
from scripts.bench.gpu.llm_load import Conversation
from scripts.bench.gpu.stt import TINY, TURBO
from scripts.bench.gpu.whisper_shape import TEXT_TOKENS, TIMES, WORDS, vocabulary, write_whisper
from serving.audio import SPEECH_RATE
from serving.gpu.known import LLAMA_8B
from serving.gpu.llama import LlamaShape
from serving.gpu.whisper import WhisperShape
from serving.llm.vllm_options import VllmOptions, engine_arguments
from serving.llm.vocabulary import Vocabulary
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad
from tests.serving.gpu.cards import card

pytestmark = pytest.mark.unit


def test_the_vocabulary_of_turbo_is_in_openai_s_order() -> None:
    tokens = vocabulary(TURBO.vocabulary)
    assert len(tokens) == len(set(tokens)) == 51_866
    places = {"<|endoftext|>": 50_257, "<|startoftranscript|>": 50_258, "<|en|>": 50_259, "<|transcribe|>": 50_360}
    assert {token: tokens.index(token) for token in places} == places
    assert tokens.index("<|notimestamps|>") == 50_364
    assert tokens[-1] == "<|30.00|>"
    assert len(tokens) == TEXT_TOKENS + 109 - 1 + TIMES


def test_a_whisper_too_narrow_for_its_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 or more"):
        write_whisper(replace(TINY, width=32), tmp_path)


@pytest.mark.parametrize("linear_bytes", [2, 1])
def test_a_llama_s_folder_is_read_back_as_its_shape(tmp_path: Path, linear_bytes: int) -> None:
    shape = replace(LLAMA_8B, linear_bytes=linear_bytes)
    folder = write_llama(shape, tmp_path / "llama")
    assert LlamaShape.from_model_dir(folder) == shape
    assert Vocabulary.from_directory(folder, context_tokens=4096).context_tokens == 4096
    options = VllmOptions(device="cuda", dummy_weights=True, context_tokens=4096, max_calls=32)
    arguments = engine_arguments(options, folder, context_tokens=4096, gpu=card(80))
    assert arguments["load_format"] == "dummy"
    assert arguments["gpu_memory_utilization"] > 0.8


def test_conversations_fit_into_their_contexts(tmp_path: Path) -> None:
    for folder, exchanges, context, is_random in (
        (TOKENIZER, llm.DEMO_EXCHANGES, llm.DEMO_CONTEXT_TOKENS, False),
        (write_llama(LLAMA_8B, tmp_path / "llama"), llm.EXCHANGES, llm.CONTEXT_TOKENS, True),
    ):
        words = Vocabulary.from_directory(folder, context_tokens=context)
        request = Conversation.of(exchanges, is_random).asked("somebody")
        longest = replace(request, max_tokens=400)
        assert 500 < len(words.prompt(longest)) < context - 400


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whisper(TINY, tmp_path_factory.mktemp("whisper"))


def test_a_random_whisper_has_its_shape_and_says_a_fixed_number_of_words(tiny_whisper: Path) -> None:
    assert WhisperShape.from_model_dir(tiny_whisper) == TINY
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    engine = FasterWhisperEngine(FasterWhisperOptions(window_floor_s=4.0), tiny_whisper, vad)
    engine.load()
    noise = np.random.default_rng(1).normal(0, 0.05, 20 * SPEECH_RATE).astype(np.float32)
    heard = [engine.recognise(noise[: seconds * SPEECH_RATE]) for seconds in (4, 9, 20)]
    engine.close()
    assert [len(words) for words in heard] == [WORDS] * 3
    assert len({word.text for word in heard[0]}) == WORDS
    assert engine_is_multilingual(tiny_whisper)


def engine_is_multilingual(folder: Path) -> bool:
    import ctranslate2

    return bool(ctranslate2.models.Whisper(str(folder)).is_multilingual)
