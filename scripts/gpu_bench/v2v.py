"""Voice-to-voice over a real room, as `scripts.bench_v2v` measures it, by a box whose engines are those of the gpu profile.

The models are the demo's: their words are right, and the language model's speed is that of 5.5 million weights, not of 8
thousand million. What the large one would add is in the part llm.
"""

import asyncio
import logging
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import Any

import yaml

from agent.doctor.compiler import find_compiler
from agent.settings import SITE_VARIABLE
from scripts.bench_v2v import bench
from scripts.caller.box import running_box
from scripts.gpu_bench.machine import ROOT
from scripts.gpu_bench.part import Part, Subject

TURNS = 14
START_S = {"cuda": 180.0, "cpu": 600.0}
"""vLLM starts two processes, which import torch one after the other, and compiles."""
PORTS = {
    "web_port": socket.SOCK_STREAM,
    "ops_port": socket.SOCK_STREAM,
    "livekit_port": socket.SOCK_STREAM,
    "rtc_tcp_port": socket.SOCK_STREAM,
    "rtc_udp_port": socket.SOCK_DGRAM,
}


def measure(part: Part) -> None:
    """Start a box of its own, on free ports, and call it."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # it reports the end of every call as an error
    ports = free_ports()
    with tempfile.TemporaryDirectory(prefix="callbox-v2v-") as folder:
        site = Path(folder) / "site.yaml"
        site.write_text(yaml.safe_dump(site_settings(part, ports)))
        os.environ.update(
            {
                SITE_VARIABLE: str(site),
                "CALLBOX_ADDRESS": "127.0.0.1",
                "LIVEKIT_URL": f"ws://127.0.0.1:{ports['livekit_port']}",
                "LIVEKIT_API_KEY": f"bench-{secrets.token_hex(4)}",
                "LIVEKIT_API_SECRET": secrets.token_hex(32),
            }
        )
        part.attempt("voice-to-voice", lambda: _call(part, ports))


def site_settings(part: Part, ports: dict[str, int]) -> dict[str, Any]:
    """The demo with the gpu profile's engines."""
    has_compiler = bool(find_compiler().compiler and find_compiler().header)
    llm = {
        "device": part.device,
        "context_tokens": 2048,
        "max_calls": 4,
        "max_kv_mib": 256,
        "enforce_eager": not has_compiler,
    }
    stt = {"device": part.device, "compute_type": "float16" if part.device == "cuda" else "default"}
    return {
        "network": {"address": "127.0.0.1", **ports},
        "engines": {
            "stt": {"engine": "faster-whisper", "model": "demo-stt", "options": stt},
            "llm": {"engine": "vllm", "model": "demo-llm-hf", "options": llm},
        },
    }


def free_ports() -> dict[str, int]:
    """One for each of the box's servers."""
    probes = {name: socket.socket(socket.AF_INET, kind) for name, kind in PORTS.items()}
    for probe in probes.values():
        probe.bind(("127.0.0.1", 0))
    found = {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
    for probe in probes.values():
        probe.close()
    return found


def _call(part: Part, ports: dict[str, int]) -> None:
    web, ops = (f"http://127.0.0.1:{ports[name]}" for name in ("web_port", "ops_port"))
    wanted = 2 if part.quick else TURNS
    with running_box(web, "--profile", "demo", start_s=START_S[part.device]):
        found = asyncio.run(bench(wanted, ["rms", "awb"], ROOT / "out" / "gpu" / "calls", web=web, ops=ops))
    subject = Subject("demo models, LLM on vLLM", "real", part.device)
    for what, values in found["values_ms"].items():
        if values:
            part.tell(what, subject, values)
    missed = float(found["calls_without_goal"])
    part.tell("calls without their goal", subject, [missed], unit="calls", note="each call's report: out/gpu/calls")
    if found["turns"] < wanted:
        part.problem(f"{found['turns']} turns were answered, not {wanted}")
