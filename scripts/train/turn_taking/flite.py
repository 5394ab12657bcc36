"""flite's library (Debian package flite): sound and exact word times."""

import ctypes
from collections.abc import Iterator
from functools import cache

import numpy as np

from scripts.train.turn_taking.spoken import SpokenWord, Voice, bare, open_library, resampled
from serving.audio import Pcm32


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


@cache
def _flite_library() -> ctypes.CDLL:
    library = open_library("libflite.so.1", "flite")
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
    """Its address, and the mean and standard deviation of its pitch in Hz; -1 where a statistical voice sets them itself."""
    flite = _flite_library()
    register = getattr(open_library(f"libflite_cmu_us_{name}.so.1", "flite"), f"register_cmu_us_{name}")
    register.restype = ctypes.c_void_p
    address = int(register(None))
    features = _FliteVoice.from_address(address).features
    mean = float(flite.get_param_float(features, b"int_f0_target_mean", -1.0))
    deviation = float(flite.get_param_float(features, b"int_f0_target_stddev", -1.0))
    return address, (mean, deviation)


def speak(text: str, voice: Voice) -> tuple[Pcm32, list[SpokenWord]]:
    """Sound at SPEECH_RATE, untrimmed, and the words."""
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
        return resampled(pcm, wave.sample_rate), list(_flite_words(flite, utterance, text))
    finally:
        flite.delete_utterance(utterance)


def _flite_words(flite: ctypes.CDLL, utterance: ctypes.c_void_p, text: str) -> Iterator[SpokenWord]:
    """The utterance's words, named as in the text; a surplus word has no name."""
    names = [bare(word) for word in text.split()]
    item = flite.relation_head(ctypes.c_void_p(flite.utt_relation(utterance, b"Word")))
    number = 0
    while item:
        here = ctypes.c_void_p(item)
        start = flite.ffeature_float(here, b"R:SylStructure.daughter1.daughter1.R:Segment.p.end")
        end = flite.ffeature_float(here, b"R:SylStructure.daughtern.daughtern.R:Segment.end")
        yield SpokenWord(names[number] if number < len(names) else "", float(start), float(end))
        item, number = flite.item_next(here), number + 1
