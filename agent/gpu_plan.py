"""The one plan of what sits on which GPU for the settings of a box, and how it is shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from agent.errors import ConfigError
from agent.settings import EngineChoice, Settings
from models.errors import ModelError
from models.store import ModelStore
from serving.gpu import llama, whisper
from serving.gpu.devices import Gpu
from serving.gpu.known import LLAMAS, WHISPERS
from serving.gpu.plan import CPU, EngineNeed, GpuPlan, LlmNeed, make_plan
from serving.registry import Stage, find
from serving.stt.whisper_options import FasterWhisperOptions, memory_need

ONNX_CUDA_MIB = 600
"""What onnxruntime takes of a GPU for a small network: CUDA, cuDNN and its arena."""
CTRANSLATE2_CUDA_MIB = 400

Shape = TypeVar("Shape")


def uses_gpu(settings: Settings) -> bool:
    """Whether any engine of these settings is to run on a GPU."""
    return any(_wants_gpu(choice) for choice in _choices(settings).values())


def plan_for(settings: Settings, store: ModelStore, gpus: Sequence[Gpu]) -> GpuPlan:
    """Where every engine goes. Models that are not here yet count with their known measures.

    Raises GpuMemoryShort with figures, EngineLoadFailed for a GPU that is not there, ConfigError for options that no
    engine has, ModelMissing for a model that is neither here nor known.
    """
    choices = _choices(settings)
    needs = [_need(stage, choice, store) for stage, choice in choices.items() if stage != "llm"]
    llm = choices["llm"]
    if llm.engine == "vllm" and _wants_gpu(llm, gpus):
        return make_plan(gpus, needs, _vllm_need(llm, settings, store))
    return make_plan(gpus, [*needs, _need("llm", llm, store)])


def plan_table(plan: GpuPlan) -> Table:
    """The plan as it is printed at start."""
    gpus = ", ".join(f"GPU {gpu.index}: {gpu.name}, {gpu.total_mib:,} MiB" for gpu in plan.gpus)
    table = Table(title=gpus, title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("what")
    table.add_column("where")
    table.add_column("MiB", justify="right")
    table.add_column("", overflow="fold")
    for placement in plan.placements:
        mib = "" if placement.device == CPU else f"{placement.mib:,}"
        table.add_row(placement.what, placement.device, mib, placement.detail)
    for index, left_mib in plan.left_mib.items():
        table.add_row("left free", f"GPU {index}", f"{left_mib:,}", "for what the engines need while they work")
    return table


def _choices(settings: Settings) -> dict[Stage, EngineChoice]:
    """The engines that will be loaded, in the order of their loading."""
    engines = settings.engines
    chosen: dict[Stage, EngineChoice] = {"vad": engines.vad, "stt": engines.stt}
    if engines.turn is not None and settings.turns.detection == "engine":
        chosen["turn"] = engines.turn
    return {**chosen, "llm": engines.llm, "tts": engines.tts}


def _wants_gpu(choice: EngineChoice, gpus: Sequence[Gpu] = ()) -> bool:
    device = choice.options.get("device", "auto" if choice.engine == "vllm" else "cpu")
    return device == "cuda" or (device == "auto" and bool(gpus or choice.engine == "vllm"))


def _need(stage: Stage, choice: EngineChoice, store: ModelStore) -> EngineNeed:
    what = f"{stage} {choice.model}"
    if not _wants_gpu(choice):
        return EngineNeed(what=what, detail=choice.engine)
    options = _options(stage, choice)
    index = int(getattr(options, "device_index", 0))
    if isinstance(options, FasterWhisperOptions):
        folder = _folder(store, choice.model)
        shape = whisper.WhisperShape.from_model_dir(folder) if folder else _known(store, choice.model, WHISPERS)
        resident, work = memory_need(shape, options)
        detail = f"{options.compute_type}; {work:,} more while it decodes"
        return EngineNeed(what=what, device_index=index, resident_mib=resident, work_mib=work, detail=detail)
    resident = ONNX_CUDA_MIB
    if choice.engine == "ctranslate2":
        resident = CTRANSLATE2_CUDA_MIB + store.manifest.find(choice.model).size // llama.MIB
    return EngineNeed(what=what, device_index=index, resident_mib=resident, detail=choice.engine)


def _vllm_need(choice: EngineChoice, settings: Settings, store: ModelStore) -> LlmNeed:
    options: Any = _options("llm", choice)
    folder = _folder(store, choice.model)
    shape = llama.LlamaShape.from_model_dir(folder) if folder else _known(store, choice.model, LLAMAS)
    return LlmNeed(
        what=f"llm {choice.model}",
        device_index=0,
        weights_mib=llama.weights_mib_in(folder) if folder else llama.weights_mib(shape),
        shape=shape,
        context_tokens=options.context_tokens,
        calls=options.max_calls or settings.capacity.max_calls,
        reserve_mib=options.reserve_mib,
        max_kv_mib=options.max_kv_mib,
    )


def _options(stage: Stage, choice: EngineChoice) -> Any:
    _, options_class = find(stage, choice.engine).load()
    try:
        return TypeAdapter(options_class).validate_python(choice.options)
    except ValidationError as error:
        issues = "; ".join(f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors())
        raise ConfigError(f"engines.{stage}.options: {issues}") from None


def _folder(store: ModelStore, name: str) -> Path | None:
    """Where the model's files are, if they are here; only their sizes are looked at."""
    try:
        folder = store.folder(name)
    except ModelError:
        return None
    files = store.manifest.find(name).files
    return folder if files and all((folder / file.path).is_file() for file in files) else None


def _known(store: ModelStore, name: str, shapes: Mapping[str, Shape]) -> Shape:
    if name not in shapes:
        store.resolve(name)  # raises, and names the command that gets it
    return shapes[name]
