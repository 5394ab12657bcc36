"""What the demo's listening engines make of a line on which the agent's voice comes back. Sound is float32 at SPEECH_RATE."""

from dataclasses import dataclass

import numpy as np
import soxr

from agent.call.resources import build_engines
from agent.replies.phrases import synthesize_phrases
from agent.settings import load_settings
from models.store import open_store
from scripts.caller.voice import load_voice
from scripts.paths import NO_SITE
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16
from serving.engine import SttEngine, TtsEngine, VadEngine
from serving.speech import Transcript, TranscriptStage
from serving.vad.gate import Gate, GateClosed, GateOpened, GateOptions

REPLIES = (
    "Hello, this is Riverside Clinic. How can I help you?",
    "We are open Monday to Friday from eight to six, and on Saturday from nine to one.",
    "I have an appointment with Doctor Chen on Thursday at ten thirty. Shall I book it?",
    "You can park in the garage next to the main entrance. The first hour is free.",
    "May I have your full name and your date of birth, please?",
    "Doctor Patel has three free slots on Monday: at nine, at half past ten, and at a quarter past two.",
    "Your appointment with Doctor Garcia is booked for Wednesday at eight thirty. Is there anything else?",
    "I am sorry, I did not catch that. Could you say it again?",
)
PAUSE_S = 1.5
"""Between two replies."""
INTERRUPTIONS = (
    "wait stop hold on a second",
    "no i said friday",
    "i need to cancel my appointment",
    "what are your opening hours",
    "can you repeat that",
    "i want to speak to a human",
    "my name is robert wilson",
    "ten thirty please",
    "no thank you",
    "where can i park",
    "which insurance do you take",
    "thursday afternoon",
)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Engines that listen, and the one that speaks."""

    vad: VadEngine
    stt: SttEngine
    tts: TtsEngine
    gate: GateOptions


def load_listeners() -> Listeners:
    """The demo's, loaded."""
    settings = load_settings("demo", site=NO_SITE)
    engines = build_engines(settings, open_store())
    for engine in (engines.vad, engines.stt, engines.tts):
        engine.load()
    return Listeners(engines.vad, engines.stt, engines.tts, settings.turns.gate)


async def agent_voice(tts: TtsEngine, texts: tuple[str, ...] = REPLIES, *, pause_s: float = PAUSE_S) -> Pcm32:
    """The replies one after the other, each with a pause after it, shape (n,)."""
    lines = await synthesize_phrases(tts, {text: text for text in texts})
    pieces = []
    for line in lines.values():
        rate = line.spoken[0].audio.sample_rate
        sound = AudioChunk(np.concatenate([piece.audio.samples for piece in line.spoken]), rate).to_float()
        pieces += [soxr.resample(sound, rate, SPEECH_RATE), np.zeros(round(pause_s * SPEECH_RATE), np.float32)]
    return np.concatenate(pieces).astype(np.float32)


def without_silence(sound: Pcm32, *, floor: float = 0.01) -> Pcm32:
    """The sound's tenths of a second that are not silent, one after the other."""
    step = SPEECH_RATE // 10
    pieces = [sound[at : at + step] for at in range(0, len(sound), step)]
    return np.concatenate([piece for piece in pieces if np.abs(piece).max() > floor])


@dataclass(frozen=True, slots=True)
class Spoken:
    """A caller's line and where it lies, in samples."""

    text: str
    start: int
    end: int


def caller_over(
    length: int, *, voice: str = "rms", first_s: float = 6.0, every_s: float = 2.0
) -> tuple[Pcm32, list[Spoken]]:
    """A caller's lines on a track of this length, with a pause after each; the first when the line has settled."""
    track, spoken, at = np.zeros(length, np.float32), [], round(first_s * SPEECH_RATE)
    for text in INTERRUPTIONS:
        sound = AudioChunk(load_voice(voice).line(text).samples, SPEECH_RATE).to_float()
        if at + len(sound) > length:
            break
        track[at : at + len(sound)] += sound
        spoken.append(Spoken(text, at, at + len(sound)))
        at += len(sound) + round(every_s * SPEECH_RATE)
    return track, spoken


def falling_silent(agent: Pcm32, spoken: list[Spoken], *, after_s: float = 0.8, until_s: float = 1.0) -> Pcm32:
    """The agent's voice as in a call: silent from so long after a caller began until so long after they ended."""
    track = agent.copy()
    for line in spoken:
        track[line.start + round(after_s * SPEECH_RATE) : line.end + round(until_s * SPEECH_RATE)] = 0
    return track


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch that passed for speech."""

    decided_at_s: float
    start_s: float
    end_s: float


def speech_in(vad: VadEngine, sound: Pcm32, options: GateOptions) -> list[Found]:
    """What the VAD takes for speech."""
    stream, gate, found, decided_at_s = vad.open(), Gate(options, window_s=vad.window_samples / SPEECH_RATE), [], 0.0
    quiet = np.zeros(SPEECH_RATE, np.float32)
    for verdict in stream.push(np.concatenate((sound, quiet)).astype(np.float32)):
        match gate.push(verdict):
            case GateOpened(decided_at_s=at_s):
                decided_at_s = at_s
            case GateClosed(at_s=at_s):
                found.append(Found(decided_at_s, gate.opened_at_s, at_s))
    return found


async def words_in(stt: SttEngine, sound: Pcm32) -> str:
    """What the recogniser understands."""
    stream, said = stt.open(), []
    stream.push(AudioChunk(pcm16(np.concatenate((sound, np.zeros(SPEECH_RATE // 2, np.float32)))), SPEECH_RATE))
    stream.end_input()
    async for event in stream:
        if isinstance(event, Transcript) and event.stage is TranscriptStage.FINAL:
            said.append(event.text)
    await stream.aclose()
    return " ".join(said).strip()
