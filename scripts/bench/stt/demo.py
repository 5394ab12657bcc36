"""The demo's recogniser, as several benches use it."""

from models.store import open_store
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad

MODEL = "demo-stt"
WINDOW_FLOOR_S = 4.0
"""As in configs/profiles/demo.yaml."""


def load_recogniser() -> FasterWhisperEngine:
    """The engine, loaded and warm, to be closed by the caller."""
    store = open_store()
    vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
    vad.load()
    engine = FasterWhisperEngine(FasterWhisperOptions(window_floor_s=WINDOW_FLOOR_S), store.resolve(MODEL), vad)
    engine.load()
    engine.warm_up()
    return engine
