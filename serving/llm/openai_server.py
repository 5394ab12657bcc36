"""A Llama behind a separate `vllm serve`, reached by its OpenAI-compatible API: on this machine, unless an operator allows more.

Prompts are rendered and tokenized here, and replies read here token by token, so both are byte for byte those of the
in-process engine. The server only completes tokens; its own chat template and tool parser are never used.

    vllm serve FOLDER --uds FILE --enable-prefix-caching --scheduling-policy priority --enable-prompt-tokens-details
"""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from serving.chat import ChatRequest, Priority
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.gpu.memory import SEQUENCES_PER_CALL
from serving.llm.token_engine import Bunch, TokenLlm
from serving.llm.vocabulary import Vocabulary

logger = logging.getLogger("callbox.llm")

POLL_S = 1.0
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 60.0
HOST_OF_A_SOCKET = "http://localhost"
"""The URL's host when the connection is a Unix socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiServerOptions:
    """Where the server is and how it is used."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    address: str = "unix:/run/vllm.sock"
    """`unix:FILE`, the server's Unix socket, or `http://127.0.0.1:PORT`."""
    allow_remote: bool = False
    """Let callers' words leave this machine. Otherwise only loopback addresses are accepted."""
    served_model: str = ""
    """The server's name for the model; empty: the only one it serves."""
    wait_s: float = 120.0
    """How long to wait for a server that does not answer yet."""
    context_tokens: int = 8192
    """Prompt and reply together; the server's own limit holds when it is smaller."""
    max_calls: int = 8
    """How many calls' replies to request at the same time; the rest wait here, the least urgent longest."""
    top_p: float = 0.9
    """Nucleus sampling for requests with a temperature; above 0, at most 1."""
    speculative_prefill: bool = True
    """Compute prompts while the caller is still speaking."""

    def __post_init__(self) -> None:
        if not 0 < self.top_p <= 1:
            raise ValueError("top_p must be above 0 and at most 1")
        if not self.allow_remote and not is_on_this_machine(self.address):
            raise ValueError(
                f"{self.address} is not on this machine, and callers' words would go there. Use `unix:FILE` or "
                "`http://127.0.0.1:PORT`; if this is intended, set allow_remote: true"
            )


def is_on_this_machine(address: str) -> bool:
    """Whether an address is a Unix socket or a numeric loopback address; host names are not trusted."""
    if address.startswith("unix:"):
        return address.startswith("unix:/")
    host = urlsplit(address).hostname or ""
    try:
        return urlsplit(address).scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OpenAiServerLlm(TokenLlm):
    """Replies from the server. `open` may be called on any event loop."""

    name = "openai-server"

    def __init__(self, options: OpenAiServerOptions, model_dir: Path) -> None:
        """`model_dir` has the tokenizer.json of the model that the server runs, with its config; weights are not needed."""
        super().__init__(
            model_dir,
            context_tokens=options.context_tokens,
            places=SEQUENCES_PER_CALL * options.max_calls,
            speculative_prefill=options.speculative_prefill,
        )
        self._options = options

    async def _start(self, vocabulary: Vocabulary) -> "_ServerCore":
        core = _ServerCore(self._options, vocabulary)
        try:
            await core.connect()
        except BaseException:
            await core.aclose()
            raise
        return core


class _ServerCore:
    """The connection to the server."""

    def __init__(self, options: OpenAiServerOptions, vocabulary: Vocabulary) -> None:
        import httpx2
        import openai

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every request
        is_socket = options.address.startswith("unix:")
        path = options.address.removeprefix("unix:") if is_socket else None
        self._openai = openai
        self._client = openai.AsyncOpenAI(
            base_url=f"{HOST_OF_A_SOCKET if is_socket else options.address.rstrip('/')}/v1",
            api_key="none",
            max_retries=0,
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            http_client=httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=path), trust_env=False),
        )
        self._options = options
        self._stop_ids = sorted(vocabulary.stop_ids)
        self._model = options.served_model
        self._has_priorities = True

    async def connect(self) -> None:
        """Wait for the server and check what it can do. Raises EngineLoadFailed."""
        served = await self._served_models()
        self._model = self._model or next(iter(served), "")
        if self._model not in served:
            raise EngineLoadFailed(
                f"The server at {self._options.address} does not serve '{self._model}'. Set "
                f"engines.llm.options.served_model to one of: {', '.join(served) or '(it serves none)'}."
            )
        probe = ChatRequest((), max_tokens=1, priority=Priority.BACKGROUND)
        try:
            bunches = [bunch async for bunch in self._completion(probe, self._stop_ids[:1])]
        except self._openai.BadRequestError:
            self._has_priorities = False
            logger.warning("the server does not support priorities: start it with --scheduling-policy priority")
            bunches = [bunch async for bunch in self._completion(probe, self._stop_ids[:1])]
        if not any(bunch.token_ids for bunch in bunches):
            raise EngineLoadFailed(
                f"The server at {self._options.address} sends no token ids. It must be vLLM 0.11 or later."
            )

    async def generate(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        """Raises EngineDied when the server is gone, EngineError when it refuses."""
        try:
            async for bunch in self._completion(request, ids):
                yield bunch
        except self._openai.APIStatusError as error:
            raise EngineError(
                f"The server at {self._options.address} refuses a request ({error.status_code}). Its log says why; "
                "context_tokens must not be larger than its --max-model-len."
            ) from error
        except self._openai.APIError as error:
            raise EngineDied(self._gone(error)) from error

    async def aclose(self) -> None:
        """Close the connections, so that the server aborts what it generates for them."""
        await self._client.close()

    async def _completion(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        extra: dict[str, Any] = {
            "return_token_ids": True,
            "stop_token_ids": self._stop_ids,
            "skip_special_tokens": False,
            "add_special_tokens": False,
        }
        if self._has_priorities:
            extra["priority"] = int(request.priority)
        if request.tenant:
            extra["cache_salt"] = request.tenant
        stream = await self._client.completions.create(
            model=self._model,
            prompt=ids,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=self._options.top_p if request.temperature > 0 else 1.0,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=extra,
        )
        async with stream:
            async for chunk in stream:
                details = chunk.usage.prompt_tokens_details if chunk.usage else None
                token_ids = getattr(chunk.choices[0], "token_ids", None) if chunk.choices else None
                yield Bunch(token_ids or (), details.cached_tokens if details else None)

    async def _served_models(self) -> list[str]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._options.wait_s
        while True:
            try:
                return [model.id async for model in await self._client.models.list()]
            except self._openai.APIError as error:
                if loop.time() > deadline:
                    raise EngineLoadFailed(self._gone(error)) from error
            await asyncio.sleep(POLL_S)

    def _gone(self, error: Exception) -> str:
        return (
            f"No language model answers at {self._options.address} ({type(error).__name__}). Start one there with `vllm serve` "
            "(serving/llm/openai_server.py shows how), or set engines.llm.options.address."
        )
