"""What is examined: a checkout with its settings and models, as far as they can be read."""

from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.running import Running
from agent.operate.gpu_plan import uses_gpu
from agent.settings import Network, Settings
from models.errors import CallboxError
from models.store import ModelStore


class CannotExamine(CallboxError):
    """A check has nothing to go by, because of something that has a row of its own; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where everything is, and what of it could be read."""

    root: Path
    """The checkout."""
    cache: Path
    """Where livekit-server and downloaded wheels are."""
    profile: str
    known_settings: Settings | None
    """None when they cannot be read, which has its own row."""
    known_store: ModelStore | None
    """None when the manifest cannot be read, which has its own row."""
    running: Running | None = None
    """Callbox itself, if it runs here now."""

    @property
    def settings(self) -> Settings:
        """Raises CannotExamine."""
        if self.known_settings is None:
            raise CannotExamine("needs the settings, which cannot be read (row settings)")
        return self.known_settings

    @property
    def network(self) -> Network:
        """Raises CannotExamine."""
        return self.settings.network

    @property
    def store(self) -> ModelStore:
        """Raises CannotExamine."""
        if self.known_store is None:
            raise CannotExamine("needs models/manifest.yaml, which cannot be read (row manifest)")
        return self.known_store

    @property
    def needs_gpu(self) -> bool:
        """Whether the profile computes on an NVIDIA GPU."""
        return self.profile == "gpu" or (self.known_settings is not None and uses_gpu(self.known_settings))

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models that the settings name; without settings, those that the manifest has for the profile.

        Raises CannotExamine.
        """
        if self.known_settings is None:
            return self.store.names_for(self.profile)
        return self.known_settings.model_names
