"""The records of a planned call: each reply's sound and word times, and what the agent remembers of it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.replies.heard import Run
from scripts.bench.heard.cuts import Cut
from scripts.bench.heard.tape import Taped
from serving.speech import Word

CUE_TOPIC = "heard.cue"
"""Text stream that tells the caller to speak over the reply that has just begun."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One reply."""

    cut: Cut
    reply: Taped
    remembered: str
    """Its words in the chat history."""


def write(folder: Path, room: str, entries: list[Entry]) -> None:
    """Write a call's entries; the JSON file appears last, complete."""
    np.savez(folder / f"{room}.npz", *(entry.reply.samples for entry in entries))
    partial = folder / f"{room}.part"
    partial.write_text(json.dumps([_plain(entry) for entry in entries]))
    partial.rename(folder / f"{room}.json")


def read(folder: Path, room: str) -> list[Entry]:
    """Read a call's entries."""
    with np.load(folder / f"{room}.npz") as sounds:
        samples = [sounds[name] for name in sounds.files]
    plain = json.loads((folder / f"{room}.json").read_text())
    return [
        Entry(
            Cut.model_validate(row["cut"]),
            Taped(
                frames=[sound],
                words=[Word(*word) for word in row["words"]],
                runs=[Run(*run) for run in row["runs"]],
                started_at=row["started_at"],
                cleared_at=row["cleared_at"],
                is_interrupted=row["is_interrupted"],
            ),
            row["remembered"],
        )
        for row, sound in zip(plain, samples, strict=True)
    ]


def _plain(entry: Entry) -> dict[str, object]:
    reply = entry.reply
    return {
        "cut": entry.cut.model_dump(mode="json"),
        "words": [(word.text, word.start_s, word.end_s) for word in reply.words],
        "runs": [(run.start_s, run.end_s) for run in reply.runs],
        "started_at": reply.started_at,
        "cleared_at": reply.cleared_at,
        "is_interrupted": reply.is_interrupted,
        "remembered": entry.remembered,
    }
