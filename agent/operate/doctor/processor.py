"""Whether the CPU has the instructions and the cores that the engines count on."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.needs import needs_of
from agent.operate.doctor.report import Row, Subject

CPU = Subject("cpu", "CPU")
CPU_INFO = Path("/proc/cpuinfo")
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuFacts:
    """What this process can compute on."""

    model: str
    cores: int
    """That this process may use, a container's limit included."""
    flags: frozenset[str]


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_cpu(), least_cores=needs_of(installation.profile).cores)


def find_cpu(info: Path = CPU_INFO, quota: Path = CPU_QUOTA) -> CpuFacts:
    """As the kernel describes it. Raises OSError."""
    lines = [line.partition(":") for line in info.read_text(encoding="utf-8", errors="replace").splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in reversed(lines)}
    return CpuFacts(
        model=fields.get("model name", "unknown"),
        cores=min(len(os.sched_getaffinity(0)), cores_allowed(quota)),
        flags=frozenset(fields.get("flags", "").split()),
    )


def cores_allowed(quota: Path) -> int:
    """By the container's limit, which may be part of a core: at least 1; a great many where there is none."""
    try:
        allowed, _, period = quota.read_text().partition(" ")
        return max(1, math.floor(int(allowed) / int(period)))
    except (OSError, ValueError):  # no cgroup, or its limit is the word max
        return 1_000_000


def judge(facts: CpuFacts, *, least_cores: int) -> Row:
    """AVX2 is what CTranslate2 and ONNX Runtime are quick with."""
    vectors = " ".join(flag for flag in ("avx2", "avx512f", "avx512_vnni") if flag in facts.flags) or "no AVX2"
    found = f"{facts.cores} cores, {vectors} ({facts.model})"
    if "avx2" not in facts.flags:
        return CPU.warning(
            f"{found}: without AVX2 recognition and speech are several times slower",
            fix="Take a CPU with AVX2 (Intel from 2013, AMD from 2015), or have the virtual machine pass the host's on.",
        )
    if facts.cores < least_cores:
        return CPU.warning(
            f"{found}; the profile is meant for {least_cores}: replies are late when several call",
            fix=f"Give it {least_cores} cores, or set capacity: {{max_calls: 1}} in configs/site.yaml.",
        )
    return CPU.ok(found)
