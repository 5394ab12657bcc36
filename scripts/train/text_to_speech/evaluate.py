"""Check a voice and measure it: interface, speed, and word error rate next to its teacher's.

Writes figures.json and the sentences as wav files into --out.

    python -m scripts.train.text_to_speech.evaluate en_US-demo-low.onnx --out evaluation
"""

import argparse
import json
import subprocess
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from piper import PiperVoice, SynthesisConfig

from scripts.train.text_to_speech.corpus import held_out_sentences
from scripts.train.text_to_speech.recognise import recognise, word_error_rate
from scripts.train.text_to_speech.teacher import RATE

TEN_WORDS = "The doctor can see you on Friday at nine thirty."
TEMPO_SENTENCE = "Your appointment is confirmed for Tuesday at half past nine."
ALIGNED = 30
"""Sentences whose alignments are checked."""
REPEATS = 25
WARM_UP = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=100, help="held-out sentences to speak")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    sentences = held_out_sentences()[: options.count]
    voice = PiperVoice.load(options.model)
    figures: dict[str, Any] = {"size_mb": round(options.model.stat().st_size / 1e6, 2)}
    figures |= check_interface(voice, options.model, sentences)
    figures["ten_words_ms"] = measure_speed(voice, options.model)
    figures["real_time_factor"] = speak_all(voice, sentences, options.out)
    render_references(sentences, options.out)
    figures["word_error_rate"] = {}
    for name in ("voice", "flite", "espeak"):
        heard = recognise(options.out / f"{name}_{k}.wav" for k in range(len(sentences)))
        figures["word_error_rate"][name] = round(word_error_rate(sentences, heard), 4)
        print(f"word error rate of {name}: {figures['word_error_rate'][name]:.1%}", flush=True)
    (options.out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(json.dumps(figures, indent=1))


def check_interface(voice: PiperVoice, model: Path, sentences: Sequence[str]) -> dict[str, Any]:
    """Count alignments that do not add up (with and without Piper's patch), measure lengths by tempo, and render audio twice."""
    wrong, patched = 0, PiperVoice.load(model, include_alignments=True)
    for sentence in sentences[:ALIGNED]:
        for one in (voice, patched):
            for chunk in one.synthesize(sentence, include_alignments=True):
                total = sum(alignment.num_samples for alignment in chunk.phoneme_alignments or ())
                wrong += int(total != len(chunk.audio_float_array))
    ids = voice.phonemes_to_ids(voice.phonemize(TEMPO_SENTENCE)[0])
    seconds = {tempo: len(_plain(voice, ids, tempo)) / RATE for tempo in (0.5, 0.8, 1.0, 1.25, 2.0)}
    repeatable = bool(np.array_equal(_plain(voice, ids), _plain(voice, ids)))
    return {"wrong_alignments": wrong, "seconds_by_length_scale": seconds, "repeatable_at_zero_noise": repeatable}


def _plain(voice: PiperVoice, ids: list[int], tempo: float = 1.0) -> NDArray[np.float32]:
    """Audio without any random variation."""
    config = SynthesisConfig(length_scale=tempo, noise_scale=0, noise_w_scale=0)
    return np.asarray(voice.phoneme_ids_to_audio(ids, config))


def measure_speed(voice: PiperVoice, model: Path) -> dict[str, float]:
    """Time ten words on one thread, from text to sound. The voice then stays on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    voice.session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    took_ms = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        audio = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(voice.phonemize(TEN_WORDS)[0]))
        took_ms.append(1000 * (time.perf_counter() - began))
    kept = np.array(took_ms[WARM_UP:])
    figures = {"median": np.median(kept), "max": kept.max(), "min": kept.min(), "audio_s": len(audio) / RATE}
    return {name: round(float(value), 2) for name, value in figures.items()}


def speak_all(voice: PiperVoice, sentences: Sequence[str], out: Path) -> float:
    """Write every sentence. Returns seconds of computation per second of sound."""
    took_s = audio_s = 0.0
    for k, sentence in enumerate(sentences):
        began = time.perf_counter()
        chunks = list(voice.synthesize(sentence))
        took_s += time.perf_counter() - began
        samples = np.concatenate([chunk.audio_int16_array for chunk in chunks])
        audio_s += len(samples) / RATE
        with wave.open(str(out / f"voice_{k}.wav"), "wb") as stream:
            stream.setnchannels(1)
            stream.setsampwidth(2)
            stream.setframerate(RATE)
            stream.writeframes(samples.tobytes())
    return round(took_s / audio_s, 4)


def render_references(sentences: Sequence[str], out: Path) -> None:
    """The same sentences by the teacher and by espeak-ng."""
    for k, sentence in enumerate(sentences):
        subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(out / f"flite_{k}.wav")], check=True)
        subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(out / f"espeak_{k}.wav"), sentence], check=True)


if __name__ == "__main__":
    main()
