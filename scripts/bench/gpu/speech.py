"""The voice and the end-of-turn model on the CPU and on the GPU, to check whether the profile is right to keep them on the CPU."""

import asyncio
import statistics
from functools import partial

import numpy as np

from models.store import open_store
from scripts.bench.gpu.part import Device, Part, Subject
from scripts.bench.stt.lines import read_line
from scripts.bench.tts import REPLIES, speak, whole_reply_s
from scripts.paths import CALLERS, DEMO
from serving.audio import SPEECH_RATE, AudioChunk
from serving.speech import TurnContext
from serving.tts.piper import PiperEngine, PiperOptions
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions


def measure_tts(part: Part) -> None:
    """Measure time to the first sound, and speed compared with speech."""
    for device in _devices(part):
        part.attempt(f"demo voice on {device}", partial(_voice, part, device))
    part.attempt("Piper's own call", partial(_stock_voice, part))


def measure_turn(part: Part) -> None:
    """Measure the time of one judgement."""
    for device in _devices(part):
        part.attempt(f"Smart Turn on {device}", partial(_turn, part, device))


def _devices(part: Part) -> tuple[Device, ...]:
    return ("cpu", "cuda") if part.device == "cuda" else ("cpu",)


def _voice(part: Part, device: Device) -> None:
    engine = PiperEngine(PiperOptions(device=device, cache_s=0.0), DEMO / "text_to_speech")
    subject = Subject("demo voice", "real", device)

    def load() -> None:
        engine.load()
        engine.warm_up()

    try:
        part.memory(subject, load)
        asyncio.run(_speak_all(part, engine, subject))
    finally:
        engine.close()


async def _speak_all(part: Part, engine: PiperEngine, subject: Subject) -> None:
    firsts_s, speeds = [], []
    for pieces in REPLIES[:1] if part.quick else REPLIES * 5:
        began = asyncio.get_running_loop().time()
        first_s, samples, _ = await speak(engine, pieces)
        took_s = asyncio.get_running_loop().time() - began
        firsts_s.append(first_s)
        speeds.append(len(samples) / engine.sample_rate / took_s)
    part.tell("first clause's first audio", subject, firsts_s, scale=1e3)
    part.tell("speed of synthesis", subject, [statistics.median(speeds)], unit="x real time")


def _stock_voice(part: Part) -> None:
    from piper import PiperVoice

    voice = PiperVoice.load(next((DEMO / "text_to_speech").glob("*.onnx")))
    whole_reply_s(voice, REPLIES[0])
    took_s = [whole_reply_s(voice, pieces) for pieces in (REPLIES[:1] if part.quick else REPLIES * 5)]
    part.tell("Piper's own call, whole reply", Subject("demo voice", "real", "cpu"), took_s, scale=1e3)


def _turn(part: Part, device: Device) -> None:
    engine = SmartTurn(SmartTurnOptions(device=device), open_store().resolve("smart-turn"))
    subject = Subject("Smart Turn v3.2", "real", device)

    def load() -> None:
        engine.load()
        engine.warm_up()

    try:
        part.memory(subject, load)
        found = asyncio.run(_judge_all(part, engine))
    finally:
        engine.close()
    part.tell("one judgement of 8 s", subject, found, scale=1e3)


async def _judge_all(part: Part, engine: SmartTurn) -> list[float]:
    found = []
    for path in sorted((CALLERS / "rms").glob("*.flac"))[: 2 if part.quick else None]:
        line = AudioChunk(read_line("", path).samples, SPEECH_RATE).to_float()
        whole = np.tile(line, 1 + int(engine.window_s * SPEECH_RATE) // len(line))
        found.append((await engine.predict(whole, TurnContext())).inference_s)
    return found
