"""Builds the training set: text -> flite's vocoder parameters -> frames of each Piper phoneme id.

Every utterance is one sentence, without the `_` pads that Piper puts between ids; the exported graph drops those.

    python -m scripts.train.text_to_speech.dataset --count 13000 --out work
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP
from piper.phonemize_espeak import EspeakPhonemizer

from scripts.train.text_to_speech.alignment import align
from scripts.train.text_to_speech.corpus import held_out_sentences, training_sentences
from scripts.train.text_to_speech.teacher import FRAME_SAMPLES, RATE, Spoken, build, speak, voice_constants

SEED = 2024
MAX_CHARACTERS = 160
"""Characters in a sentence."""
WORST_ALIGNMENT = 0.16


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence of the training set."""

    text: str
    ids: NDArray[np.int16]
    """Piper's phoneme ids with ^ and $, without pads."""
    frames: NDArray[np.int16]
    """Per id."""
    parameters: NDArray[np.float16]
    """(frames, PARAMETERS)."""
    cost: float
    """The alignment's cost."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write voice.json (the teacher's constants) and data.npz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=13_000, help="sentences to draw; about a sixth are dropped")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    program = build(options.out)
    (options.out / "voice.json").write_text(json.dumps(voice_constants(program)), encoding="utf-8")
    rows = build_rows(program, options.count)
    save(rows, options.out / "data.npz")


def build_rows(program: Path, count: int) -> list[Row]:
    """Sentences whose phones align well with flite's, without the held-out ones."""
    banned = {sentence.lower() for sentence in held_out_sentences()}
    drawn = training_sentences(count, SEED)
    sentences = [text for text in drawn if text.lower() not in banned and 0 < len(text) < MAX_CHARACTERS]
    phonemizer, rows = EspeakPhonemizer(), list[Row]()
    for number, (text, spoken) in enumerate(zip(sentences, speak(program, sentences), strict=True), start=1):
        row = _row(text, spoken, phonemizer)
        if row is not None:
            rows.append(row)
        if number % 2000 == 0 or number == len(sentences):
            print(f"sentences {number}/{len(sentences)}: {len(rows)} kept", flush=True)
    return rows


def _row(text: str, spoken: Spoken, phonemizer: EspeakPhonemizer) -> Row | None:
    pieces = phonemizer.phonemize("en-us", text)
    if len(pieces) != 1 or len(spoken.phones) < 3 or spoken.phones[0] != "pau" or spoken.phones[-1] != "pau":
        return None
    spoken = spoken.trimmed()
    code_points = ["^", *(point for point in pieces[0] if point in DEFAULT_PHONEME_ID_MAP), "$"]
    alignment = align(code_points, spoken.phones, spoken.frames)
    if alignment is None or alignment.cost > WORST_ALIGNMENT or sum(spoken.frames) != len(spoken.parameters):
        return None
    ids = np.array([DEFAULT_PHONEME_ID_MAP[point][0] for point in code_points], np.int16)
    parameters = spoken.parameters.astype(np.float16)
    return Row(text, ids, alignment.frames.astype(np.int16), parameters, alignment.cost)


def save(rows: Sequence[Row], path: Path) -> None:
    """One .npz: ids, dur, n (ids of each sentence), par, T (frames of each sentence), text."""
    hours = sum(len(row.parameters) for row in rows) * FRAME_SAMPLES / RATE / 3600
    cost = np.mean([row.cost for row in rows])
    print(f"{len(rows)} sentences, {hours:.2f} h, alignment cost {cost:.3f}", flush=True)
    np.savez(
        path,
        ids=np.concatenate([row.ids for row in rows]),
        dur=np.concatenate([row.frames for row in rows]),
        n=np.array([len(row.ids) for row in rows]),
        par=np.concatenate([row.parameters for row in rows]),
        T=np.array([len(row.parameters) for row in rows]),
        text=np.array([row.text for row in rows]),
    )


if __name__ == "__main__":
    main()
