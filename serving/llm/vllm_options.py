"""How a Llama is run on vLLM: our options, and vLLM's arguments made from them. Pure; does not import vLLM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from serving.errors import EngineLoadFailed
from serving.gpu.devices import MIB, Gpu
from serving.gpu.llama import LlamaShape, weights_mib, weights_mib_in
from serving.gpu.memory import BATCHED_TOKENS, SEQUENCES_PER_CALL, LlmBudget, budget_llm

CPU_KV_MIB = 512
CPU_BLOCK_TOKENS = 32
"""The smallest block that vLLM's CPU attention supports; with its default of 128, short prompts share little."""

ENVIRONMENT: Mapping[str, str] = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    # The worker has many threads, and CTranslate2 may have used CUDA, which a forked child could not use.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    # FlashInfer's sampler would be compiled, and for some GPUs its kernels downloaded, at the first call.
    "VLLM_USE_FLASHINFER_SAMPLER": "0",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the driver's order, in which the plan was made
}
"""What vLLM and its child processes read from the environment, unless an operator has set it."""
CPU_ENVIRONMENT: Mapping[str, str] = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}
"""In addition, on a CPU: leave the cores to the other engines too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmOptions:
    """How a Llama in Hugging Face's layout is run."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    device: Literal["auto", "cuda", "cpu"] = "auto"
    """Where it runs; auto: wherever the installed vLLM can. Of several GPUs it uses the first that CUDA_VISIBLE_DEVICES
    allows."""
    context_tokens: int = 8192
    """Prompt and reply together; the model's own limit holds when it is smaller."""
    max_calls: int = 8
    """How many calls are served at once."""
    full_contexts: int | None = None
    """How many full contexts the KV cache must hold; None: one per call. With fewer, long calls compete for it, and when it is
    full vLLM recomputes the least urgent later."""
    max_kv_mib: int | None = None
    """The largest KV cache in MiB; None: on a GPU all that is left, on a CPU 512."""
    reserve_mib: int = 1024
    """MiB of GPU memory left free for what the other engines take later."""
    top_p: float = 0.9
    """Nucleus sampling for requests with a temperature; above 0, at most 1."""
    enforce_eager: bool = False
    """On a GPU: no compilation and no CUDA graphs. Starts a minute sooner, but answers more slowly."""
    speculative_prefill: bool = True
    """Compute prompts while the caller is still speaking."""
    dummy_weights: bool = False
    """Random weights, to measure speed without a download: the model's folder then needs none."""

    def __post_init__(self) -> None:
        for name in ("context_tokens", "max_calls", "full_contexts"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if not 0 < self.top_p <= 1:
            raise ValueError("top_p must be above 0 and at most 1")


def gpu_budget(
    options: VllmOptions, model_dir: Path, *, total_mib: int, free_mib: int, context_tokens: int
) -> LlmBudget:
    """What vLLM may take of a GPU with this much memory. Raises GpuMemoryShort, or EngineLoadFailed for a broken folder."""
    shape = LlamaShape.from_model_dir(model_dir)
    return budget_llm(
        total_mib=total_mib,
        free_mib=free_mib,
        weights_mib=weights_mib(shape) if options.dummy_weights else weights_mib_in(model_dir),
        shape=shape,
        context_tokens=context_tokens,
        calls=options.max_calls,
        reserve_mib=options.reserve_mib,
        full_contexts=options.full_contexts,
        max_kv_mib=options.max_kv_mib,
    )


def chosen_gpu(options: VllmOptions, gpus: Sequence[Gpu], *, has_cuda: bool) -> Gpu | None:
    """Where to run; None: on the CPU. `has_cuda`: the installed vLLM can use GPUs. Raises EngineLoadFailed."""
    if options.device == "cpu" or (options.device == "auto" and not has_cuda):
        return None
    if not has_cuda or not gpus:
        raise EngineLoadFailed(
            f"engines.llm.options.device is {options.device}, but vLLM finds no NVIDIA GPU. `make doctor` says what "
            "is missing; PROFILE=cpu needs none."
        )
    return gpus[0]


def engine_arguments(options: VllmOptions, model_dir: Path, *, context_tokens: int, gpu: Gpu | None) -> dict[str, Any]:
    """vLLM's AsyncEngineArgs; `gpu` None: on the CPU. Raises GpuMemoryShort."""
    sequences = SEQUENCES_PER_CALL * options.max_calls
    arguments: dict[str, Any] = {
        "model": str(model_dir),
        "dtype": "bfloat16",
        "load_format": "dummy" if options.dummy_weights else "safetensors",
        "max_model_len": context_tokens,
        "max_num_seqs": sequences,
        "max_num_batched_tokens": max(BATCHED_TOKENS, sequences),
        "enable_prefix_caching": True,
        "enable_chunked_prefill": True,
        "scheduling_policy": "priority",
        "skip_tokenizer_init": True,  # tokens go in and come out
        "generation_config": "vllm",
        "enable_log_requests": False,  # they hold what people say
        "disable_log_stats": True,  # ours are on the metrics page
        "seed": 0,
    }
    if gpu is None:
        kv_mib = options.max_kv_mib or CPU_KV_MIB
        return {
            **arguments,
            "kv_cache_memory_bytes": kv_mib * MIB,
            "block_size": CPU_BLOCK_TOKENS,
            "enforce_eager": True,
        }
    budget = gpu_budget(
        options, model_dir, total_mib=gpu.total_mib, free_mib=gpu.free_mib, context_tokens=context_tokens
    )
    return {
        **arguments,
        "gpu_memory_utilization": budget.utilization,
        "enforce_eager": options.enforce_eager,
        # FlashInfer's kernels would be compiled or downloaded at first use; these are in the wheel.
        "attention_backend": "FLASH_ATTN",
    }
