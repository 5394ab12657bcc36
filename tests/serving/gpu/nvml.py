"""A driver that answers as NVML does, for machines that have none."""

from dataclasses import dataclass, field
from typing import Any

MIB = 1024 * 1024


class NVMLError(Exception):
    """What every question raises that cannot be answered."""


@dataclass
class Card:
    """A GPU, or a slice of one."""

    name: str = "NVIDIA L4"
    uuid: str = "GPU-0"
    total_mib: int = 23_034
    reserved_mib: int = 471
    free_mib: int = 22_400
    capability: tuple[int, int] = (8, 9)
    mig: list["Card | None"] | None = None
    """Places for slices where MIG is on; None: the card has no MIG."""
    parent: "Card | None" = None


@dataclass
class Memory:
    """NVML's answer about memory, in bytes."""

    total: int
    free: int
    reserved: int = 0


@dataclass
class Nvml:
    """Takes the place of the module pynvml: the functions that are used, by their names."""

    cards: list[Card]
    cuda: int = 13_000
    has_driver: bool = True
    knows_version_2: bool = True
    lost: bool = False
    """The driver lost the GPUs after it was asked how many there are."""
    NVMLError: type[Exception] = NVMLError
    nvmlMemory_v2: int = 2  # noqa: N815 - pynvml's name
    open: int = field(default=0)

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.has_driver:
            raise NVMLError("NVML Shared Library Not Found")
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "580.95.05"

    def nvmlSystemGetCudaDriverVersion(self) -> int:  # noqa: N802
        return self.cuda

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:  # noqa: N802
        if self.lost:
            raise NVMLError("GPU is lost")
        return self.cards[index]

    def nvmlDeviceGetUUID(self, card: Card) -> str:  # noqa: N802
        return card.uuid

    def nvmlDeviceGetName(self, card: Card) -> str:  # noqa: N802
        return card.name

    def nvmlDeviceGetMigMode(self, card: Card) -> list[int]:  # noqa: N802
        if card.mig is None:
            raise NVMLError("Not Supported")
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, card: Card) -> int:  # noqa: N802
        return len(card.mig or [])

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card: Card, index: int) -> Card:  # noqa: N802
        piece = (card.mig or [])[index]
        if piece is None:
            raise NVMLError("Not Found")
        piece.parent = card
        return piece

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, card: Card) -> Card:  # noqa: N802
        if card.parent is None:
            raise NVMLError("Invalid Argument")
        return card.parent

    def nvmlDeviceGetCudaComputeCapability(self, card: Card) -> tuple[int, int]:  # noqa: N802
        if card.parent is not None:
            raise NVMLError("Not Supported")
        return card.capability

    def nvmlDeviceGetMemoryInfo(self, card: Card, version: Any = None) -> Memory:  # noqa: N802
        if version and not self.knows_version_2:
            raise NVMLError("Function Not Found")
        return Memory(card.total_mib * MIB, card.free_mib * MIB, card.reserved_mib * MIB if version else 0)
