"""Owns the engines of a process: loads them in order, warms them up, watches them, reloads those that die."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import Enum

from models.errors import CallboxError
from serving import metrics
from serving.engine import Engine, InterruptionEngine, LlmEngine, SttEngine, TtsEngine, TurnEngine, VadEngine
from serving.errors import EngineDied, EngineLoadFailed

logger = logging.getLogger("callbox.host")

RELOADS_PER_HOUR = 6
"""An engine that dies more often than this stays down: reloading does not fix whatever is wrong."""


class EngineState(Enum):
    """Where an engine is in its life."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Engines:
    """One engine per stage, in loading order."""

    vad: VadEngine
    stt: SttEngine
    turn: TurnEngine | None
    llm: LlmEngine
    tts: TtsEngine
    interruption: InterruptionEngine | None = None

    def __iter__(self) -> Iterator[tuple[str, Engine]]:
        for field in fields(self):
            engine = getattr(self, field.name)
            if engine is not None:
                yield field.name, engine


Report = Callable[[str, EngineState, float], None]
"""Called with each engine's new state: stage, state, seconds spent in the previous one."""


class EngineHost:
    """Engines with their states. Its methods block; call them off the event loop."""

    def __init__(self, engines: Engines, report: Report = lambda stage, state, took_s: None) -> None:
        self.engines = engines
        self._report = report
        self._states = {stage: EngineState.UNLOADED for stage, _ in engines}
        self._since = time.monotonic()
        self._reloads: dict[str, list[float]] = {stage: [] for stage, _ in engines}
        self._lock = threading.Lock()

    @property
    def states(self) -> dict[str, EngineState]:
        """State by stage."""
        return dict(self._states)

    @property
    def is_ready(self) -> bool:
        """Whether every engine can take calls."""
        return all(state is EngineState.READY for state in self._states.values())

    def load(self) -> None:
        """Load and warm up every engine. If one fails, closes the others and raises its error."""
        try:
            for stage, engine in self.engines:
                self._start(stage, engine)
        except CallboxError:
            self.close()
            raise

    def examine(self) -> None:
        """Check every engine, and reload those that fail, within a budget."""
        with self._lock:
            for stage, engine in self.engines:
                if self._states[stage] not in (EngineState.READY, EngineState.FAILED):
                    continue
                try:
                    if self._states[stage] is EngineState.FAILED:
                        raise EngineDied(f"The {stage} engine failed earlier.")
                    engine.check()
                except CallboxError as error:
                    self._reload(stage, engine, error)

    def close(self) -> None:
        """Close the engines, last loaded first."""
        for stage, engine in reversed(list(self.engines)):
            if self._states[stage] is not EngineState.CLOSED:
                engine.close()
                self._set(stage, EngineState.CLOSED)

    def _start(self, stage: str, engine: Engine) -> None:
        try:
            self._set(stage, EngineState.LOADING)
            engine.load()
            self._set(stage, EngineState.WARMING)
            engine.warm_up()
        except CallboxError:
            self._set(stage, EngineState.FAILED)
            raise
        except (RuntimeError, OSError, ValueError, ImportError) as error:
            self._set(stage, EngineState.FAILED)
            raise EngineLoadFailed(f"The {stage} engine '{engine.name}' could not be loaded: {error}") from error
        self._set(stage, EngineState.READY)

    def _reload(self, stage: str, engine: Engine, cause: CallboxError) -> None:
        self._set(stage, EngineState.FAILED)
        now = time.monotonic()
        recent = [at for at in self._reloads[stage] if now - at < 3600]
        if len(recent) >= RELOADS_PER_HOUR:
            logger.error("the %s engine died %d times within an hour and stays down", stage, len(recent))
            return
        self._reloads[stage] = [*recent, now]
        logger.warning("reloading the %s engine after %s", stage, type(cause).__name__)
        metrics.ENGINE_RELOADS.labels(stage).inc()
        try:
            engine.close()
            self._start(stage, engine)
        except CallboxError as error:
            logger.error("the %s engine could not be reloaded: %s", stage, error)

    def _set(self, stage: str, state: EngineState) -> None:
        now = time.monotonic()
        self._states[stage] = state
        metrics.ENGINE_READY.labels(stage).set(state is EngineState.READY)
        self._report(stage, state, now - self._since)
        self._since = now
