"""Text to speech with word times, by free synthesizers: flite's and espeak-ng's libraries (Debian packages flite, espeak-ng).

    voice = draw_voice(random.Random(1))
    spoken = speak("i need an appointment, on friday.", voice)

A text is in lower case and spells its numbers; commas, full stops and question marks shape the melody. Never a voice to train
on: flite's rms, festival's voices and SVOX pico, which are kept to test with (flite's kal16 and festival's kal are one person, so
of festival only ked and slt_hts are other recordings, and of these only ked is another speaker).
"""

import ctypes
import random
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from models.errors import ModelMissing

RATE = 16_000
PEAK = 0.6
"""Largest sample of what is returned."""
FLITE_VOICES = ("slt", "awb", "kal16")
ESPEAK_ACCENTS = {
    "en-us": "gmw/en-US",
    "en-us-nyc": "gmw/en-US-nyc",
    "en-gb": "gmw/en",
    "en-gb-scotland": "gmw/en-GB-scotland",
    "en-gb-x-rp": "gmw/en-GB-x-rp",
    "en-gb-x-gbclan": "gmw/en-GB-x-gbclan",
    "en-029": "gmw/en-029",
}
"""Accents and the files by which the library knows them."""
ESPEAK_VARIANTS = ("", *(f"+m{number}" for number in range(1, 9)), *(f"+f{number}" for number in range(1, 6)))
MORE_VARIANTS = (
    *("adam", "anika", "benjamin", "boris", "caleb", "david", "edward", "grandma", "grandpa", "iven", "iven3", "john"),
    *("marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "steph"),
    *("steph3", "travis", "victor", "zac", "Alex", "Annie", "belinda", "aunty", "Hugo", "Jacky", "Lee", "Marco"),
    *("Mario", "Michael", "Mike", "Diogo", "Denis", "Henrique", "klatt", "klatt2", "klatt4", "f2", "f3", "m1", "m4"),
)
"""More of them, for many voices."""

_ESPEAK_RATE, _ESPEAK_PITCH, _ESPEAK_RANGE = 1, 3, 4
_ESPEAK_END, _ESPEAK_WORD = 0, 1
_SYNCHRONOUS, _UTF8 = 2, 1

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    engine: str
    """"flite", "espeak" or, to test with, "festival"."""
    name: str
    """flite: slt, awb, kal16 (rms to test with). espeak-ng: an accent and a variant, as in "en-gb+f2". festival: ked_diphone."""
    tempo: float = 1.0
    """Of speech; above 1 is faster."""
    pitch: float = 1.0
    """Times the voice's own."""
    liveliness: float = 1.0
    """How far the melody moves, times the voice's own. Near 0: monotonous. flite's slt, awb and rms and festival ignore it."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the text, without its punctuation, and where its sound is."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came out."""

    samples: Samples
    """float32 at 16 kHz, shape (n,), silence at both ends cut to 20 ms."""
    words: tuple[SpokenWord, ...]
    """In their order; of flite exact, of espeak-ng to about 20 ms."""


class Unspeakable(ValueError):
    """The synthesizer made other words of a text than it has: draw another."""


def draw_voice(rng: random.Random, flite_share: float = 0.45) -> Voice:
    """One of the voices to train on, with its own tempo, pitch and liveliness."""
    tempo, liveliness = rng.uniform(0.8, 1.3), rng.uniform(0.4, 1.5)
    if rng.random() < flite_share:
        return Voice("flite", rng.choice(FLITE_VOICES), tempo, rng.uniform(0.85, 1.2), liveliness)
    name = rng.choice(tuple(ESPEAK_ACCENTS)) + rng.choice(ESPEAK_VARIANTS)
    return Voice("espeak", name, tempo, rng.uniform(0.7, 1.3), liveliness)


def speak(text: str, voice: Voice) -> Spoken:
    """Render a text. Raises Unspeakable if its words are not found again, ModelMissing without the synthesizer.

    The noise in flite's statistical voices differs from call to call; all else is the same for the same voice and text. Not for
    threads: both libraries hold one state for the process. Several processes may render side by side.
    """
    samples, words = {"flite": _flite, "espeak": _espeak, "festival": _festival}[voice.engine](text, voice)
    if len(words) != len(text.split()) or not np.any(samples):
        raise Unspeakable(f"{voice.name} says {len(words)} words for the {len(text.split())} of: {text}")
    return _edged(samples, words)


def _edged(samples: Samples, words: Sequence[SpokenWord]) -> Spoken:
    """Silence at the ends cut, the words moved along and trimmed to what is heard of them, at the common level."""
    loud = np.abs(samples) > 0.015 * np.abs(samples).max()
    found, edge = np.flatnonzero(loud), RATE // 50
    first, last = max(0, int(found[0]) - edge), min(len(samples), int(found[-1]) + edge)
    moved = []
    for word in words:
        inside = np.flatnonzero(loud[round(word.start_s * RATE) : round(word.end_s * RATE)])
        end_s = word.start_s + int(inside[-1] + 1) / RATE if len(inside) else word.end_s
        moved.append(SpokenWord(word.text, max(0.0, word.start_s - first / RATE), max(0.0, end_s - first / RATE)))
    scale = PEAK / float(np.abs(samples).max())
    return Spoken((samples[first:last] * scale).astype(np.float32), tuple(moved))


def _resampled(pcm: NDArray[np.int16], rate: int) -> Samples:
    samples = np.asarray(pcm / 32768, dtype=np.float32)
    return samples if rate == RATE else np.asarray(soxr.resample(samples, rate, RATE), dtype=np.float32)


def _bare(text: str) -> str:
    return text.strip(".,?!;:")


# flite


class _FliteWave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _FliteVoice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


def _library(name: str, package: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ModelMissing(f"Rendering voices needs {name}: apt-get install {package} ({error})") from error


@cache
def _flite_library() -> ctypes.CDLL:
    library = _library("libflite.so.1", "flite")
    pointers = ("flite_synth_text", "utt_relation", "relation_head", "item_next")
    for name in pointers:
        getattr(library, name).restype = ctypes.c_void_p
    library.item_feat_string.restype = ctypes.c_char_p
    library.ffeature_float.restype = ctypes.c_float
    library.item_feat_float.restype = ctypes.c_float
    library.utt_wave.restype = ctypes.POINTER(_FliteWave)
    library.feat_set_float.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float)
    library.get_param_float.restype = ctypes.c_float
    library.get_param_float.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float)
    library.flite_init()
    return library


@cache
def _flite_voice(name: str) -> tuple[int, tuple[float, float]]:
    """Its address, and the mean and the deviation of its pitch in Hz; -1 where a statistical voice sets them itself."""
    flite = _flite_library()
    register = getattr(_library(f"libflite_cmu_us_{name}.so.1", "flite"), f"register_cmu_us_{name}")
    register.restype = ctypes.c_void_p
    address = int(register(None))
    features = _FliteVoice.from_address(address).features
    mean = float(flite.get_param_float(features, b"int_f0_target_mean", -1.0))
    deviation = float(flite.get_param_float(features, b"int_f0_target_stddev", -1.0))
    return address, (mean, deviation)


def _flite(text: str, voice: Voice) -> tuple[Samples, list[SpokenWord]]:
    flite = _flite_library()
    address, (mean, deviation) = _flite_voice(voice.name)
    features = _FliteVoice.from_address(address).features
    flite.feat_set_float(features, b"duration_stretch", 1.0 / voice.tempo)
    if mean > 0:
        flite.feat_set_float(features, b"int_f0_target_mean", mean * voice.pitch)
        flite.feat_set_float(features, b"int_f0_target_stddev", deviation * voice.liveliness)
    else:
        flite.feat_set_float(features, b"f0_shift", voice.pitch)
    utterance = ctypes.c_void_p(flite.flite_synth_text(text.encode(), ctypes.c_void_p(address)))
    try:
        wave = flite.utt_wave(utterance).contents
        pcm = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).copy()
        return _resampled(pcm, wave.sample_rate), list(_flite_words(flite, utterance, text))
    finally:
        flite.delete_utterance(utterance)


def _flite_words(flite: ctypes.CDLL, utterance: ctypes.c_void_p, text: str) -> Iterator[SpokenWord]:
    """The words of the utterance with the names that the text gives them. Yields one too many if there are others."""
    names = [_bare(word) for word in text.split()]
    item = flite.relation_head(ctypes.c_void_p(flite.utt_relation(utterance, b"Word")))
    number = 0
    while item:
        here = ctypes.c_void_p(item)
        start = flite.ffeature_float(here, b"R:SylStructure.daughter1.daughter1.R:Segment.p.end")
        end = flite.ffeature_float(here, b"R:SylStructure.daughtern.daughtern.R:Segment.end")
        yield SpokenWord(names[number] if number < len(names) else "", float(start), float(end))
        item, number = flite.item_next(here), number + 1


# espeak-ng


class _EspeakId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _EspeakEvent(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EspeakId),
    )


_EspeakCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_EspeakEvent)
)


@dataclass(slots=True)
class _EspeakTake:
    """What the library has called back with for the text being spoken."""

    pieces: list[NDArray[np.int16]] = field(default_factory=list)
    starts: dict[int, float] = field(default_factory=dict)
    """Offset of a word in the text -> seconds."""


class _Espeak:
    """The library, initialised once for the process."""

    def __init__(self) -> None:
        self._library = _library("libespeak-ng.so.1", "espeak-ng")
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0))
        if self.rate <= 0:
            raise ModelMissing("espeak-ng finds no voices: apt-get install espeak-ng-data")
        self._take = _EspeakTake()
        self._callback = _EspeakCallback(self._heard)
        self._library.espeak_SetSynthCallback(self._callback)

    def take(self, text: str, voice: Voice) -> _EspeakTake:
        """Speak a text."""
        library, self._take = self._library, _EspeakTake()
        accent, plus, variant = voice.name.partition("+")
        if library.espeak_SetVoiceByName((ESPEAK_ACCENTS.get(accent, accent) + plus + variant).encode()) != 0:
            raise ModelMissing(f"espeak-ng has no voice {voice.name}.")
        for parameter, value in (
            (_ESPEAK_RATE, 160 * voice.tempo),
            (_ESPEAK_PITCH, min(99.0, max(1.0, 50 * voice.pitch))),
            (_ESPEAK_RANGE, min(99.0, max(1.0, 50 * voice.liveliness))),
        ):
            library.espeak_SetParameter(parameter, round(value), 0)
        data = text.encode()
        library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        library.espeak_Synchronize()
        return self._take

    def _heard(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._take.pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        number = 0
        while events[number].type != _ESPEAK_END:
            if events[number].type == _ESPEAK_WORD:
                self._take.starts.setdefault(events[number].text_position - 1, events[number].audio_position / 1000)
            number += 1
        return 0


@cache
def _espeak_library() -> _Espeak:
    return _Espeak()


def _espeak(text: str, voice: Voice) -> tuple[Samples, list[SpokenWord]]:
    espeak = _espeak_library()
    take = espeak.take(text, voice)
    if not take.pieces:
        raise Unspeakable(f"espeak-ng says nothing for: {text}")
    samples = _resampled(np.concatenate(take.pieces), espeak.rate)
    offsets, place = [], 0
    for word in text.split():
        offsets.append(text.index(word, place))
        place = offsets[-1] + len(word)
    starts = [take.starts.get(offset) for offset in offsets]
    return samples, list(_espeak_words(text.split(), starts, len(samples) / RATE))


def _espeak_words(names: Sequence[str], starts: Sequence[float | None], end_s: float) -> Iterator[SpokenWord]:
    """A word ends where the next begins. One that espeak-ng ran together with the word before gets a share of it."""
    known = [(number, start) for number, start in enumerate(starts) if start is not None]
    for (number, start), (following, until) in zip(known, [*known[1:], (len(names), end_s)], strict=True):
        share = (until - start) / (following - number)
        for place in range(following - number):
            begin = start + place * share
            yield SpokenWord(_bare(names[number + place]), begin, begin + share)


# festival


@cache
def _festival_process() -> "subprocess.Popen[str]":
    command = ["festival", "--pipe"]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError as error:
        raise ModelMissing(
            "Rendering voices to test with needs festival: apt-get install festival festvox-kdlpc16k"
        ) from error


_FESTIVAL = """\
(voice_{name})
(Parameter.set 'Duration_Stretch {stretch})
(set! spoken (SynthText "{text}"))
(mapcar (lambda (word) (format t "WORD %f %f\\n" (item.feat word 'word_start) (item.feat word 'word_end)))
  (utt.relation.items spoken 'Word))
(utt.save.wave spoken "{path}" 'riff)
(format t "DONE\\n")
(fflush nil)
"""


def _festival(text: str, voice: Voice) -> tuple[Samples, list[SpokenWord]]:
    process = _festival_process()
    names = [_bare(word) for word in text.split()]
    words: list[SpokenWord] = []
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        script = _FESTIVAL.format(name=voice.name, stretch=1 / voice.tempo, text=text.replace('"', ""), path=file.name)
        if process.stdin is None or process.stdout is None:
            raise ModelMissing("festival has no pipes.")
        process.stdin.write(script)
        process.stdin.flush()
        while (line := process.stdout.readline()) != "DONE\n":
            if not line:
                raise ModelMissing(f"festival stopped at: {text}. Has it the voice {voice.name}?")
            if line.startswith("WORD "):
                _, start, end = line.split()
                words.append(SpokenWord(names[len(words)] if len(words) < len(names) else "", float(start), float(end)))
        with wave.open(file.name) as stream:
            rate, pcm = stream.getframerate(), np.frombuffer(stream.readframes(stream.getnframes()), np.int16)
    return _resampled(pcm, rate), words
