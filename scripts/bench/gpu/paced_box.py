"""A whole box with the paced language model: `python -m scripts.bench.gpu.paced_box run`, like `python -m agent run`."""

import os

from agent.operate.offline import force_offline

force_offline(os.environ)

import asyncio  # noqa: E402 - libraries read the environment when they are imported
import logging  # noqa: E402
import sys  # noqa: E402
from dataclasses import replace  # noqa: E402

from agent.operate.supervisor.callbox import announcement, prepare  # noqa: E402
from agent.operate.supervisor.console import StatusBoard  # noqa: E402
from agent.operate.supervisor.supervisor import Supervisor  # noqa: E402
from agent.operate.worker import Worker  # noqa: E402
from agent.settings import load_keys, load_settings  # noqa: E402
from serving.registry import ENGINES, Entry  # noqa: E402

ENGINE = "paced-vllm"
PROFILE = "demo"
ENGINES["llm"][ENGINE] = Entry("scripts.bench.gpu.paced_llm", "PacedVllm", "PacedOptions")


def main() -> None:
    """Run the worker, or the whole box with this worker."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    if sys.argv[1:2] == ["worker"]:
        asyncio.run(Worker(load_settings(PROFILE), load_keys()).run())
        return
    settings, board = load_settings(PROFILE), StatusBoard(("livekit", "worker", "web"))
    specs = tuple(
        replace(spec, command=(sys.executable, "-m", "scripts.bench.gpu.paced_box", "worker"))
        if spec.name == "worker"
        else spec
        for spec in prepare(settings, board)
    )
    raise SystemExit(asyncio.run(Supervisor(specs, board, announcement=announcement(settings)).run()))


if __name__ == "__main__":
    main()
