"""What a machine needs for a profile."""

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Least hardware for the default number of calls."""

    memory_bytes: int
    """RAM of all processes together."""
    cores: int


_NEEDS = {
    # measured: see README, Profiles
    "demo": Needs(memory_bytes=2 * GIB, cores=2),
    # reckoned: weights of 1.5 GB in int8, caches, and the processes around them
    "cpu": Needs(memory_bytes=4 * GIB, cores=4),
    # reckoned: two processes with torch (3 GB each), weights on their way to the GPU, and the processes around them
    "gpu": Needs(memory_bytes=12 * GIB, cores=4),
}


def needs_of(profile: str) -> Needs:
    """Of a profile of one's own: what the demo needs."""
    return _NEEDS.get(profile, _NEEDS["demo"])


DOWNLOAD_BYTES = {
    "whisper-base.en": 0.15e9,
    "llama-3.2-1b-instruct": 3.8e9,  # 2.5 GB arrive, and 1.3 GB are made of them
    "whisper-large-v3-turbo": 1.6e9,
    "llama-3.1-8b-instruct": 16.1e9,
    "llama-3.1-8b-instruct-fp8": 9.1e9,
    "piper-lessac-medium": 0.063e9,
}
"""About what a model takes on the disk, before its first download has pinned the bytes. By its name in the manifest."""
