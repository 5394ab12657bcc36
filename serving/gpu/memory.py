"""How many MiB of a GPU a Llama on vLLM needs, and how much of it can be its KV cache. Pure arithmetic.

What vLLM 0.32 does with the share that it is given (v1/worker/gpu_worker.py, v1/worker/utils.py): it takes
`gpu_memory_utilization` of the *total* memory, refuses to start unless so much is *free* once its CUDA context exists,
loads the weights, measures what a forward pass over the largest batch needs beside them, and makes the rest of its share
the KV cache. It goes on only if that holds one full context. So the share must come from what is free, with the context
left out; the weights and the work space are estimated here only to refuse in time and with figures.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from serving.errors import EngineLoadFailed
from serving.gpu.llama import LlamaShape, kv_bytes_per_token, weights_mib

__all__ = ["GpuMemoryShort", "LlamaShape", "LlmBudget", "budget_llm", "kv_bytes_per_token"]

MIB = 1024 * 1024
NOTHING: Mapping[str, int] = MappingProxyType({})
CUDA_CONTEXT_MIB = 500
"""What a process takes by using CUDA at all (kernels, cuBLAS work space); vLLM does not count it in its share."""
GRAPHS_MIB = 800
"""CUDA graphs and the attention's work space, which do not grow with the model."""
BATCHED_TOKENS = 2048
"""The most tokens that one forward pass is given."""
SEQUENCES_PER_CALL = 4
"""A call's confirmed answer, its speculative one, a prefill and a summary may be under way at the same time."""
BLOCK_TOKENS = 16
"""vLLM's KV cache is handed out in blocks of so many tokens."""
UTILIZATION_STEPS = 10_000
KEPT_FREE = "kept free for the other engines"
LEAST_CONTEXT_TOKENS = 2048
"""The front desk's instructions and tools, and a short call."""


class GpuMemoryShort(EngineLoadFailed):
    """The GPU cannot hold what was asked for; the message says by how much, what takes it, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmBudget:
    """What a language model gets of a GPU."""

    weights_mib: int
    work_mib: int
    """CUDA context, activations and CUDA graphs: an estimate, until vLLM has measured it at its start."""
    kv_mib: int
    kv_tokens: int
    """What kv_mib holds."""
    calls: int
    """Calls that were asked for; the KV cache may hold more."""
    utilization: float
    """vLLM's gpu_memory_utilization: weights, KV cache and work space without the CUDA context, of the total."""

    @property
    def total_mib(self) -> int:
        """All of it."""
        return self.weights_mib + self.work_mib + self.kv_mib


def work_mib(shape: LlamaShape, *, calls: int, batched_tokens: int = BATCHED_TOKENS) -> int:
    """What a forward pass needs beside weights and KV cache, the CUDA context included. An estimate."""
    activations = batched_tokens * (3 * shape.intermediate + 6 * shape.hidden) * 2
    # logits as 32-bit floats, sorted with their places, and the masks of the sampler
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
    """Share out what is free now, after everything else on the GPU was loaded.

    `reserve_mib` stays free for what grows later. The KV cache gets the rest, at most `max_kv_mib`, and must hold one full
    context a call (or `full_contexts`, or `max_kv_mib`, if that is less), but never less than one context. `taken` (MiB
    by name) already sits on the GPU and is told in the refusal. Raises GpuMemoryShort.
    """
    _require_positions(shape, context_tokens)
    work = work_mib(shape, calls=calls)
    per_call = kv_mib_per_call(shape, context_tokens)
    full = min(calls, full_contexts or calls)
    least = math.ceil(min(full * per_call, max(per_call, max_kv_mib or math.inf)))
    available = free_mib - reserve_mib - weights_mib - work
    if available < least:
        cache = f"KV cache for {full} x {context_tokens:,} tokens"
        need = {"weights": weights_mib, "CUDA and work space": work, cache: least, KEPT_FREE: reserve_mib}
        advice = _advice(shape, calls=full, context_tokens=context_tokens, kv_mib=available, taken=taken)
        raise GpuMemoryShort(_refusal(total_mib, free_mib, need, taken) + advice)
    kv_mib = available if max_kv_mib is None else min(available, max(least, max_kv_mib))
    return LlmBudget(
        weights_mib=weights_mib,
        work_mib=work,
        kv_mib=kv_mib,
        kv_tokens=kv_mib * MIB // kv_bytes_per_token(shape),
        calls=calls,
        utilization=_share(weights_mib + work - CUDA_CONTEXT_MIB + kv_mib, total_mib),
    )


def _share(part_mib: int, total_mib: int) -> float:
    """Rounded down, so that vLLM asks for no more than the part."""
    return math.floor(part_mib / total_mib * UTILIZATION_STEPS) / UTILIZATION_STEPS


def _require_positions(shape: LlamaShape, context_tokens: int) -> None:
    if context_tokens > shape.max_positions:
        raise EngineLoadFailed(
            f"The language model reads at most {shape.max_positions:,} tokens, not {context_tokens:,}. "
            "Set engines.llm.options.context_tokens lower."
        )


def _refusal(total_mib: int, free_mib: int, need: Mapping[str, int], taken: Mapping[str, int]) -> str:
    needed = sum(need.values())
    text = (
        f"The GPU's memory is {needed - free_mib:,} MiB short: the language model needs {needed:,} "
        f"({_listed(need)}), and {free_mib:,} of {total_mib:,} are free"
    )
    others = total_mib - free_mib - sum(taken.values())
    beside = {**taken, **({"other programs" if taken else "all that runs now": others} if others > 0 else {})}
    return text + (f" (taken: {_listed(beside)}). " if beside else ". ")


def _listed(parts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {mib:,}" for name, mib in parts.items())


def _advice(shape: LlamaShape, *, calls: int, context_tokens: int, kv_mib: int, taken: Mapping[str, int]) -> str:
    """What helps, in the order of how little it costs; `kv_mib` is what is left for the KV cache now."""
    ways = []
    if shape.linear_bytes > 1:
        freed = weights_mib(shape) - weights_mib(replace(shape, linear_bytes=1))
        ways.append(f"the FP8 model, {freed:,} MiB smaller (engines: {{llm: {{model: llama-3.1-8b-instruct-fp8}}}})")
    fitting_calls = int(kv_mib // kv_mib_per_call(shape, context_tokens))
    if fitting_calls > 0:
        options = f"engines: {{llm: {{options: {{max_calls: {fitting_calls}}}}}}}"
        ways.append(f"at most {fitting_calls} calls ({options}, capacity: {{max_calls: {fitting_calls}}})")
    fitting_tokens = kv_mib * MIB // kv_bytes_per_token(shape) // calls // BLOCK_TOKENS * BLOCK_TOKENS
    if fitting_tokens >= LEAST_CONTEXT_TOKENS:
        ways.append(f"a shorter context (engines: {{llm: {{options: {{context_tokens: {fitting_tokens}}}}}}})")
    if any("float16" in name and "int8" not in name for name in taken):
        ways.append("Whisper in 8 bits (engines: {stt: {options: {compute_type: int8_float16}}})")
    choose = f"In configs/site.yaml, choose {'; or '.join(ways)}. Or stop" if ways else "Stop"
    return f"{choose} what else uses the GPU: nvidia-smi shows it."
