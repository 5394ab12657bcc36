"""Piper as a TTS engine: takes pieces of text, gives audio at the room's rate with word times, in order."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from serving.bridge import EngineThread
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.onnx_session import Device
from serving.tts.piper_stream import Pacing, PiperStream
from serving.tts.piper_voice import Sentence, Voice, VoiceSettings
from serving.tts.sentence_cache import SentenceCache


@dataclass(frozen=True, slots=True, kw_only=True)
class PiperOptions:
    """Options of the Piper engine."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    voice: str | None = None
    """File name of the voice, without .onnx; None: the only one in the model's folder."""
    room_rate: int = 24_000
    """Hz of what streams produce."""
    device: Device = "cpu"
    """Where it runs. For short texts a CPU is faster even where there is a GPU: many of the network's small steps stay on the
    CPU, with a copy before and after each."""
    threads: int = 1
    """CPU threads for one piece."""
    workers: int = 1
    """Pieces synthesized at once, for many calls: a medium voice takes about a sixteenth of a core per speaking call."""
    tempo: float = 1.0
    """Speed of speech; 1.2 is a fifth faster than the voice's default."""
    volume: float = 1.0
    """Gain on the voice's level."""
    noise_scale: float | None = None
    """Variation of the sound; None: the voice's default."""
    noise_w: float | None = None
    """Variation of the rhythm; None: the voice's default."""
    clause_pause_s: float = 0.12
    """Silence between a piece that ends in a comma (or ; : -) and the next."""
    sentence_pause_s: float = 0.3
    """Silence between a piece that ends in a full stop (or ! ?) and the next."""
    chunk_s: float = 0.2
    """Length of the pieces in which audio is delivered."""
    cache_s: float = 60.0
    """Seconds of synthesized audio to keep in memory for texts that are spoken again (the greeting); 0: none."""


class PiperEngine:
    """The engine. Its workers synthesize for all calls, the one that will run out of audio first coming first."""

    def __init__(self, options: PiperOptions, model_dir: Path) -> None:
        self._options = options
        self._model_dir = model_dir
        self._voice: Voice | None = None
        self._thread: EngineThread | None = None
        self._cache = SentenceCache(max_samples=round(options.cache_s * options.room_rate))

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return "piper"

    @property
    def sample_rate(self) -> int:
        """Hz of what streams produce."""
        return self._options.room_rate

    def load(self) -> None:
        """Load the voice and espeak's data. Raises EngineLoadFailed."""
        options = self._options
        settings = VoiceSettings(
            room_rate=options.room_rate,
            device=options.device,
            threads=options.threads,
            tempo=options.tempo,
            volume=options.volume,
            noise_scale=options.noise_scale,
            noise_w=options.noise_w,
        )
        self._voice = Voice(_voice_file(self._model_dir, options.voice), settings)
        self._thread = EngineThread("piper", threads=options.workers)

    def warm_up(self) -> None:
        """Speak a short and a long sentence."""
        for text in (
            "Yes.",
            "One moment please, I am looking for the next free appointment on Tuesday at half past ten.",
        ):
            self._speak_now(text)

    def check(self) -> None:
        """Speak one word. Raises EngineDied."""
        try:
            self._speak_now("Yes.")
        except (EngineError, TimeoutError, RuntimeError) as error:
            raise EngineDied(f"Piper no longer speaks ({error}). It will be reloaded.") from error

    def close(self) -> None:
        """Stop the workers and drop the voice."""
        if self._thread is not None:
            self._thread.close()
        self._voice = None

    def open(self) -> PiperStream:
        """A stream for one reply."""
        options = self._options
        pacing = Pacing(
            sample_rate=options.room_rate,
            chunk_s=options.chunk_s,
            clause_pause_s=options.clause_pause_s,
            sentence_pause_s=options.sentence_pause_s,
        )
        return PiperStream(self, pacing)

    async def sentence(self, text: str, index: int, *, deadline_s: float) -> Sentence | None:
        """Sentence `index` of `text`, None if there are no more; earlier deadlines (monotonic clock) are served first."""
        cached = self._cache.find(text)
        if cached is not None:
            return cached[index] if index < len(cached) else None
        voice, thread = self._voice, self._thread
        if voice is None or thread is None:
            raise EngineDied("Piper is not loaded. Load the engine before opening a stream.")
        return await thread.run(lambda: voice.sentence(text, index), priority=round(deadline_s * 1000))

    def remember(self, text: str, sentences: tuple[Sentence, ...]) -> None:
        """Cache what `text` sounds like, if there is room, for when it is spoken again."""
        self._cache.keep(text, sentences)

    def _speak_now(self, text: str) -> None:
        voice, thread = self._voice, self._thread
        if voice is None or thread is None:
            raise EngineDied("Piper is not loaded. Load the engine before opening a stream.")
        sentence = thread.submit(lambda: voice.sentence(text, 0)).result(timeout=30)
        if sentence is None or len(sentence.samples) == 0:
            raise EngineDied("Piper produced no sound. Check the voice's files.")


def _voice_file(model_dir: Path, voice: str | None) -> Path:
    found = sorted(path for path in model_dir.glob("*.onnx") if voice is None or path.stem == voice)
    if not found:
        raise EngineLoadFailed(
            f"No Piper voice ({voice or '*'}.onnx) in {model_dir}. Download it: scripts/download_models.sh"
        )
    if len(found) > 1:
        names = ", ".join(path.stem for path in found)
        raise EngineLoadFailed(
            f"Several Piper voices in {model_dir}. Set engines.tts.options.voice to one of: {names}."
        )
    if not Path(f"{found[0]}.json").is_file():
        raise EngineLoadFailed(
            f"{found[0].name}.json is missing beside the voice. Download it: scripts/download_models.sh"
        )
    return found[0]
