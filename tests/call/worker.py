"""A worker for call tests: the product's own, but every message that enters a history is also written to a file.

    python -m tests.call.worker HISTORY_FILE [ENGINE_MODULE]

With ENGINE_MODULE, that module's ENGINES are added to the registry first.
"""

import os

from agent.operate.offline import force_offline
from agent.operate.supervisor.orphans import end_with_spawner

force_offline(os.environ)
end_with_spawner(__name__)

import asyncio  # noqa: E402 - libraries read the environment when they are imported
import json  # noqa: E402
import logging  # noqa: E402
import sys  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

from livekit.agents import JobContext  # noqa: E402

from agent.call.call import Call  # noqa: E402
from agent.call.events import AgentMessage, CallerMessage, CallEvent, Payload  # noqa: E402
from agent.call.resources import CallResources  # noqa: E402
from agent.operate.worker import Worker  # noqa: E402
from agent.settings import load_keys, load_settings  # noqa: E402
from serving.registry import ENGINES  # noqa: E402


class RecordedCall(Call):
    """Writes each message of its history as a line of JSON: room, role, text, interrupted."""

    def __init__(self, job: JobContext, resources: CallResources) -> None:
        super().__init__(job, resources)
        self._events.subscribe("history", self._write)

    async def _write(self, event: CallEvent[Payload]) -> None:
        match event.payload:
            case CallerMessage(said):
                self._append("user", said.text, is_interrupted=False)
            case AgentMessage(said, is_interrupted):
                self._append("assistant", said.text, is_interrupted=is_interrupted)

    def _append(self, role: str, text: str, *, is_interrupted: bool) -> None:
        entry = {"room": self._job.room.name, "role": role, "text": text, "interrupted": is_interrupted}
        with Path(sys.argv[1]).open("a") as file:
            file.write(json.dumps(entry) + "\n")


def main() -> None:
    """Take calls until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for module in sys.argv[2:]:
        for stage, entries in import_module(module).ENGINES.items():
            ENGINES[stage].update(entries)
    asyncio.run(Worker(load_settings("demo"), load_keys(), call_class=RecordedCall).run())


if __name__ == "__main__":
    main()
