"""Voice-to-voice over a real room, as `scripts.bench.v2v` measures it, to a box with the engines of the gpu profile.

First with the demo's models, whose words are right and whose language model is small and fast; then with the same words at the
pace of Llama 3.1 8B's shape (paced_llm.py).
"""

import asyncio
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import Any

import yaml

from agent.operate.doctor.gpu_software import find_compiler
from agent.settings import SITE_VARIABLE
from scripts.bench.gpu import paced_box
from scripts.bench.gpu.llama_shape import write_llama
from scripts.bench.gpu.llm import TINY
from scripts.bench.gpu.part import Part, Subject
from scripts.bench.v2v import bench
from scripts.caller.box import running_box
from scripts.caller.room import silence_media_log
from scripts.free_ports import free_ports
from scripts.paths import ROOT
from serving.gpu.known import LLAMA_8B

TURNS = 10
START_S = {"cuda": 150.0, "cpu": 600.0}
"""vLLM starts two processes, which import torch one after another, and compiles."""
PORTS = {
    "web_port": socket.SOCK_STREAM,
    "ops_port": socket.SOCK_STREAM,
    "livekit_port": socket.SOCK_STREAM,
    "rtc_tcp_port": socket.SOCK_STREAM,
    "rtc_udp_port": socket.SOCK_DGRAM,
}


def measure(part: Part) -> None:
    """Measure the demo's models, its Llama on vLLM."""
    _with_site(part, "demo models, LLM on vLLM", llm_settings(part))


def measure_paced(part: Part) -> None:
    """Measure the demo's words at the pace of the large model."""
    shape, name = (TINY, "tiny Llama shape") if part.quick else (LLAMA_8B, "Llama 3.1 8B shape")
    with tempfile.TemporaryDirectory(prefix="callbox-llama-") as folder:
        llm = llm_settings(part)
        llm["engine"], llm["model"] = paced_box.ENGINE, "demo-llm"
        paced = {"shape_dir": str(write_llama(shape, Path(folder) / "llama")), "dummy_weights": True}
        kv = {"max_kv_mib": 64 if part.quick else 4096}
        llm["options"] = {**llm["options"], **paced, **kv}
        _with_site(part, f"demo's words at the pace of the {name}", llm, module=paced_box.__name__)


def _with_site(part: Part, model: str, llm: dict[str, Any], *, module: str = "agent") -> None:
    """Start a box on free ports and call it."""
    silence_media_log()
    ports = dict(zip(PORTS, free_ports(*PORTS.values()), strict=True))
    with tempfile.TemporaryDirectory(prefix="callbox-v2v-") as folder:
        site = Path(folder) / "site.yaml"
        site.write_text(yaml.safe_dump(site_settings(part, ports, llm)))
        os.environ.update(
            {
                SITE_VARIABLE: str(site),
                "CALLBOX_ADDRESS": "127.0.0.1",
                "LIVEKIT_URL": f"ws://127.0.0.1:{ports['livekit_port']}",
                "LIVEKIT_API_KEY": f"bench-{secrets.token_hex(4)}",
                "LIVEKIT_API_SECRET": secrets.token_hex(32),
            }
        )
        part.attempt(model, lambda: _call(part, model, ports, module))


def llm_settings(part: Part) -> dict[str, Any]:
    """The demo Llama on vLLM."""
    facts = find_compiler()
    options = {
        "device": part.device,
        "context_tokens": 2048,
        "max_calls": 4,
        "max_kv_mib": 256,
        "enforce_eager": not (facts.compiler and facts.header),
    }
    return {"engine": "vllm", "model": "demo-llm-hf", "options": options}


def site_settings(part: Part, ports: dict[str, int], llm: dict[str, Any]) -> dict[str, Any]:
    """Settings of the demo with the gpu profile's engines."""
    stt = {"device": part.device, "compute_type": "float16" if part.device == "cuda" else "default"}
    return {
        "network": {"address": "127.0.0.1", **ports},
        "engines": {
            "stt": {"engine": "faster-whisper", "model": "demo-stt", "options": stt},
            "llm": llm,
        },
    }


def _call(part: Part, model: str, ports: dict[str, int], module: str) -> None:
    web, ops = (f"http://127.0.0.1:{ports[name]}" for name in ("web_port", "ops_port"))
    wanted = 2 if part.quick else TURNS
    with running_box(web, "--profile", "demo", start_s=START_S[part.device], module=module):
        found = asyncio.run(bench(wanted, ["rms", "awb"], ROOT / "out" / "gpu" / part.name, web=web, ops=ops))
    subject = Subject(model, "random" if "pace" in model else "real", part.device)
    for what, values in found["values_ms"].items():
        if values:
            part.tell(what, subject, values)
    missed = float(found["calls_without_goal"])
    part.tell(
        "calls that missed their goal", subject, [missed], unit="calls", note=f"each call's report: out/gpu/{part.name}"
    )
    if found["turns"] < wanted:
        part.problem(f"{found['turns']} turns were answered, not {wanted}")
