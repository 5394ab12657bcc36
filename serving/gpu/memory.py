"""How many MiB of a GPU a Llama on vLLM needs, and how much of that its KV cache gets. Pure arithmetic.

What vLLM 0.32 does with its share (v1/worker/gpu_worker.py, v1/worker/utils.py): it claims `gpu_memory_utilization` of the
*total* memory, refuses to start unless that much is *free* once its CUDA context exists, loads the weights, measures what
a forward pass over the largest batch needs on top, and turns the rest of its share into the KV cache. It starts only if
that holds one full context. So the share must fit into what is free, not counting the context; weights and work space are
estimated here only to refuse early, with figures.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from serving.errors import EngineLoadFailed
from serving.gpu.devices import MIB
from serving.gpu.llama import LlamaShape, kv_bytes_per_token, weights_mib

NOTHING: Mapping[str, int] = MappingProxyType({})
CUDA_CONTEXT_MIB = 500
"""What a process takes just by using CUDA (kernels, cuBLAS work space); not part of vLLM's share."""
GRAPHS_MIB = 800
"""CUDA graphs and attention work space, which do not grow with the model."""
BATCHED_TOKENS = 2048
"""Most tokens in one forward pass."""
SEQUENCES_PER_CALL = 4
"""A call's confirmed reply, its speculative one, a prefill and a summary may run at the same time."""
BLOCK_TOKENS = 16
"""vLLM allocates its KV cache in blocks of this size."""
UTILIZATION_STEPS = 10_000
KEPT_FREE = "kept free for the other engines"
MIN_CONTEXT_TOKENS = 2048
"""Enough for the front desk's instructions and tools, and a short call."""


class GpuMemoryShort(EngineLoadFailed):
    """What was asked for does not fit on the GPU; the message says how much is missing, what takes it, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmBudget:
    """A language model's share of a GPU."""

    weights_mib: int
    work_mib: int
    """CUDA context, activations and CUDA graphs: an estimate; vLLM measures it when it starts."""
    kv_mib: int
    kv_tokens: int
    """Tokens that fit into kv_mib."""
    calls: int
    """Calls planned for; the KV cache may hold more."""
    utilization: float
    """vLLM's gpu_memory_utilization: the fraction of the total for weights, KV cache and work space, without the CUDA context."""

    @property
    def total_mib(self) -> int:
        """Weights, work space and KV cache."""
        return self.weights_mib + self.work_mib + self.kv_mib


def work_mib(shape: LlamaShape, *, calls: int, batched_tokens: int = BATCHED_TOKENS) -> int:
    """What a forward pass needs on top of weights and KV cache, including the CUDA context. An estimate."""
    activations = batched_tokens * (3 * shape.intermediate + 6 * shape.hidden) * 2
    # logits as 32-bit floats, sorted with their indices, and the sampler's masks
    logits = SEQUENCES_PER_CALL * calls * shape.vocabulary * (4 + 4 + 8 + 4 + 4)
    return CUDA_CONTEXT_MIB + GRAPHS_MIB + math.ceil((activations + logits) / MIB)


def kv_mib_per_call(shape: LlamaShape, context_tokens: int) -> float:
    """MiB of KV cache that one full context occupies."""
    blocks = math.ceil(context_tokens / BLOCK_TOKENS)
    return blocks * BLOCK_TOKENS * kv_bytes_per_token(shape) / MIB


def budget_llm(
    *,
    total_mib: int,
    free_mib: int,
    weights_mib: int,
    shape: LlamaShape,
    context_tokens: int,
    calls: int,
    reserve_mib: int,
    full_contexts: int | None = None,
    max_kv_mib: int | None = None,
    taken: Mapping[str, int] = NOTHING,
) -> LlmBudget:
    """Divide up what is free once everything else on the GPU is loaded.

    `reserve_mib` stays free for what grows later. The KV cache gets the rest, at most `max_kv_mib`. It must hold one full
    context per call (or `full_contexts`, or `max_kv_mib`, if less), and never less than one context. `taken` is what the
    GPU already holds (MiB by name), for the error message. Raises GpuMemoryShort.
    """
    _require_positions(shape, context_tokens)
    work = work_mib(shape, calls=calls)
    per_call = kv_mib_per_call(shape, context_tokens)
    full = min(calls, full_contexts or calls)
    min_kv_mib = math.ceil(min(full * per_call, max(per_call, max_kv_mib or math.inf)))
    available = free_mib - reserve_mib - weights_mib - work
    if available < min_kv_mib:
        cache = f"KV cache for {full} x {context_tokens:,} tokens"
        need = {"weights": weights_mib, "CUDA and work space": work, cache: min_kv_mib, KEPT_FREE: reserve_mib}
        advice = _advice(shape, calls=full, context_tokens=context_tokens, kv_mib=available, taken=taken)
        raise GpuMemoryShort(_refusal(total_mib, free_mib, need, taken) + advice)
    kv_mib = available if max_kv_mib is None else min(available, max(min_kv_mib, max_kv_mib))
    return LlmBudget(
        weights_mib=weights_mib,
        work_mib=work,
        kv_mib=kv_mib,
        kv_tokens=kv_mib * MIB // kv_bytes_per_token(shape),
        calls=calls,
        utilization=_share(weights_mib + work - CUDA_CONTEXT_MIB + kv_mib, total_mib),
    )


def _share(part_mib: int, total_mib: int) -> float:
    """Rounded down, so that vLLM claims no more than that part."""
    return math.floor(part_mib / total_mib * UTILIZATION_STEPS) / UTILIZATION_STEPS


def _require_positions(shape: LlamaShape, context_tokens: int) -> None:
    if context_tokens > shape.max_positions:
        raise EngineLoadFailed(
            f"The language model reads at most {shape.max_positions:,} tokens, not {context_tokens:,}. "
            "Lower engines.llm.options.context_tokens."
        )


def _refusal(total_mib: int, free_mib: int, need: Mapping[str, int], taken: Mapping[str, int]) -> str:
    needed = sum(need.values())
    text = (
        f"The GPU's memory is {needed - free_mib:,} MiB short: the language model needs {needed:,} "
        f"({_listed(need)}), and {free_mib:,} of {total_mib:,} are free"
    )
    others = total_mib - free_mib - sum(taken.values())
    beside = {**taken, **({"other programs" if taken else "whatever runs now": others} if others > 0 else {})}
    return text + (f" (taken: {_listed(beside)}). " if beside else ". ")


def _listed(parts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {mib:,}" for name, mib in parts.items())


def _advice(shape: LlamaShape, *, calls: int, context_tokens: int, kv_mib: int, taken: Mapping[str, int]) -> str:
    """What would help, cheapest first; `kv_mib` is what is left for the KV cache now."""
    ways = []
    if shape.linear_bytes > 1:
        freed = weights_mib(shape) - weights_mib(replace(shape, linear_bytes=1))
        ways.append(f"the FP8 model, {freed:,} MiB smaller (engines: {{llm: {{model: llama-3.1-8b-instruct-fp8}}}})")
    fitting_calls = int(kv_mib // kv_mib_per_call(shape, context_tokens))
    if fitting_calls > 0:
        options = f"engines: {{llm: {{options: {{max_calls: {fitting_calls}}}}}}}"
        ways.append(f"at most {fitting_calls} calls ({options}, capacity: {{max_calls: {fitting_calls}}})")
    fitting_tokens = kv_mib * MIB // kv_bytes_per_token(shape) // calls // BLOCK_TOKENS * BLOCK_TOKENS
    if fitting_tokens >= MIN_CONTEXT_TOKENS:
        ways.append(f"a shorter context (engines: {{llm: {{options: {{context_tokens: {fitting_tokens}}}}}}})")
    if any("float16" in name and "int8" not in name for name in taken):
        ways.append("Whisper in 8 bits (engines: {stt: {options: {compute_type: int8_float16}}})")
    choose = f"In configs/site.yaml, choose {'; or '.join(ways)}. Or stop" if ways else "Stop"
    return f"{choose} whatever else uses the GPU (`nvidia-smi` lists it)."
