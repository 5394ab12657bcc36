"""A program that spawns a child through multiprocessing, which says its pid: python -m tests.agent.operate.supervisor.spawner"""

from agent.operate.supervisor.orphans import end_with_spawner

end_with_spawner(__name__)

import multiprocessing  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402


def child() -> None:
    """By now it has run its parent's main module."""
    print(os.getpid(), flush=True)
    time.sleep(300)


def main() -> None:
    """Until it is killed."""
    multiprocessing.get_context("spawn").Process(target=child).start()
    time.sleep(300)


if __name__ == "__main__":
    main()
