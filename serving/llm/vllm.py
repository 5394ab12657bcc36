"""A Llama on vLLM in this process: its engine core is a child of ours, its requests live on one loop, calls on theirs.

Prompts share every block of tokens that begins alike (the system message, the call so far); an answer that somebody waits
for goes before one that is only likely, and both before a summary; what nobody wants any more is aborted in the core.
"""

import asyncio
import gc
import itertools
import logging
import os
from collections.abc import Callable
from concurrent.futures import CancelledError, wait
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from serving import metrics
from serving.bridge import Channel, EngineThread, LoopThread
from serving.chat import ChatEvent, ChatMessage, ChatRequest, Priority
from serving.errors import EngineDied, EngineError, EngineLoadFailed, ToolCallMalformed
from serving.gpu.devices import list_gpus
from serving.llm.admission import Admission
from serving.llm.reply import Reply, ReplyStream, reply_error
from serving.llm.vllm_metrics import SchedulerMetrics
from serving.llm.vllm_options import CPU_ENVIRONMENT, ENVIRONMENT, VllmOptions, chosen_gpu, engine_arguments
from serving.llm.vocabulary import Vocabulary

logger = logging.getLogger("callbox.llm")

LOAD_TIMEOUT_S = 1800.0
"""16 GB from a slow disk, then compiling and capturing graphs."""
CHECK_TIMEOUT_S = 30.0
STALL_S = 20.0
"""A core that says nothing for so long, to a request that has its place, hangs."""
SHUTDOWN_S = 3.0
"""What the core gets to end by itself; then it is killed with its children. It holds nothing that could be lost."""
PROBE = ChatRequest(messages=(ChatMessage("system", "Answer."), ChatMessage("user", "hello")), max_tokens=1)
WARM_UP = ChatRequest(messages=(ChatMessage("system", "Answer. " * 200), ChatMessage("user", "hello")), max_tokens=8)

Emit = Callable[[ChatEvent], None]


@dataclass(frozen=True, slots=True)
class _Vllm:
    """What of vLLM is used."""

    core_class: Any
    """AsyncLLM."""
    arguments_class: Any
    """AsyncEngineArgs."""
    sampling: Callable[..., Any]
    """SamplingParams for tokens as they come."""
    has_cuda: bool
    """Whether it was built for GPUs and sees one."""


@dataclass(frozen=True, slots=True)
class _Model:
    """A loaded model. `core` and `admission` belong to the loop of `thread`."""

    core: Any
    """An AsyncLLM."""
    sampling: Callable[..., Any]
    thread: LoopThread
    vocabulary: Vocabulary
    admission: Admission


class VllmLlm:
    """Replies from one shared model. `open` may be called on any event loop."""

    name = "vllm"

    def __init__(self, options: VllmOptions, model_dir: Path) -> None:
        """`model_dir` holds a Llama in Hugging Face's layout: config.json, safetensors, tokenizer.json and its config."""
        self._options = options
        self._model_dir = Path(model_dir)
        self._model: _Model | None = None
        self._ids = itertools.count()

    def load(self) -> None:
        """Start vLLM's core and read the model into it. Raises EngineLoadFailed; GpuMemoryShort with the figures."""
        options = self._options
        vocabulary = Vocabulary.from_directory(self._model_dir, context_tokens=options.context_tokens)
        with closing(EngineThread("vllm-import")) as importing:
            vllm = importing.submit(_import_vllm).result()
        gpu = chosen_gpu(options, list_gpus(), has_cuda=vllm.has_cuda)
        for name, value in (CPU_ENVIRONMENT if gpu is None else {}).items():
            os.environ.setdefault(name, value)
        arguments = engine_arguments(options, self._model_dir, context_tokens=vocabulary.context_tokens, gpu=gpu)
        thread = LoopThread("vllm")
        try:
            starting = thread.submit(_start(vllm, arguments, thread, vocabulary))
            self._model = starting.result(timeout=LOAD_TIMEOUT_S)
        except Exception as error:
            thread.close()
            raise EngineLoadFailed(
                f"The language model in {self._model_dir} could not be loaded by vLLM "
                f"({type(error).__name__}: {error}). vLLM's own lines above say why; `make doctor` checks the GPU, its "
                "driver and the model's files."
            ) from error

    def warm_up(self) -> None:
        """Run a long prompt with sampling and without. Raises EngineLoadFailed."""
        try:
            for temperature in (0.0, 1.0):
                self._generate_now(replace(WARM_UP, temperature=temperature), timeout_s=LOAD_TIMEOUT_S)
        except EngineError as error:
            raise EngineLoadFailed(
                f"The language model in {self._model_dir} loads but does not run: {error}"
            ) from error

    def check(self) -> None:
        """Generate one token. Raises EngineDied if that fails or takes longer than 30 s."""
        self._generate_now(PROBE, timeout_s=CHECK_TIMEOUT_S)

    def close(self) -> None:
        """Abort what is being generated, end vLLM's core and free its memory. Safe to call twice."""
        model, self._model = self._model, None
        if model is None:
            return
        thread = model.thread
        try:
            thread.submit(_shut_down(model)).result(timeout=2 * SHUTDOWN_S)
        except (TimeoutError, CancelledError, RuntimeError, OSError) as error:
            logger.warning("vLLM did not end in order: %s", type(error).__name__)
        thread.close()
        del model
        active_children()  # takes leave of a core that had to be killed
        gc.collect()  # what refers to itself; at interpreter exit the destructor of AsyncLLM would fail

    def open(self, request: ChatRequest) -> ReplyStream:
        """Start a reply, on the running event loop.

        Raises PromptTooLong if prompt and reply cannot fit, EngineError if the template refuses the conversation,
        EngineDied if no model is loaded.
        """
        model = self._loaded()
        ids = model.vocabulary.prompt(request).ids
        channel: Channel[ChatEvent] = Channel()
        return ReplyStream(channel, model.thread.submit(self._reply(model, request, ids, channel.put)))

    async def warm_prefix(self, request: ChatRequest) -> None:
        """Put the system message and tools of `request` into the prefix cache; where the template does not let them be
        told apart, the whole prompt."""
        prompt = self._loaded().vocabulary.prompt(request)
        await self._compute(replace(request, priority=Priority.BACKGROUND), list(prompt.static.ids) or prompt.ids)

    async def prefill(self, request: ChatRequest) -> None:
        """Put the conversation into the prefix cache, up to the last whole block. Cancelling it aborts it in the core."""
        if not self._options.speculative_prefill:
            return
        request = replace(request, max_tokens=1, priority=Priority.SPECULATIVE)
        await self._compute(request, self._loaded().vocabulary.prompt(request).ids)
        metrics.LLM_PREFILLS.inc()

    async def _reply(self, model: _Model, request: ChatRequest, ids: list[int], emit: Emit) -> None:
        """One reply, on vLLM's loop. Cancelling it aborts the request in the core."""
        reply = Reply(model.vocabulary.reader(), len(ids), emit)
        await self._run(
            model, request, ids, lambda output: reply.push(output.outputs[0].token_ids, output.num_cached_tokens)
        )
        reply.finish()

    async def _compute(self, request: ChatRequest, ids: list[int]) -> None:
        """Run a prompt for nothing but its place in the prefix cache. Raises EngineError."""
        model = self._loaded()
        once = replace(request, max_tokens=1, temperature=0.0)
        future = model.thread.submit(self._run(model, once, ids, lambda output: False))
        try:
            await asyncio.wrap_future(future)
        except Exception as error:
            raise reply_error(future) or error from error

    async def _run(self, model: _Model, request: ChatRequest, ids: list[int], take: Callable[[Any], bool]) -> None:
        """Have a request worked on until it is complete, or `take` has had enough of its outputs."""
        loop = asyncio.get_running_loop()
        async with model.admission.place(request.priority), aclosing(self._outputs(model, request, ids)) as outputs:
            try:
                async with asyncio.timeout(STALL_S) as deadline:
                    async for output in outputs:
                        if take(output):
                            break
                        deadline.reschedule(loop.time() + STALL_S)
            except TimeoutError:
                raise EngineDied(f"vLLM gave no token in {STALL_S:.0f} s. It has to be loaded again.") from None

    def _outputs(self, model: _Model, request: ChatRequest, ids: list[int]) -> Any:
        """vLLM's outputs for a prompt, each with the tokens that are new."""
        prompt: dict[str, Any] = {"type": "token", "prompt_token_ids": ids}
        if request.tenant:
            prompt["cache_salt"] = request.tenant
        top_p = self._options.top_p if request.temperature > 0 else 1.0
        return model.core.generate(
            prompt,
            model.sampling(max_tokens=request.max_tokens, temperature=request.temperature, top_p=top_p),
            request_id=f"{request.priority.name.lower()}-{next(self._ids)}",
            priority=int(request.priority),
        )

    def _generate_now(self, request: ChatRequest, *, timeout_s: float) -> None:
        """Generate and wait for it. Blocks. Raises EngineDied."""
        model = self._loaded()
        ids = model.vocabulary.prompt(request).ids
        future = model.thread.submit(self._reply(model, request, ids, lambda event: None))
        if not wait([future], timeout=timeout_s).done:
            future.cancel()
            raise EngineDied(f"The language model gave no token in {timeout_s:.0f} s.")
        error = reply_error(future)
        if error is not None and not isinstance(error, ToolCallMalformed):  # a few tokens of a tool call are no fault
            raise error

    def _loaded(self) -> _Model:
        if self._model is None:
            raise EngineDied("The language model is not loaded. The engine host loads it; wait until it is ready.")
        return self._model


def _import_vllm() -> _Vllm:
    """Raises EngineLoadFailed if it is not installed. Called in a thread of its own: what vLLM registers while it is
    imported keeps the frames of its importers for ever, and with them everything that they come to hold."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.sampling_params import RequestOutputKind, SamplingParams
        from vllm.v1.engine.async_llm import AsyncLLM
    except ImportError as error:
        raise EngineLoadFailed(
            f"vLLM is not installed here ({error}). `make run PROFILE=gpu` installs it with the gpu packages."
        ) from error
    sampling = partial(SamplingParams, output_kind=RequestOutputKind.DELTA, detokenize=False)
    return _Vllm(AsyncLLM, AsyncEngineArgs, sampling, has_cuda=current_platform.is_cuda())


async def _start(vllm: _Vllm, arguments: dict[str, Any], thread: LoopThread, vocabulary: Vocabulary) -> _Model:
    """On the loop of `thread`, which AsyncLLM makes its own."""
    core = vllm.core_class.from_engine_args(vllm.arguments_class(**arguments), stat_loggers=[SchedulerMetrics])
    sampling = partial(vllm.sampling, stop_token_ids=sorted(vocabulary.stop_ids))
    return _Model(core, sampling, thread, vocabulary, Admission(arguments["max_num_seqs"]))


async def _shut_down(model: _Model) -> None:
    model.core.shutdown(timeout=SHUTDOWN_S)
