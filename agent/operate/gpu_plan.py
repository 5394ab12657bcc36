"""Plans what goes on which GPU for a box's settings, and shows the plan."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rich.table import Table

from agent.settings import EngineChoice, Settings
from models.manifest import Stage
from models.store import ModelStore
from serving.gpu.devices import MIB, Gpu, list_gpus
from serving.gpu.known import LLAMAS, WHISPERS
from serving.gpu.llama import LlamaShape, weights_mib, weights_mib_in
from serving.gpu.plan import CPU, ELSEWHERE, EngineNeed, GpuPlan, LlmNeed, make_plan
from serving.gpu.whisper import WhisperShape
from serving.llm.vllm_options import VllmOptions
from serving.stt.whisper_options import FasterWhisperOptions, memory_need

logger = logging.getLogger("callbox.worker")

ONNX_CUDA_MIB = 600
"""What onnxruntime takes for a small network: CUDA, cuDNN and its arena."""
CTRANSLATE2_CUDA_MIB = 400
VLLM_GPU = 0
"""vLLM takes the first GPU that this process sees."""

Shape = TypeVar("Shape")


def uses_gpu(settings: Settings, gpus: Sequence[Gpu] = ()) -> bool:
    """Whether any engine is set to run on a GPU; one with device: auto does if `gpus` has any."""
    return any(_wants_gpu(choice, gpus) for choice in settings.chosen_engines.values())


def plan_for(settings: Settings, store: ModelStore, gpus: Sequence[Gpu]) -> GpuPlan:
    """Where every engine goes. Models that are not downloaded yet are planned by their known dimensions.

    Raises GpuMemoryShort with figures, EngineLoadFailed for a GPU that does not exist, ConfigError for invalid options, or
    ModelMissing for a model that is neither downloaded nor known.
    """
    needs, language_model = [], None
    for stage, choice in settings.chosen_engines.items():
        if choice.engine == "openai-server":
            needs.append(EngineNeed(what=f"{stage} {choice.model}", place=ELSEWHERE, detail="a separate vLLM server"))
        elif not _wants_gpu(choice, gpus):
            needs.append(EngineNeed(what=f"{stage} {choice.model}", detail=choice.engine))
        elif choice.engine == "vllm":
            language_model = _vllm_need(choice, store)
        else:
            needs.append(_need(stage, choice, store))
    return make_plan(gpus, needs, language_model)


def log_plan(settings: Settings, store: ModelStore) -> None:
    """Log the plan for settings that use a GPU. Raises what plan_for raises, before anything is loaded."""
    gpus = list_gpus()
    if not uses_gpu(settings, gpus):
        return
    plan = plan_for(settings, store, gpus)
    for placement in plan.placements:
        logger.info("plan: %s: %s, %d MiB %s", placement.device, placement.what, placement.mib, placement.detail)
    for index, left_mib in plan.left_mib.items():
        logger.info("plan: GPU %d: %d MiB left free", index, left_mib)


def plan_table(plan: GpuPlan) -> Table:
    """The plan as `make run` prints it."""
    gpus = ", ".join(f"GPU {gpu.index}: {gpu.name}, {gpu.total_mib:,} MiB" for gpu in plan.gpus)
    table = Table(title=gpus, title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("what")
    table.add_column("where")
    table.add_column("MiB", justify="right")
    table.add_column("", overflow="fold")
    for placement in plan.placements:
        mib = "" if placement.device in (CPU, ELSEWHERE) else f"{placement.mib:,}"
        table.add_row(placement.what, placement.device, mib, placement.detail)
    for index, left_mib in plan.left_mib.items():
        table.add_row("left free", f"GPU {index}", f"{left_mib:,}", "for what the engines need while they work")
    return table


def _wants_gpu(choice: EngineChoice, gpus: Sequence[Gpu]) -> bool:
    device = choice.options.get("device", "auto" if choice.engine == "vllm" else "cpu")
    return device == "cuda" or (device == "auto" and bool(gpus))


def _need(stage: Stage, choice: EngineChoice, store: ModelStore) -> EngineNeed:
    """What an engine on a GPU needs, unless it is vLLM."""
    _, options = choice.load(stage)
    what, resident, work, detail = f"{stage} {choice.model}", ONNX_CUDA_MIB, 0, choice.engine
    if isinstance(options, FasterWhisperOptions):
        resident, work = memory_need(_shape(store, choice.model, WHISPERS, WhisperShape.from_model_dir), options)
        what, detail = f"{what} ({options.compute_type})", f"{work:,} more while it decodes"
    elif choice.engine == "ctranslate2":
        resident = CTRANSLATE2_CUDA_MIB + store.manifest.find(choice.model).size // MIB
    return EngineNeed(
        what=what,
        device_index=int(getattr(options, "device_index", 0)),
        resident_mib=resident,
        work_mib=work,
        is_late=stage == "tts",
        detail=detail,
    )


def _vllm_need(choice: EngineChoice, store: ModelStore) -> LlmNeed:
    options: VllmOptions = choice.load("llm")[1]
    shape = _shape(store, choice.model, LLAMAS, LlamaShape.from_model_dir)
    is_here = store.is_present(choice.model) and not options.dummy_weights
    return LlmNeed(
        what=f"llm {choice.model}",
        device_index=VLLM_GPU,
        weights_mib=weights_mib_in(store.folder(choice.model)) if is_here else weights_mib(shape),
        shape=shape,
        context_tokens=min(options.context_tokens, shape.max_positions),
        calls=options.max_calls,
        reserve_mib=options.reserve_mib,
        full_contexts=options.full_contexts,
        max_kv_mib=options.max_kv_mib,
    )


def _shape(store: ModelStore, name: str, known: Mapping[str, Shape], read: Callable[[Path], Shape]) -> Shape:
    """The dimensions of a model, from its files if it is downloaded."""
    if store.is_present(name):
        return read(store.folder(name))
    if name not in known:
        store.resolve(name)  # raises ModelMissing, which names the command that downloads it
    return known[name]
