"""SVOX pico (Apache-2.0) from the Python package ttspico, built from its source distribution into .cache when first needed."""

import ctypes
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from serving.audio import Pcm32

PACKAGE = "ttspico==0.3.2"
FOLDER = Path(".cache/bench_turns/ttspico")
UV = Path(".venv/bin/uv")
RATE = 16_000
"""Sample rate of pico and of the bench."""

VOLUME = 50
"""In percent; at its default of 100 pico clips."""

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_bool,
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_uint8),
    ctypes.c_uint32,
    ctypes.c_bool,
)


def speak_pico(language: str, text: str) -> Pcm32:
    """Speak a text, which may contain <break time="400ms"/>, in en-US or en-GB: float32 at 16 kHz, shape (n,).

    The first call builds the engine, and raises subprocess.CalledProcessError without the package index, gcc or Python's headers.
    """
    return _engine(language)(text)


@cache
def _engine(language: str) -> Callable[[str], Pcm32]:
    library = ctypes.CDLL(str(_built()))
    heard: list[bytes] = []

    def take(_user: int, _rate: int, _format: int, _channels: int, sound: object, size: int, _last: bool) -> bool:
        if size:
            heard.append(ctypes.string_at(sound, size))  # type: ignore[arg-type]
        return True

    callback = _Callback(take)
    library.TtsEngine_Create.restype = ctypes.c_void_p
    library.TtsEngine_Create.argtypes = (ctypes.c_char_p, ctypes.c_char_p, _Callback)
    library.TtsEngine_Speak.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    languages = f"{FOLDER.resolve()}/languages/"
    engine = library.TtsEngine_Create(languages.encode(), language.encode(), callback)
    library.TtsEngine_SetVolume.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.TtsEngine_SetVolume(engine, VOLUME)

    def speak(text: str, _keep: object = callback) -> Pcm32:
        heard.clear()
        library.TtsEngine_Speak(engine, text.encode(), None)
        return np.asarray(np.frombuffer(b"".join(heard), np.int16) / 32768, dtype=np.float32)

    return speak


def _built() -> Path:
    """The extension module, which is a plain shared library apart from its Python interface."""
    if not list(FOLDER.glob("ctts*.so")):
        command = [str(UV), "pip", "install", "--no-deps", "--no-binary", ":all:", "--target", str(FOLDER), PACKAGE]
        subprocess.run(command, check=True, env={**os.environ, "CFLAGS": "-w"})
    return next(FOLDER.glob("ctts*.so")).resolve()
