"""`python -m agent run`, and the processes and ports that make up Callbox on this machine."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from agent.operate.gpu_plan import plan_for, plan_table, uses_gpu
from agent.operate.keys import ensure_keys
from agent.operate.profiles import Choice, choose_profile
from agent.operate.supervisor.console import StatusBoard
from agent.operate.supervisor.livekit_server import (
    LOOPBACK,
    node_address,
    require_own_address,
    server_environment,
    server_program,
)
from agent.operate.supervisor.ports import Port, require_free
from agent.operate.supervisor.probes import answers_200, ready_url
from agent.operate.supervisor.process import ProcessSpec
from agent.operate.supervisor.supervisor import Supervisor
from agent.settings import ROOT, Keys, Network, Settings, load_keys, load_settings
from models.errors import CallboxError
from models.store import ModelStore, open_store
from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu, list_gpus
from serving.gpu.libraries import check_libraries

ENV_FILE = ROOT / ".env"
WORKER_READY_TIMEOUT_S = 600.0
"""Loading a language model from a slow disk takes minutes."""
GPU_WORKER_READY_TIMEOUT_S = 2400.0
"""Checking every byte of 16 GB, loading them, and vLLM's first compilation and graph capture."""


def run_callbox(*, profile: str = "", address: str = "") -> int:
    """Start Callbox and keep it running until Ctrl-C; returns the exit status.

    An empty `profile` means the best one that this machine can run; with an `address`, the local network is served too.
    """
    board = StatusBoard(("livekit", "worker", "web"))
    try:
        if address:
            os.environ["CALLBOX_ADDRESS"] = address
        store = open_store()
        choice = Choice(profile, "as requested") if profile else choose_profile(store)
        settings = load_settings(choice.profile)
        board.note(f"Profile {choice.profile}: {choice.reason}.")
        show_gpu_plan(settings, store, list_gpus(), board)
        specs = prepare(settings, board)
    except CallboxError as error:
        board.failure(str(error))
        return 1
    return asyncio.run(Supervisor(specs, board, announcement=announcement(settings)).run())


def show_gpu_plan(settings: Settings, store: ModelStore, gpus: Sequence[Gpu], board: StatusBoard) -> None:
    """Print what goes on the GPU and how much it takes; nothing if the settings use none.

    Raises GpuMemoryShort with figures, or EngineLoadFailed for a missing GPU or library.
    """
    if not uses_gpu(settings, gpus):
        return
    plan = plan_for(settings, store, gpus)
    board.show(plan_table(plan))
    problems = check_libraries(plan.gpus)
    if problems:
        raise EngineLoadFailed("\n".join(map(str, problems)))


def prepare(settings: Settings, board: StatusBoard) -> tuple[ProcessSpec, ...]:
    """The processes to start, after checking that they can. Raises CallboxError."""
    network = settings.network
    require_own_address(network)
    program = str(server_program())
    require_free(ports(network))
    if ensure_keys(ENV_FILE, livekit_url=livekit_url(network)):
        board.note(f"Created this installation's LiveKit key and secret in {ENV_FILE.name} (mode 0600).")
    return processes(settings, load_keys(ENV_FILE), livekit_program=program)


def ports(network: Network) -> tuple[Port, ...]:
    """Every port that Callbox opens."""
    everywhere = "0.0.0.0"
    always = (
        Port(network.livekit_port, "tcp", LOOPBACK, "network.livekit_port"),
        Port(network.rtc_udp_port, "udp", node_address(network), "network.rtc_udp_port"),
        Port(network.web_port, "tcp", LOOPBACK if network.is_loopback else everywhere, "network.web_port"),
        Port(network.ops_port, "tcp", LOOPBACK, "network.ops_port"),
    )
    if network.is_loopback:
        return always
    return (*always, Port(network.rtc_tcp_port, "tcp", everywhere, "network.rtc_tcp_port"))


def processes(settings: Settings, keys: Keys, *, livekit_program: str) -> tuple[ProcessSpec, ...]:
    """The processes with their probes, in start order. Secrets are passed only in the environment."""
    network = settings.network
    livekit = ProcessSpec(
        name="livekit",
        command=(livekit_program,),
        environment=server_environment(network, keys),
        probe=answers_200(ready_url("livekit", network)),
        ready_timeout_s=30.0,
    )
    loading_timeout_s = GPU_WORKER_READY_TIMEOUT_S if uses_gpu(settings) else WORKER_READY_TIMEOUT_S
    worker = replace(_python_process("worker", settings, keys), ready_timeout_s=loading_timeout_s)
    return livekit, worker, _python_process("web", settings, keys)


def _python_process(command: str, settings: Settings, keys: Keys) -> ProcessSpec:
    return ProcessSpec(
        name=command,
        command=(sys.executable, "-m", "agent", command, "--profile", settings.profile),
        environment={
            "PYTHONUNBUFFERED": "1",
            "CALLBOX_ADDRESS": settings.network.address,
            "LIVEKIT_URL": livekit_url(settings.network),
            "LIVEKIT_API_KEY": keys.api_key,
            "LIVEKIT_API_SECRET": keys.api_secret,
        },
        probe=answers_200(ready_url(command, settings.network)),
        needs=("livekit",),
    )


def livekit_url(network: Network) -> str:
    """Where Callbox's own processes reach livekit-server."""
    return f"ws://{LOOPBACK}:{network.livekit_port}"


def announcement(settings: Settings) -> Sequence[str]:
    """What is printed once all processes are ready, starting with the address."""
    network = settings.network
    lines = [f"Callbox is ready: {network.web_scheme}://{node_address(network)}:{network.web_port}"]
    lines.append(f"Profile {settings.profile}" + (f" ({settings.title})." if settings.title else "."))
    if not network.is_loopback and network.web_scheme == "http":
        lines.append("Browsers allow the microphone only over HTTPS or on the box itself (README, Serve your network).")
    lines.append("Ctrl-C stops everything.")
    return lines
