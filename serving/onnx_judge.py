"""The base of engines that judge a moment of sound with one ONNX network: loading, thread, checks, errors."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from serving.bridge import EngineThread
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.onnx_session import VERIFY, Device, Patch, Session, open_session

Tensors = Mapping[str, npt.NDArray[np.generic]]
Question = TypeVar("Question")
Answer = TypeVar("Answer")

CHECK_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxJudgeOptions:
    """Options that all such engines have."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str
    """Its file in the model's folder."""
    device: Device = "cpu"
    """Where it runs. A CPU core takes a few milliseconds per judgement: hardly more than the trip to a GPU and back."""
    threads: int = 1
    """CPU threads for one judgement."""


class OnnxJudge(ABC, Generic[Question, Answer]):
    """An engine with one network and one thread, shared by all calls.

    A subclass says how a question becomes the network's inputs, and how the outputs become an answer.
    """

    name: ClassVar[str]
    """Its name in the registry."""
    title: ClassVar[str]
    """How messages refer to it, at the beginning of a sentence."""
    remedy: ClassVar[str]
    """What to do if the file is missing."""
    outputs: ClassVar[tuple[str, ...] | None] = None
    """Which of the network's outputs to compute; None: all."""

    def __init__(self, options: OnnxJudgeOptions, model_dir: Path) -> None:
        self._options = options
        self._path = model_dir / options.file
        self._session: Session | None = None
        self._thread: EngineThread | None = None

    @abstractmethod
    def _accept(self, session: Session) -> None:
        """Check that this is the right network, and read its metadata. Raises EngineLoadFailed."""

    @abstractmethod
    def _rehearsals(self) -> Sequence[Question]:
        """Questions to warm up with; `check` asks the first."""

    @abstractmethod
    def _inputs(self, question: Question) -> Tensors:
        """The network's inputs. Runs on the engine's thread."""

    @abstractmethod
    def _answer(self, outputs: Sequence[npt.NDArray[np.floating]]) -> Answer:
        """What the network's outputs mean."""

    def load(self) -> None:
        """Load the network. Raises EngineLoadFailed."""
        if not self._path.is_file():
            raise EngineLoadFailed(f"{self._path.name} is not in {self._path.parent}. {self.remedy}")
        session = self._open()
        self._accept(session)
        self._session = session
        self._thread = EngineThread(self.name)

    def warm_up(self) -> None:
        """Judge silence of every length that matters."""
        for question in self._rehearsals():
            self._judge_now(question)

    def check(self) -> None:
        """Judge a short silence. Raises EngineDied."""
        try:
            self._judge_now(self._rehearsals()[0])
        except (EngineError, TimeoutError, RuntimeError) as error:
            raise EngineDied(f"{self.title} no longer answers ({error}). It will be loaded again.") from error

    def close(self) -> None:
        """Stop the thread and drop the network."""
        if self._thread is not None:
            self._thread.close()
        self._session = None

    def _open(self, patch: Patch | None = None) -> Session:
        """Open the file; `patch` changes the graph first."""
        return open_session(self._path, threads=self._options.threads, device=self._options.device, patch=patch)

    async def _ask(self, question: Question) -> Answer:
        """Answer a question on the engine's thread. Raises EngineError."""
        return await self._running().run(lambda: self._judge(question))

    def _running(self) -> EngineThread:
        if self._thread is None or self._session is None:
            raise EngineDied(f"{self.title} is not loaded. Load the engine before asking it.")
        return self._thread

    def _judge_now(self, question: Question) -> None:
        self._running().submit(lambda: self._judge(question)).result(timeout=CHECK_TIMEOUT_S)

    def _judge(self, question: Question) -> Answer:
        session, inputs = self._session, self._inputs(question)
        if session is None:
            raise EngineDied(f"{self.title} was closed.")
        try:
            outputs = session.run(self.outputs, inputs)
        except Exception as error:
            raise EngineError(f"{self.title} could not judge the sound: {error}. Check its file: {VERIFY}") from error
        return self._answer(outputs)
