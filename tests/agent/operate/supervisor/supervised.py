"""A supervisor in a process of its own, so that it can be killed: `python -m tests.agent.operate.supervisor.supervised FOLDER`."""

import asyncio
import sys
from pathlib import Path

from tests.agent.operate.supervisor.conftest import Nursery


def main() -> int:
    nursery = Nursery(Path(sys.argv[1]))
    specs = [nursery.spec("server", "--ignore-term"), nursery.spec("worker", needs=("server",))]
    return asyncio.run(nursery.supervisor(specs, stop_grace_s=0.5).run())


if __name__ == "__main__":
    sys.exit(main())
