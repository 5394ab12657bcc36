"""The language model on vLLM: the demo Llama, and Llama 3.1 8B's shape with random weights, in 16 bits and in 8."""

import asyncio
import os
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.operate.doctor.gpu_software import find_compiler
from scripts.bench.gpu.llama_shape import TOKENIZER, write_llama
from scripts.bench.gpu.llm_load import Conversation, Level, abort_s, beside_background_s, run_level
from scripts.bench.gpu.part import Part, Subject
from scripts.bench.machine import free_mib
from serving.gpu.devices import list_gpus
from serving.gpu.known import LLAMA_8B
from serving.gpu.llama import LlamaShape
from serving.gpu.memory import GpuMemoryShort
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions, gpu_budget

LEVELS = (1, 4, 16, 32)
"""Calls that want an answer at the same time."""
FP8_CAPABILITY = (8, 9)
TINY = replace(LLAMA_8B, layers=2, heads=4, kv_heads=2, head_dim=64, hidden=256, intermediate=512)
DEMO_CONTEXT_TOKENS, CONTEXT_TOKENS = 2048, 4096
DEMO_EXCHANGES, EXCHANGES = 6, 36
"""Exchanges so far: prompts of about 600 and 1,700 tokens."""


def measure(part: Part) -> None:
    """Measure all models."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    demo = VllmOptions(device=part.device, context_tokens=DEMO_CONTEXT_TOKENS, max_kv_mib=256)
    part.attempt("demo Llama on vLLM", partial(_model, part, "demo Llama", demo, TOKENIZER, DEMO_EXCHANGES))
    shape, name = (TINY, "tiny Llama shape") if part.quick else (LLAMA_8B, "Llama 3.1 8B shape")
    with tempfile.TemporaryDirectory(prefix="callbox-llama-") as folder:
        for number_format, linear_bytes in (("bfloat16", 2), ("FP8", 1)):
            if linear_bytes == 1 and part.device == "cuda" and list_gpus()[0].compute_capability < FP8_CAPABILITY:
                part.problem("FP8 needs compute capability 8.9 (Ada) or later; not measured")
                continue
            made = write_llama(replace(shape, linear_bytes=linear_bytes), Path(folder) / number_format)
            options = VllmOptions(
                device=part.device,
                context_tokens=CONTEXT_TOKENS,
                dummy_weights=True,
                max_kv_mib=64 if part.quick else None,
            )
            part.attempt(
                f"{name}, {number_format}", partial(_model, part, name, options, made, 4 if part.quick else EXCHANGES)
            )


def _model(part: Part, name: str, options: VllmOptions, model_dir: Path, exchanges: int) -> None:
    number_format = "FP8" if LlamaShape.from_model_dir(model_dir).linear_bytes == 1 else "bfloat16"
    facts = find_compiler()
    if part.device == "cuda" and not (facts.compiler and facts.header):
        options = replace(options, enforce_eager=True)
        part.problem(f"{name}: no C compiler with Python.h: measured without compilation and CUDA graphs")
    _wait_until_free(part)
    options, estimate_mib = _fitted(part, options, model_dir)
    where = f"{part.device} {number_format}{' eager' if options.enforce_eager and part.device == 'cuda' else ''}"
    subject = Subject(name, "random" if options.dummy_weights else "real", where)
    engine = VllmLlm(options, model_dir)

    def load() -> None:
        engine.load()
        engine.warm_up()

    try:
        part.memory(subject, load, estimate_mib=estimate_mib)
        asyncio.run(_measure(part, engine, subject, options, Conversation.of(exchanges, options.dummy_weights)))
    finally:
        engine.close()


def _wait_until_free(part: Part) -> None:
    """Wait for the driver, which frees memory some time after vLLM's core has ended, until it frees no more."""
    free = [free_mib() or 0]
    while part.device == "cuda" and (len(free) < 4 or free[-1] > free[-4]):
        time.sleep(0.5)
        free.append(free_mib() or 0)


def _fitted(part: Part, options: VllmOptions, model_dir: Path) -> tuple[VllmOptions, int | None]:
    """The options with as many calls as this GPU holds, and the MiB that the plan reserves. Raises GpuMemoryShort."""
    if part.device == "cpu":
        return replace(options, max_calls=4 if part.quick else 16), None
    gpu = list_gpus()[0]
    for calls in reversed(LEVELS):
        options = replace(options, max_calls=calls)
        try:
            budget = gpu_budget(
                options,
                model_dir,
                total_mib=gpu.total_mib,
                free_mib=gpu.free_mib,
                context_tokens=options.context_tokens,
            )
        except GpuMemoryShort:
            if calls == min(LEVELS):
                raise
        else:
            return options, budget.total_mib
    raise AssertionError("LEVELS is empty")


async def _measure(
    part: Part, engine: VllmLlm, subject: Subject, options: VllmOptions, conversation: Conversation
) -> None:
    await run_level(engine, conversation, Level(1, 2))  # not counted
    for calls in (level for level in LEVELS if level <= options.max_calls):
        rounds = 1 if part.quick else max(3, 12 // calls)
        _tell_level(part, subject, calls, await run_level(engine, conversation, Level(calls, rounds)))
    times = 1 if part.quick else 5
    aborts_s = [await abort_s(engine, conversation, options.max_calls) for _ in range(times)]
    note = f"{options.max_calls} replies aborted at once, until vLLM's front end holds none"
    part.tell("abort", subject, [let_go_s for let_go_s, _ in aborts_s], scale=1e3, note=note)
    part.tell("first token right after these aborts", subject, [first_s for _, first_s in aborts_s], scale=1e3)
    beside_s = [await beside_background_s(engine, conversation, options.max_calls) for _ in range(times)]
    note = f"beside {2 * options.max_calls} summaries; prefix cached"
    part.tell("first token of a confirmed answer", subject, beside_s, scale=1e3, note=note)


def _tell_level(part: Part, subject: Subject, calls: int, found: Level) -> None:
    at_once = "1 call" if calls == 1 else f"{calls} calls at once"
    for way, timings in found.timings.items():
        cached = 100 * sum(timings.cached_share) / max(1, len(timings.cached_share))
        note = f"{found.prompt_tokens} tokens of prompt, {cached:.0f} % of them cached"
        part.tell(f"first token, {way}, {at_once}", subject, timings.ttft_s, scale=1e3, note=note)
    apart_ms = [1e3 / per_s for timings in found.timings.values() for per_s in timings.tokens_per_s if per_s > 0]
    part.tell(f"between two tokens, {at_once}", subject, apart_ms)
    part.tell(f"tokens a second, {at_once}", subject, found.tokens_per_s, unit="tokens/s", note="all calls together")
    part.tell(f"queue, {at_once}", subject, [found.queue_s], scale=1e3, note="mean wait for a slot, as vLLM reports it")
    part.tell(f"KV cache in use, {at_once}", subject, [found.kv_use], unit="%", scale=100, note="peak")
