"""espeak-ng's library (Debian package espeak-ng): sound, and word times to about 20 ms."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelMissing
from scripts.train.turn_taking.spoken import (
    SpokenWord,
    Unspeakable,
    Voice,
    bare,
    open_library,
    resampled,
)
from serving.audio import SPEECH_RATE, Pcm32

ESPEAK_ACCENTS = {
    "en-us": "gmw/en-US",
    "en-us-nyc": "gmw/en-US-nyc",
    "en-gb": "gmw/en",
    "en-gb-scotland": "gmw/en-GB-scotland",
    "en-gb-x-rp": "gmw/en-GB-x-rp",
    "en-gb-x-gbclan": "gmw/en-GB-x-gbclan",
    "en-029": "gmw/en-029",
}
"""Accent -> the voice file that the library knows it by."""
_ESPEAK_RATE, _ESPEAK_PITCH, _ESPEAK_RANGE = 1, 3, 4
_ESPEAK_END, _ESPEAK_WORD = 0, 1
_SYNCHRONOUS, _UTF8 = 2, 1


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
    """What the library has delivered so far of the text being spoken."""

    pieces: list[NDArray[np.int16]] = field(default_factory=list)
    starts: dict[int, float] = field(default_factory=dict)
    """Offset of a word in the text -> seconds."""


class _Espeak:
    """The library, initialised once for the process."""

    def __init__(self) -> None:
        self._library = open_library("libespeak-ng.so.1", "espeak-ng")
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0))
        if self.rate <= 0:
            raise ModelMissing("espeak-ng finds no voices. Install them: apt-get install espeak-ng-data")
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


def speak(text: str, voice: Voice) -> tuple[Pcm32, list[SpokenWord]]:
    """Sound at SPEECH_RATE, untrimmed, and the words. Raises Unspeakable if nothing comes out."""
    espeak = _espeak_library()
    take = espeak.take(text, voice)
    if not take.pieces:
        raise Unspeakable(f"espeak-ng says nothing for: {text}")
    samples = resampled(np.concatenate(take.pieces), espeak.rate)
    offsets, place = [], 0
    for word in text.split():
        offsets.append(text.index(word, place))
        place = offsets[-1] + len(word)
    starts = [take.starts.get(offset) for offset in offsets]
    return samples, list(_espeak_words(text.split(), starts, len(samples) / SPEECH_RATE))


def _espeak_words(names: Sequence[str], starts: Sequence[float | None], end_s: float) -> Iterator[SpokenWord]:
    """A word ends where the next one begins. One that espeak-ng ran together with the previous word gets a share of it."""
    known = [(number, start) for number, start in enumerate(starts) if start is not None]
    for (number, start), (following, until) in zip(known, [*known[1:], (len(names), end_s)], strict=True):
        share = (until - start) / (following - number)
        for place in range(following - number):
            begin = start + place * share
            yield SpokenWord(bare(names[number + place]), begin, begin + share)
