"""Renders the caller's lines in this folder with flite (Debian package) and writes lines.json; run it from anywhere.

    python tests/audio/stt/render.py

Every line has 50 ms of silence at both ends. Of the voices, the demo recogniser never heard rms.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import soundfile

HERE = Path(__file__).parent
EDGE_S = 0.05
LINES = [
    ("book", "rms", "i would like to book an appointment with doctor patel on tuesday at three thirty"),
    ("birthday", "rms", "my date of birth is march twelfth nineteen eighty four"),
    ("headache", "rms", "i have had a headache for three days and a fever since yesterday"),
    ("cancel", "slt", "can i cancel my appointment with doctor garcia on friday morning"),
    ("refill", "awb", "i need a refill for my insulin prescription please"),
    ("number", "slt", "my phone number is five five two nine zero one three"),
    ("hours", "kal16", "what time do you open on saturday"),
    ("yes", "rms", "yes that works for me"),
]


def render(name: str, voice: str, words: str) -> dict[str, str | float]:
    """Write NAME.flac; returns its row of lines.json."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        command = ["flite", "-voice", voice, "-psdur", "-t", words, "-o", wav.name]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        samples, rate = soundfile.read(wav.name, dtype="int16")
    phones = [(phone, float(end)) for phone, end in (item.rsplit(":", 1) for item in printed.split())]
    begin_s = max(0.0, phones[0][1] - EDGE_S) if phones[0][0] == "pau" else 0.0
    speech_end_s = [end for phone, end in phones if phone != "pau"][-1]
    soundfile.write(HERE / f"{name}.flac", samples[int(begin_s * rate) : int((speech_end_s + EDGE_S) * rate)], rate)
    return {"name": name, "voice": voice, "words": words, "speech_end_s": round(speech_end_s - begin_s, 3)}


if __name__ == "__main__":
    rows = [render(*line) for line in LINES]
    (HERE / "lines.json").write_text(json.dumps(rows, indent=1) + "\n")
