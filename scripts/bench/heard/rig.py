"""A media server and a worker that follows plans, both for this bench alone, and a caller who records what they hear."""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import SOCK_DGRAM, SOCK_STREAM

import numpy as np
import yaml

from agent.operate.supervisor.livekit_server import server_environment, server_program
from agent.settings import ROOT, SITE_VARIABLE, Keys, Network
from scripts.bench.heard.cuts import Plan
from scripts.bench.heard.ledger import CUE_TOPIC, Entry, read
from scripts.caller.errors import CallerError
from scripts.caller.mouth import Kind
from scripts.caller.room import CallerRoom, mint_ticket
from scripts.caller.voice import Line, load_voice
from scripts.free_ports import free_ports
from serving.audio import Pcm16

BARGE_IN = "wait stop hold on a second"
START_S = 180.0
MAX_REPLY_S = 30.0
"""Longest time for a reply and what the caller says to it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One planned call from both ends."""

    entries: list[Entry]
    recording: Pcm16
    """What the caller heard, at scripts.caller.clock.RATE, shape (n,)."""
    origin_s: float
    """time.time() at the recording's first sample."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A media server and a worker that take planned calls."""

    keys: Keys = field(repr=False)
    media_port: int
    agent_name: str
    folder: Path

    async def hold(self, room: str, plan: Plan, *, url: str | None = None) -> Heard:
        """One call, from the greeting to the end of the plan; `url` is another address of the media server. Raises CallerError."""
        (self.folder / f"{room}.plan.json").write_text(plan.model_dump_json())
        keys, line = self.keys, load_voice("rms").line(BARGE_IN)
        ticket = mint_ticket(
            url or keys.livekit_url, keys.api_key, keys.api_secret, room=room, identity="caller", agent=self.agent_name
        )
        async with CallerRoom(ticket) as call:
            call.on_text(CUE_TOPIC, lambda cue: _speak_up(call, line, **json.loads(cue)))
            result, deadline_s = self.folder / f"{room}.json", time.monotonic() + 30 + MAX_REPLY_S * len(plan.cuts)
            while not result.exists():
                if call.over.is_set() or time.monotonic() > deadline_s:
                    raise CallerError(f"the call in {room} did not end as planned: see {self.folder / 'worker.log'}")
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.5)
            origin_s, recording = time.time() - call.clock.now_s(), call.ear.recording()
            np.savez(self.folder / f"{room}.heard.npz", recording=recording, origin_s=origin_s)
            return Heard(read(self.folder, room), recording, origin_s)


async def _speak_up(call: CallerRoom, line: Line, *, after_s: float) -> None:
    await asyncio.sleep(after_s)
    call.mouth.say(line, Kind.BARGE_IN)


@contextlib.contextmanager
def running_rig(folder: Path) -> Iterator[Rig]:
    """Start both on free loopback ports, and stop them afterwards. Raises CallerError."""
    livekit_port, ops_port, rtc_udp_port = free_ports(SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM)
    network = Network(livekit_port=livekit_port, rtc_udp_port=rtc_udp_port, ops_port=ops_port)
    keys = Keys(
        livekit_url=f"ws://127.0.0.1:{network.livekit_port}",
        api_key=secrets.token_hex(8),
        api_secret=secrets.token_hex(32),
    )
    name = f"heard-{network.ops_port}"
    site = folder / "site.yaml"
    site.write_text(yaml.safe_dump({"network": {"ops_port": network.ops_port}, "agent_name": name}))
    environment = {
        **os.environ,
        SITE_VARIABLE: str(site),
        "LIVEKIT_URL": keys.livekit_url,
        "LIVEKIT_API_KEY": keys.api_key,
        "LIVEKIT_API_SECRET": keys.api_secret,
    }
    worker = [sys.executable, "-m", "scripts.bench.heard.worker", str(folder)]
    with contextlib.ExitStack() as running:
        server = {**os.environ, **server_environment(network, keys)}
        running.enter_context(_process([str(server_program())], folder / "livekit.log", server))
        log = folder / "worker.log"
        process = running.enter_context(_process(worker, log, environment))
        _wait_until_registered(process, log)
        yield Rig(keys, network.rtc_udp_port, name, folder)


@contextlib.contextmanager
def _process(command: list[str], log: Path, environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_registered(worker: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while "registered worker" not in log.read_text(errors="replace"):
        if worker.poll() is not None or time.monotonic() > deadline_s:
            raise CallerError(f"the worker did not start: see {log}")
        time.sleep(0.2)
