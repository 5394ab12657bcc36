"""Folders that scripts read from and write to."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
OUT = ROOT / "out"
NO_SITE = ROOT / "none.yaml"
"""In the place of this box's configs/site.yaml: a profile as it is shipped. There is no such file."""
DEMO = ROOT / "models" / "demo"
"""The shipped models."""
CALLERS = DEMO / "callers"
"""The shipped voices of callers."""
REAL_SPEECH = ROOT.parent / "shared" / "real-speech"
"""Recordings of people, rooms and noises, which not every machine has."""
