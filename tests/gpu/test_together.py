"""Whisper, vLLM and ONNX on one GPU in one process: one after the other and all at once.

CTranslate2 wants cuBLAS of CUDA 12, torch and onnxruntime bring CUDA 13: both are in this process.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.store import open_store
from scripts.bench.tts import speak
from serving.audio import Pcm32
from serving.gpu.devices import list_gpus
from serving.gpu.libraries import check_libraries
from serving.llm.vllm import VllmLlm
from serving.speech import TurnContext
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.hearing import Clip, Urgency
from serving.stt.whisper_options import FasterWhisperOptions
from serving.tts.piper import PiperEngine
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions
from tests.contract.llm_suite import LONG, SATURDAY, ask, reply, spoken
from tests.gpu import test_piper, test_whisper
from tests.gpu.device import COMPUTE_TYPES, DEVICE, HAS_GPU

pytestmark = pytest.mark.gpu

LINE = Path(__file__).parents[2] / "models" / "demo" / "callers" / "rms" / "are_my_x_ray_results_ready.flac"
ANSWER = ("On Tuesday, doctor Chen is free at ten thirty,", "or at a quarter past two.")


@pytest.fixture(scope="module")
def line() -> Pcm32:
    """A line that a caller says."""
    samples: Pcm32 = soundfile.read(LINE, dtype="float32")[0]
    return samples


@pytest.fixture(scope="module")
def whisper() -> Iterator[FasterWhisperEngine]:
    """Whisper on the GPU."""
    options = FasterWhisperOptions(device=DEVICE, compute_type=COMPUTE_TYPES[0], window_floor_s=4.0)
    engine = test_whisper.loaded(options)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def piper() -> Iterator[PiperEngine]:
    """Piper on the GPU."""
    engine = test_piper.loaded(DEVICE)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def turn() -> Iterator[SmartTurn]:
    """Smart Turn on the GPU."""
    engine = SmartTurn(SmartTurnOptions(device=DEVICE), open_store().resolve("smart-turn"))
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


async def hears(whisper: FasterWhisperEngine, line: Pcm32) -> str:
    clip = Clip(line, 0.0, 0.0, len(line) / 16_000)
    heard = await asyncio.wrap_future(whisper.submit(clip, Urgency.PARTIAL, None))
    return " ".join(word.text for word in heard.words)


async def test_one_after_the_other_and_all_at_once(
    whisper: FasterWhisperEngine, shared: VllmLlm, piper: PiperEngine, turn: SmartTurn, line: Pcm32
) -> None:
    async def work() -> tuple[str, str, int, float]:
        heard = await hears(whisper, line)
        said = spoken(await reply(shared, ask(LONG)))
        _, samples, _ = await speak(piper, ANSWER)
        return heard, said, len(samples), (await turn.predict(line, TurnContext())).probability

    alone = await work()
    assert "results" in alone[0].lower()
    assert alone[1].startswith(SATURDAY)
    assert alone[2] > 24_000
    together = await asyncio.gather(*(work() for _ in range(12)))
    for found in together:
        assert found[0] == alone[0]
        assert found[1].startswith(SATURDAY)
        assert abs(found[2] - alone[2]) <= 0.02 * alone[2]
        assert np.isclose(found[3], alone[3], atol=0.02)


@pytest.mark.skipif(not HAS_GPU, reason="without a GPU no CUDA library is loaded")
def test_the_libraries_of_both_cudas_are_in_this_process(
    whisper: FasterWhisperEngine, shared: VllmLlm, piper: PiperEngine
) -> None:
    mapped = Path("/proc/self/maps").read_text()
    assert "libcublas.so.12" in mapped
    assert "libcublas.so.13" in mapped
    assert check_libraries(list_gpus()) == ()
