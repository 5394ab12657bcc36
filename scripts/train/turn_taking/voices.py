"""Text to speech with word times, by free synthesizers: the libraries of flite and espeak-ng, and festival (Debian packages).

    voice = draw_voice(random.Random(1))
    spoken = speak("i need an appointment, on friday.", voice)

Text is in lower case with its numbers spelled out; commas, full stops and question marks shape the intonation. flite's rms,
festival's English voices and SVOX pico are kept for testing and never trained on. (flite's kal16 and festival's kal are the same
person, so of festival's voices only ked and slt_hts are different recordings, and only ked is a different speaker.)
"""

import random
from collections.abc import Sequence

import numpy as np

from scripts.train.turn_taking import espeak, festival, flite, foreign
from scripts.train.turn_taking.espeak import ESPEAK_ACCENTS
from scripts.train.turn_taking.spoken import Spoken, SpokenWord, Unspeakable, Voice
from serving.audio import SPEECH_RATE, Pcm32

PEAK = 0.6
"""Largest sample of the sound returned."""
FLITE_VOICES = ("slt", "awb", "kal16")
ESPEAK_VARIANTS = ("", *(f"+m{number}" for number in range(1, 9)), *(f"+f{number}" for number in range(1, 6)))
MORE_VARIANTS = (
    *("adam", "anika", "benjamin", "boris", "caleb", "david", "edward", "grandma", "grandpa", "iven", "iven3", "john"),
    *("marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "steph"),
    *("steph3", "travis", "victor", "zac", "Alex", "Annie", "belinda", "aunty", "Hugo", "Jacky", "Lee", "Marco"),
    *("Mario", "Michael", "Mike", "Diogo", "Denis", "Henrique", "klatt", "klatt2", "klatt4", "f2", "f3", "m1", "m4"),
)
"""More of them, where many voices matter."""


def draw_voice(
    rng: random.Random, flite_share: float = 0.45, *, more_share: float = 0.0, foreign_share: float = 0.0
) -> Voice:
    """One of the training voices, with a tempo, pitch and liveliness of its own.

    `more_share`: share of MORE_VARIANTS among espeak-ng's voices. `foreign_share`: share of foreign accents among all.
    """
    tempo, liveliness = rng.uniform(0.8, 1.3), rng.uniform(0.4, 1.5)
    if foreign_share and rng.random() < foreign_share:
        return Voice("foreign", rng.choice(tuple(foreign.FOREIGN_SPEAKERS)), tempo, rng.uniform(0.85, 1.2), liveliness)
    if rng.random() < flite_share:
        return Voice("flite", rng.choice(FLITE_VOICES), tempo, rng.uniform(0.85, 1.2), liveliness)
    accent, variant = rng.choice(tuple(ESPEAK_ACCENTS)), rng.choice(ESPEAK_VARIANTS)
    pitch = rng.uniform(0.7, 1.3)
    if more_share and rng.random() < more_share:
        variant = "+" + rng.choice(MORE_VARIANTS)
    return Voice("espeak", accent + variant, tempo, pitch, liveliness)


def speak(text: str, voice: Voice) -> Spoken:
    """Render a text. Raises Unspeakable if the words spoken are not the text's, ModelMissing without the synthesizer.

    The noise in flite's statistical voices differs from call to call; otherwise the same voice and text give the same sound. Not
    thread-safe: the libraries keep their state per process. Several processes may render side by side.
    """
    speakers = {"flite": flite.speak, "espeak": espeak.speak, "festival": festival.speak, "foreign": foreign.speak}
    samples, words = speakers[voice.engine](text, voice)
    if len(words) != len(text.split()) or not np.any(samples):
        raise Unspeakable(f"{voice.name} says {len(words)} words for the {len(text.split())} of: {text}")
    return _edged(samples, words)


def _edged(samples: Pcm32, words: Sequence[SpokenWord]) -> Spoken:
    """Trims silence at both ends, shifts the words to match and shortens them to what is audible, and scales to PEAK."""
    loud = np.abs(samples) > 0.015 * np.abs(samples).max()
    found, edge = np.flatnonzero(loud), SPEECH_RATE // 50
    first, last = max(0, int(found[0]) - edge), min(len(samples), int(found[-1]) + edge)
    moved = []
    for word in words:
        inside = np.flatnonzero(loud[round(word.start_s * SPEECH_RATE) : round(word.end_s * SPEECH_RATE)])
        end_s = word.start_s + int(inside[-1] + 1) / SPEECH_RATE if len(inside) else word.end_s
        moved.append(
            SpokenWord(word.text, max(0.0, word.start_s - first / SPEECH_RATE), max(0.0, end_s - first / SPEECH_RATE))
        )
    scale = PEAK / float(np.abs(samples).max())
    return Spoken((samples[first:last] * scale).astype(np.float32), tuple(moved))
