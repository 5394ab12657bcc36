"""Processes that end with the one that started them, however that one ends."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def end_with(parent: int) -> None:
    """Have the kernel kill this process when the thread of `parent` that forked it ends. Linux; elsewhere nothing."""
    if not sys.platform.startswith("linux"):
        return
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died in between
        os._exit(1)


def end_with_spawner(module: str) -> None:
    """The same for a process that multiprocessing has spawned, told by the `__name__` that its parent's main module has in
    it; in any other process nothing.

    vLLM's core is one. Left behind by a worker that was killed, it would keep the GPU's memory from the next one.
    """
    if module == "__mp_main__":
        end_with(os.getppid())
