"""Loads one engine in a process of its own, and prints the GPU memory that it took and that the plan reserves, as JSON.

    python -m tests.gpu.measured_load stt|turbo|tts|turn|llm COMPUTE_TYPE [FOLDER]

stt is the demo Whisper; turbo is a Whisper of large-v3-turbo's shape with random weights, in FOLDER. A process of its own,
because its CUDA context counts too.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.operate.gpu_plan import plan_for
from agent.settings import EngineChoice, Settings, load_settings
from models.store import open_store
from scripts.bench.gpu.stt import TURBO
from scripts.paths import NO_SITE
from serving.engine import Engine
from serving.gpu.devices import list_gpus
from serving.gpu.whisper import WhisperShape
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import FasterWhisperOptions, memory_need
from serving.tts.piper import PiperEngine, PiperOptions
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions
from serving.vad.silero import SileroOptions, SileroVad

VLLM: dict[str, Any] = {"device": "cuda", "max_calls": 4, "context_tokens": 2048, "max_kv_mib": 512}


@dataclass(frozen=True, slots=True)
class Measured:
    """GPU memory in MiB."""

    planned: int
    """By serving.gpu.plan, for the engine at work."""
    loaded: int
    """Taken after load()."""
    worked: int
    """Taken after warm_up(), which runs the largest batches."""


def main() -> None:
    """Load the engine, print its memory, and exit."""
    kind, compute_type, folder = [*sys.argv[1:], ""][:3]
    engine, planned = build(kind, compute_type, Path(folder))
    before = list_gpus()[0].free_mib
    engine.load()
    loaded = list_gpus()[0].free_mib
    engine.warm_up()
    worked = list_gpus()[0].free_mib
    engine.close()
    print(json.dumps(asdict(Measured(planned, before - loaded, before - worked))), flush=True)


def build(kind: str, compute_type: str, folder: Path) -> tuple[Engine, int]:
    """An engine on CUDA, not loaded, and the MiB that it is planned to take."""
    store = open_store()
    if kind in ("stt", "turbo"):
        options = FasterWhisperOptions(device="cuda", compute_type=compute_type)  # type: ignore[arg-type]
        vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
        vad.load()
        if kind == "turbo":
            return FasterWhisperEngine(options, folder, vad), sum(memory_need(TURBO, options))
        return FasterWhisperEngine(options, store.resolve("demo-stt"), vad), planned_mib(kind, compute_type)
    if kind == "tts":
        return PiperEngine(PiperOptions(device="cuda"), store.resolve("demo-voice")), planned_mib(kind, compute_type)
    if kind == "turn":
        return SmartTurn(SmartTurnOptions(device="cuda"), store.resolve("smart-turn")), planned_mib(kind, compute_type)
    return VllmLlm(VllmOptions(**VLLM), store.resolve("demo-llm-hf")), planned_mib(kind, compute_type)


def planned_mib(kind: str, compute_type: str) -> int:
    """MiB that the plan for the demo reserves with this stage on the GPU, all others on the CPU."""
    plan = plan_for(settings_with(kind, compute_type), open_store(), list_gpus())
    placed = sum(placement.mib for placement in plan.placements)
    options = FasterWhisperOptions(device="cuda", compute_type=compute_type)  # type: ignore[arg-type]
    if kind != "stt":
        return placed
    return placed + memory_need(WhisperShape.from_model_dir(open_store().resolve("demo-stt")), options)[1]


def settings_with(kind: str, compute_type: str) -> Settings:
    """The demo's settings, with one engine on the GPU."""
    settings = load_settings("demo", site=NO_SITE)
    options: dict[str, Any] = {"device": "cuda"}
    if kind == "stt":
        options["compute_type"] = compute_type
    choice: EngineChoice = getattr(settings.engines, kind)
    chosen = choice.model_copy(update={"options": options})
    if kind == "llm":
        chosen = EngineChoice(engine="vllm", model="demo-llm-hf", options=VLLM)
    return settings.model_copy(update={"engines": settings.engines.model_copy(update={kind: chosen})})


if __name__ == "__main__":
    main()
