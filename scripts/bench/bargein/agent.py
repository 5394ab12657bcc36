"""Sentences in the demo agent's voice, which come back as an echo."""

from pathlib import Path

import numpy as np

from scripts.paths import DEMO
from serving.audio import SPEECH_RATE, Pcm32

VOICE = DEMO / "text_to_speech" / "en_US-demo-low.onnx"
SENTENCES = (
    "We are open from eight in the morning until six in the evening.",
    "I have Tuesday at ten thirty or Wednesday at two. Which one would you like?",
    "Your appointment with doctor Chen is on Friday at a quarter past nine.",
    "Can I have your date of birth, please?",
    "The lab is on the second floor, next to the elevator.",
    "Please do not eat or drink anything but water before the test.",
    "I am sorry, I did not get that. Could you say it again?",
    "Thank you. I have cancelled your appointment. Is there anything else?",
)


def agent_sentences(cache: Path) -> list[Pcm32]:
    """The sentences, each float32 at SPEECH_RATE, shape (n,)."""
    path = cache / "agent.npz"
    if not path.is_file():
        from piper import PiperVoice

        voice = PiperVoice.load(VOICE)
        if voice.config.sample_rate != SPEECH_RATE:
            raise ValueError(f"{VOICE.name} speaks at {voice.config.sample_rate} Hz, not {SPEECH_RATE}.")
        said = [np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(text)]) for text in SENTENCES]
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(path, *said)
    stored = np.load(path)
    return [np.asarray(stored[name], np.float32) for name in stored.files]
