"""Render the callers' lines to models/demo/callers with free synthesizers (Debian packages flite and espeak-ng).

    python -m scripts.render_callers            # every voice
    python -m scripts.render_callers --voice rms

Every file is 16 kHz mono FLAC, trimmed to the sound plus 30 ms, at -20 dBFS RMS. Sounds that are no speech are
synthesised here into a folder of their own; every voice can make them.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import soxr
import typer
import yaml

from scripts.caller.clock import RATE
from scripts.caller.dialogue import DIALOGUES, load_dialogue
from scripts.caller.errors import CallerError
from scripts.caller.measure import CALLER_THRESHOLD_DBFS, spans
from scripts.caller.voice import INDEX, SOUNDS
from scripts.paths import CALLERS
from serving.audio import Pcm16, Pcm32, pcm16

LINES = Path(__file__).parent / "caller" / "lines.yaml"
LEVEL_DBFS = -20.0
DEPTH_MASK = np.int16(~0b111)
"""13 bits a sample: the noise stays 60 dB below the voice and the files are a third smaller."""
EDGE_SAMPLES = RATE * 30 // 1000
FLITE = {"rms": 1.0, "awb": 1.0, "kal16": 1.0}
"""flite voices and how much each is slowed down."""
ESPEAK = {"espeak": ["-v", "en-us+m1", "-s", "140", "-p", "45"]}
"""espeak-ng voices and their options."""
_MURMUR = "pau m m hh m m pau"
PHONES = {
    "mm hmm": {"rms": _MURMUR, "awb": _MURMUR, "kal16": "pau m hh m pau", "espeak": "[[m'mh'm]]"},
}
"""Lines that synthesizers would spell as letters: by voice, flite's phones or espeak-ng's phonemes."""
NOT_UNDERSTOOD = {("espeak", "wait stop hold on a second")}
"""Voice and line pairs that the demo's speech recognition gets wrong: not shipped."""
VOICES = [*FLITE, *ESPEAK]


def wanted_lines(voice: str) -> list[str]:
    """A voice's lines: those of lines.yaml and of every dialogue, each once."""
    extra = yaml.safe_load(LINES.read_text())
    lines = [*extra["every_voice"], *extra.get(f"only_{voice}", [])]
    for path in sorted(DIALOGUES.glob("*.yaml")):
        lines += load_dialogue(path).lines()
    return [line for line in dict.fromkeys(lines) if (voice, line) not in NOT_UNDERSTOOD]


def slug(text: str) -> str:
    """A file name's stem for a line."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def speak(voice: str, text: str, folder: Path) -> Pcm32:
    """The line as the synthesizer says it, mono at RATE, shape (n,)."""
    path = folder / "line.wav"
    if voice in FLITE:
        said = ["-p", PHONES[text][voice]] if text in PHONES else ["-t", text]
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={FLITE[voice]}", *said, "-o", str(path)]
    else:
        command = ["espeak-ng", *ESPEAK[voice], "-w", str(path), PHONES[text][voice] if text in PHONES else text]
    subprocess.run(command, check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32")
    resampled: Pcm32 = soxr.resample(samples, rate, RATE)
    return resampled


def cough(rng: np.random.Generator) -> Pcm32:
    """Two bursts of band-limited noise with a sharp attack and a slow decay, like a cough."""
    t = np.arange(int(0.28 * RATE)) / RATE
    burst = rng.normal(size=len(t)) * np.minimum(t / 0.008, 1) * np.exp(-t / 0.07)
    smoothed = np.convolve(burst, np.hanning(9), "same")
    return np.concatenate([smoothed, np.zeros(RATE // 10), 0.7 * smoothed]).astype(np.float32)


def keyboard(rng: np.random.Generator) -> Pcm32:
    """A dozen key clicks in two seconds."""
    sound = rng.normal(size=2 * RATE) * 1e-3
    for at in np.sort(rng.integers(0, 2 * RATE - 400, 12)):
        sound[at : at + 400] += rng.normal(size=400) * np.exp(-np.arange(400) / 60)
    return sound.astype(np.float32)


def noise(rng: np.random.Generator) -> Pcm32:
    """Two seconds of noise that falls by 6 dB an octave above 500 Hz, like a busy room."""
    sound, kept = rng.normal(size=2 * RATE), 0.0
    smoothed = np.empty_like(sound)
    for i, x in enumerate(sound):
        kept += 0.18 * (x - kept)
        smoothed[i] = kept
    return smoothed.astype(np.float32)


SOUNDS_BY_NAME = {"[cough]": cough, "[keyboard]": keyboard, "[noise]": noise}


def finish(samples: Pcm32) -> Pcm16:
    """Trimmed to the sound and EDGE_SAMPLES on both sides, at LEVEL_DBFS RMS or as loud as full scale allows."""
    peak = float(np.abs(samples).max())
    if peak == 0:
        raise CallerError("a line was rendered as silence: is the synthesizer's voice installed?")
    rough = samples * (0.5 / peak)
    first, last = _ends(rough)
    gain = 10 ** (LEVEL_DBFS / 20) / float(np.sqrt(np.mean(np.square(rough[first:last]))))
    levelled = rough * min(gain, 0.99 / float(np.abs(rough).max()))
    first, last = _ends(levelled)
    return pcm16(levelled[max(0, first - EDGE_SAMPLES) : last + EDGE_SAMPLES]) & DEPTH_MASK


def _ends(samples: Pcm32) -> tuple[int, int]:
    """First and last sample above the level at which the caller is taken to sound."""
    [sound] = spans(pcm16(samples), CALLER_THRESHOLD_DBFS, np.inf)
    return round(sound.start_s * RATE), round(sound.end_s * RATE)


def write(folder: Path, sounds: Iterable[tuple[str, Pcm32]]) -> str:
    """Write a voice's folder anew; a line that says what is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = {}
    for text, raw in sounds:
        files[text] = f"{slug(text)}.flac"
        soundfile.write(folder / files[text], finish(raw), RATE, subtype="PCM_16", compression_level=1.0)
    (folder / INDEX).write_text(yaml.safe_dump(files, sort_keys=True))
    size = sum(path.stat().st_size for path in folder.iterdir())
    return f"{folder.name}: {len(files)} lines, {size / 1e6:.2f} MB"


app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(
    voice: Annotated[list[str] | None, typer.Option(help=f"of {', '.join(VOICES)}; default: all")] = None,
    out: Annotated[Path, typer.Option(help="where the voices' folders go")] = CALLERS,
) -> None:
    """Render the callers' lines and sounds."""
    for name in voice or VOICES:
        needed = "flite" if name in FLITE else "espeak-ng"
        if name not in VOICES or shutil.which(needed) is None:
            raise typer.BadParameter(f"voice {name!r} needs {needed}: apt-get install flite espeak-ng")
        with tempfile.TemporaryDirectory() as scratch:
            print(write(out / name, ((text, speak(name, text, Path(scratch))) for text in wanted_lines(name))))
    print(write(out / SOUNDS, ((text, make(np.random.default_rng(7))) for text, make in SOUNDS_BY_NAME.items())))


if __name__ == "__main__":
    app()
