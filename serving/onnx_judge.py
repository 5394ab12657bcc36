"""What the engines share that judge a moment of sound with one ONNX network: loading, one thread, checks, errors."""

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
    """Options of every such engine."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str
    """Its file in the model's folder."""
    device: Device = "cpu"
    """Where it runs. One judgement takes a CPU core a few milliseconds: hardly more than the way to a GPU and back."""
    threads: int = 1
    """CPU threads for one judgement."""


class OnnxJudge(ABC, Generic[Question, Answer]):
    """An engine over one network. One thread judges for all calls.

    An engine says how a question becomes the network's inputs, and its outputs an answer.
    """

    name: ClassVar[str]
    """In the registry."""
    title: ClassVar[str]
    """What messages call it, as the beginning of a sentence."""
    remedy: ClassVar[str]
    """What to do if its file is missing."""
    outputs: ClassVar[tuple[str, ...] | None] = None
    """The network's outputs that are wanted; None: all."""

    def __init__(self, options: OnnxJudgeOptions, model_dir: Path) -> None:
        self._options = options
        self._path = model_dir / options.file
        self._session: Session | None = None
        self._thread: EngineThread | None = None

    @abstractmethod
    def _accept(self, session: Session) -> None:
        """Take what the file says about itself. Raises EngineLoadFailed if it is another network."""

    @abstractmethod
    def _rehearsals(self) -> Sequence[Question]:
        """Questions that warm every path; the first is the one to check with."""

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
        """Judge every length of silence that takes a path of its own."""
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
        """The network in the file; `patch` changes its graph first."""
        return open_session(self._path, threads=self._options.threads, device=self._options.device, patch=patch)

    async def _ask(self, question: Question) -> Answer:
        """Have a question judged. Raises EngineError."""
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
