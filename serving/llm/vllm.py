"""A Llama on vLLM in this process; vLLM's engine core is a child process.

Prompts share their common leading blocks of tokens (the system message, the call so far). An answer that a caller is waiting
for comes before a speculative one, and both before a summary. Replies that nobody wants any more are aborted in the core.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from serving.bridge import EngineThread
from serving.chat import ChatRequest
from serving.errors import EngineLoadFailed
from serving.gpu.devices import list_gpus
from serving.gpu.memory import SEQUENCES_PER_CALL, GpuMemoryShort
from serving.llm.token_engine import Bunch, TokenLlm
from serving.llm.vllm_metrics import SchedulerMetrics
from serving.llm.vllm_options import CPU_ENVIRONMENT, ENVIRONMENT, VllmOptions, chosen_gpu, engine_arguments
from serving.llm.vocabulary import Vocabulary

SHUTDOWN_S = 3.0
"""How long the core may take to stop; then it is killed with its children. It holds nothing that could be lost."""
RETURN_S = 15.0
"""How long to wait for the memory of a killed core, which the driver frees after the process is gone."""
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class _Vllm:
    """The parts of vLLM that are used."""

    core_class: Any
    """AsyncLLM."""
    arguments_class: Any
    """AsyncEngineArgs."""
    sampling: Callable[..., Any]
    """SamplingParams for streamed tokens."""
    has_cuda: bool
    """Whether it was built for GPUs and sees one."""


class VllmLlm(TokenLlm):
    """Replies from one shared model. `open` may be called on any event loop."""

    name = "vllm"

    def __init__(self, options: VllmOptions, model_dir: Path) -> None:
        """`model_dir` holds a Llama in Hugging Face's layout: config.json, safetensors, tokenizer.json and its config."""
        super().__init__(
            model_dir,
            context_tokens=options.context_tokens,
            places=SEQUENCES_PER_CALL * options.max_calls,
            speculative_prefill=options.speculative_prefill,
        )
        self._options = options
        self._vllm: _Vllm | None = None
        self._memory_returns = False
        """Whether a previous core held GPU memory that may still be being freed."""

    def load(self) -> None:
        """Start vLLM's core and read the model into it. Raises EngineLoadFailed; GpuMemoryShort with the figures."""
        with closing(EngineThread("vllm-import")) as importing:
            self._vllm = importing.submit(_import_vllm).result()
        super().load()

    async def _start(self, vocabulary: Vocabulary) -> "_AsyncLlmCore":
        vllm, options = self._vllm, self._options
        if vllm is None:
            raise EngineLoadFailed("vLLM has not been imported. Call load().")
        arguments = await self._arguments(vocabulary, has_cuda=vllm.has_cuda)
        try:
            core = vllm.core_class.from_engine_args(vllm.arguments_class(**arguments), stat_loggers=[SchedulerMetrics])
        except Exception as error:
            raise EngineLoadFailed(
                f"The language model in {self._model_dir} could not be loaded by vLLM "
                f"({type(error).__name__}: {error}). vLLM's log lines above say why; `make doctor` checks the GPU, its "
                "driver and the model's files."
            ) from error
        sampling = partial(vllm.sampling, stop_token_ids=sorted(vocabulary.stop_ids))
        self._memory_returns = True
        return _AsyncLlmCore(core, sampling, options.top_p)

    async def _arguments(self, vocabulary: Vocabulary, *, has_cuda: bool) -> dict[str, Any]:
        """vLLM's arguments, given what is free on the GPU now. Raises EngineLoadFailed, GpuMemoryShort."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (RETURN_S if self._memory_returns else 0.0)
        while True:
            gpu = chosen_gpu(self._options, list_gpus(), has_cuda=has_cuda)
            for name, value in (CPU_ENVIRONMENT if gpu is None else {}).items():
                os.environ.setdefault(name, value)
            try:
                return engine_arguments(
                    self._options, self._model_dir, context_tokens=vocabulary.context_tokens, gpu=gpu
                )
            except GpuMemoryShort:
                if loop.time() >= deadline:
                    raise
            await asyncio.sleep(POLL_S)


class _AsyncLlmCore:
    """vLLM's AsyncLLM, which is tied to the loop that it was created on."""

    def __init__(self, llm: Any, sampling: Callable[..., Any], top_p: float) -> None:
        self.llm = llm
        self._sampling = sampling
        self._top_p = top_p
        self._ids = itertools.count()

    async def generate(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        prompt: dict[str, Any] = {"type": "token", "prompt_token_ids": ids}
        if request.tenant:
            prompt["cache_salt"] = request.tenant
        outputs = self.llm.generate(
            prompt,
            self._sampling(
                max_tokens=request.max_tokens,
                temperature=request.temperature,
                top_p=self._top_p if request.temperature > 0 else 1.0,
            ),
            request_id=f"{request.priority.name.lower()}-{next(self._ids)}",
            priority=int(request.priority),
        )
        async with aclosing(outputs):
            async for output in outputs:
                yield Bunch(output.outputs[0].token_ids, output.num_cached_tokens)

    async def aclose(self) -> None:
        self.llm.shutdown(timeout=SHUTDOWN_S)
        active_children()  # reaps a core that had to be killed


def _import_vllm() -> _Vllm:
    """Import vLLM. Raises EngineLoadFailed if it is not installed. Called in a thread of its own: what vLLM registers on import
    keeps the importing frames alive for ever, and with them everything they hold."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.sampling_params import RequestOutputKind, SamplingParams
        from vllm.v1.engine.async_llm import AsyncLLM
    except ImportError as error:
        raise EngineLoadFailed(
            f"vLLM is not installed ({error}). `make run PROFILE=gpu` installs it with the gpu packages."
        ) from error
    sampling = partial(SamplingParams, output_kind=RequestOutputKind.DELTA, detokenize=False)
    return _Vllm(AsyncLLM, AsyncEngineArgs, sampling, has_cuda=current_platform.is_cuda())
