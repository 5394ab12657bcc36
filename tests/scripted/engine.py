"""The common part of all scripted engines."""

from collections import deque

from models.errors import CallboxError
from serving.errors import EngineDied


class ScriptedEngine:
    """Base of all scripted engines: it dies on demand, and works again after a reload."""

    name = "scripted"

    def __init__(self, journal: list[str] | None = None) -> None:
        self.journal = [] if journal is None else journal
        self.is_dead = False
        self.dies_at: deque[int] = deque()
        """Tasks, counted from 1, that fail although the engine is alive."""
        self.tasks = 0
        self.load_error: Exception | None = None

    def load(self) -> None:
        self.journal.append(f"load {self.name}")
        if self.load_error is not None:
            raise self.load_error
        self.is_dead = False

    def warm_up(self) -> None:
        self.journal.append(f"warm_up {self.name}")

    def check(self) -> None:
        self.journal.append(f"check {self.name}")
        if self.is_dead:
            raise EngineDied(f"The {self.name} engine is dead.")

    def close(self) -> None:
        self.journal.append(f"close {self.name}")

    def failure(self) -> CallboxError | None:
        """Count a task. Returns the error that it ends with, if it fails."""
        self.tasks += 1
        if self.is_dead or self.tasks in self.dies_at:
            return EngineDied(f"The {self.name} engine is dead.")
        return None
