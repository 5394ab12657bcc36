"""Makes processes end with the one that started them, however that one ends."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def end_with(parent: int) -> None:
    """Have the kernel kill this process when the thread of `parent` that forked it ends. Does nothing outside Linux."""
    if not sys.platform.startswith("linux"):
        return
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died in the meantime
        os._exit(1)


def end_with_spawner(module: str) -> None:
    """`end_with` the parent if multiprocessing spawned this process, where the main module's `__name__` is `__mp_main__`.

    vLLM's engine core is such a process. Left behind by a killed worker, it would hold the GPU's memory.
    """
    if module == "__mp_main__":
        end_with(os.getppid())
