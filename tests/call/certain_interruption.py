"""An interruption engine that gives a fixed verdict, whatever it hears, or is dead. For `tests.call.worker`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from serving.audio import Pcm32
from serving.errors import EngineDied
from serving.registry import Entry
from serving.speech import Interruption

ENGINES = {"interruption": {"certain": Entry(__name__, "CertainInterruption", "CertainOptions")}}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertainOptions:
    """The fixed verdict."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    hears: Literal["interruption", "other", "nothing"]


class CertainInterruption:
    """Gives its verdict without listening; with `hears` "nothing", it fails."""

    name = "certain"
    window_s = 2.0

    def __init__(self, options: CertainOptions, model_dir: Path) -> None:
        self._hears = options.hears

    def load(self) -> None:
        pass

    def warm_up(self) -> None:
        pass

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def predict(self, samples: Pcm32, overlap_s: float) -> Interruption:
        if self._hears == "nothing":
            raise EngineDied("The interruption engine is dead.")
        is_interruption = self._hears == "interruption"
        return Interruption(float(is_interruption), 0.0, float(not is_interruption), inference_s=0.0)
