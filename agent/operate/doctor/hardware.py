"""Whether the CPU and the memory are enough for the profile."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.operate.doctor.installation import Installation, Running
from agent.operate.doctor.report import Row, Subject, format_size

CPU = Subject("cpu", "CPU")
MEMORY = Subject("memory", "memory")
CPU_INFO = Path("/proc/cpuinfo")
CGROUP = Path("/sys/fs/cgroup")
GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Hardware for a profile's default number of calls."""

    memory_bytes: int
    """RAM of all processes together."""
    cores: int


NEEDS = {
    # measured
    "demo": Needs(memory_bytes=2 * GIB, cores=2),
    # estimated: 1.5 GB of int8 weights, caches, and the other processes
    "cpu": Needs(memory_bytes=4 * GIB, cores=4),
    # estimated: two processes with torch (3 GB each), weights on their way to the GPU, and the other processes
    "gpu": Needs(memory_bytes=12 * GIB, cores=4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuFacts:
    """What this process can compute on."""

    model: str
    cores: int
    """Available to this process; a container's limit counts."""
    flags: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFacts:
    """In bytes."""

    total_bytes: int
    """Of the machine, or the container's limit if that is lower."""
    available_bytes: int
    """Free without swapping."""
    limited: bool = False
    """A container's limit applies."""


def check_cpu(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge_cpu(find_cpu(), min_cores=needs_of(installation.profile).cores)


def check_memory(installation: Installation) -> Iterator[Row]:
    """One row."""
    needed_bytes = needs_of(installation.profile).memory_bytes
    yield judge_memory(find_memory(), needed_bytes=needed_bytes, running=installation.running)


def needs_of(profile: str) -> Needs:
    """What a profile needs; a profile of the site's own counts as demo."""
    return NEEDS.get(profile, NEEDS["demo"])


def find_cpu(info: Path = CPU_INFO, cgroup: Path = CGROUP) -> CpuFacts:
    """The CPU as the kernel describes it. Raises OSError."""
    lines = [line.partition(":") for line in info.read_text(encoding="utf-8", errors="replace").splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in reversed(lines)}
    cores = len(os.sched_getaffinity(0))
    limits = _numbers(cgroup / "cpu.max")
    if limits:  # a container's share, which may be less than a core
        cores = min(cores, max(1, math.floor(limits[0] / limits[1])))
    return CpuFacts(
        model=fields.get("model name", "unknown"), cores=cores, flags=frozenset(fields.get("flags", "").split())
    )


def find_memory(cgroup: Path = CGROUP) -> MemoryFacts:
    """Of the machine or of the container, whichever has less."""
    machine = psutil.virtual_memory()
    limits = _numbers(cgroup / "memory.max")
    if not limits or limits[0] >= machine.total:
        return MemoryFacts(total_bytes=machine.total, available_bytes=machine.available)
    left = max(0, limits[0] - sum(_numbers(cgroup / "memory.current")))
    return MemoryFacts(total_bytes=limits[0], available_bytes=min(left, machine.available), limited=True)


def judge_cpu(facts: CpuFacts, *, min_cores: int) -> Row:
    """CTranslate2 and ONNX Runtime need AVX2 to be fast."""
    vectors = " ".join(flag for flag in ("avx2", "avx512f", "avx512_vnni") if flag in facts.flags) or "no AVX2"
    found = f"{facts.cores} cores, {vectors} ({facts.model})"
    if "avx2" not in facts.flags:
        return CPU.warning(
            f"{found}: without AVX2, recognition and speech are several times slower",
            fix="Use a CPU with AVX2 (Intel since 2013, AMD since 2015), or pass the host's CPU through to the VM.",
        )
    if facts.cores < min_cores:
        return CPU.warning(
            f"{found}; the profile is meant for {min_cores}: replies will be late when several people call",
            fix=f"Provide {min_cores} cores, or set capacity: {{max_calls: 1}} in configs/site.yaml.",
        )
    return CPU.ok(found)


def judge_memory(facts: MemoryFacts, *, needed_bytes: int, running: Running | None) -> Row:
    """The total must be enough; what is free now must be too, unless Callbox itself is using the rest."""
    of_container = " (the container's limit)" if facts.limited else ""
    found = f"{format_size(facts.total_bytes)}{of_container}, {format_size(facts.available_bytes)} free"
    needs = f"the profile needs about {format_size(needed_bytes)}"
    if facts.total_bytes < needed_bytes * 0.95:  # the kernel keeps some of 2 GiB
        more = "Raise the container's limit" if facts.limited else "Add memory"
        return MEMORY.failed(f"{found}; {needs}", fix=f"{more}, or use a smaller profile (`make run PROFILE=demo`).")
    if running is None and facts.available_bytes < needed_bytes:
        return MEMORY.warning(f"{found}; {needs}", fix="Stop what uses it: `ps aux --sort=-rss | head` lists it.")
    return MEMORY.ok(f"{found}; {needs}")


def _numbers(path: Path) -> list[int]:
    """The numbers in a cgroup's file; none without a cgroup, or where the limit is the word max."""
    try:
        return [int(word) for word in path.read_text().split()]
    except (OSError, ValueError):
        return []
