"""Which profile a box can run, and why."""

from dataclasses import dataclass
from pathlib import Path

from agent.settings import Settings, load_settings
from models.store import ModelState, ModelStore, open_store

NVIDIA_DEVICE = Path("/dev/nvidia0")


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile, and a clause that says why it was taken."""

    profile: str
    reason: str


def choose_profile(store: ModelStore, *, has_gpu: bool | None = None) -> Choice:
    """gpu with an NVIDIA device and its models, else cpu with its models, else demo."""
    gpu = NVIDIA_DEVICE.exists() if has_gpu is None else has_gpu
    if gpu and _is_complete(store, "gpu"):
        return Choice("gpu", "an NVIDIA device and the gpu profile's models are here")
    if _is_complete(store, "cpu"):
        return Choice("cpu", "the cpu profile's models are here" + ("" if gpu else ", and no NVIDIA device is"))
    return Choice("demo", "no downloaded models are here")


def settings_for(profile: str = "") -> Settings:
    """The settings of that profile, or of the best one this box can run. Raises ConfigError."""
    return load_settings(profile or choose_profile(open_store()).profile)


def _is_complete(store: ModelStore, profile: str) -> bool:
    names = store.names_for(profile)
    return bool(names) and all(store.status(name).state is ModelState.OK for name in names)
