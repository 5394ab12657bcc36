"""A worker whose calls follow a plan: `python -m scripts.bench.heard.worker FOLDER`.

The product's own worker with the demo profile, except that in room R its replies and their cuts come from FOLDER/R.plan.json.
What it remembers goes to FOLDER/R.json and R.npz (ledger.py).
"""

import os

from agent.operate.offline import force_offline
from agent.operate.supervisor.orphans import end_with_spawner

force_offline(os.environ)
end_with_spawner(__name__)

import asyncio  # noqa: E402 - libraries read the environment when they are imported
import copy  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import sys  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import cast  # noqa: E402

from livekit.agents import JobContext, llm  # noqa: E402
from livekit.agents.voice import SpeechHandle  # noqa: E402

from agent.adapters.heard_output import HeardOutput  # noqa: E402
from agent.call.call import Call  # noqa: E402
from agent.call.resources import CallResources  # noqa: E402
from agent.operate.worker import Worker  # noqa: E402
from agent.settings import load_keys, load_settings  # noqa: E402
from scripts.bench.heard.cuts import Cut, Kind, Plan  # noqa: E402
from scripts.bench.heard.ledger import CUE_TOPIC, Entry, write  # noqa: E402
from scripts.bench.heard.planned_llm import PlannedLlm  # noqa: E402
from scripts.bench.heard.tape import Tape  # noqa: E402
from serving.engine import LlmEngine  # noqa: E402

GAP_S = 0.8
"""Pause between replies: longer than any jitter buffer."""
MAX_REPLY_S = 30.0


class PlannedCall(Call):
    """Gives the planned replies, cuts them, then hangs up."""

    def __init__(self, job: JobContext, resources: CallResources) -> None:
        self._llm = PlannedLlm(resources.host.engines.llm)
        host = copy.copy(resources.host)
        host.engines = replace(host.engines, llm=cast("LlmEngine", self._llm))
        super().__init__(job, replace(resources, host=host))

    async def run(self) -> None:
        script = asyncio.create_task(self._follow_plan())
        try:
            await super().run()
        finally:
            script.cancel()
            await asyncio.gather(script, return_exceptions=True)

    async def _follow_plan(self) -> None:
        folder, session = Path(sys.argv[1]), self._session.livekit
        plan = Plan.model_validate_json((folder / f"{self._job.room.name}.plan.json").read_text())
        while not isinstance(session.output.audio, HeardOutput):  # noqa: ASYNC110 - the product has no event for it
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        while self._events.state.agent_is_speaking:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        session.output.audio = tape = Tape(session.output.audio)
        entries = [entry for cut in plan.cuts for entry in await self._cut(cut, tape)]
        write(folder, self._job.room.name, entries)
        self._job.delete_room()

    async def _cut(self, cut: Cut, tape: Tape) -> list[Entry]:
        before, speech = len(tape.replies), self._say(cut)
        while len(tape.replies) == before or not tape.replies[before].started_at:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if cut.kind is Kind.CALLER:
            await self._job.room.local_participant.send_text(json.dumps({"after_s": cut.after_s}), topic=CUE_TOPIC)
        else:
            await self._interrupt(cut, speech, tape)
        await asyncio.wait_for(speech.wait_for_playout(), MAX_REPLY_S)
        replies = tape.replies[before:] if cut.then else tape.replies[before : before + 1]
        if cut.kind is Kind.CALLER:
            await self._quiet()
        self._llm.forget()
        await asyncio.sleep(GAP_S)
        texts = [*remembered(speech), *("" for _ in replies)]
        return [Entry(cut, reply, text) for reply, text in zip(replies, texts, strict=False)]

    def _say(self, cut: Cut) -> SpeechHandle:
        session = self._session.livekit
        if not cut.then:
            return session.say(cut.text)
        self._llm.plan(cut.text, cut.then)
        return session.generate_reply(user_input="a refill please")

    async def _interrupt(self, cut: Cut, speech: SpeechHandle, tape: Tape) -> None:
        if cut.pause_s:
            await _played(cut.pause_at_s, speech)
            tape.pause()
            await asyncio.sleep(cut.pause_s)
            tape.resume()
        await _played(cut.after_s - cut.pause_at_s, speech)
        if not speech.done():
            self._session.livekit.interrupt()

    async def _quiet(self) -> None:
        """Wait until the answer to the caller's words has been said or cut."""
        session = self._session.livekit
        for _ in range(100):
            await asyncio.sleep(0.1)
            if session.agent_state == "speaking":
                session.interrupt()
                break
        while session.agent_state in ("thinking", "speaking") or session.user_state == "speaking":  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _played(seconds: float, speech: SpeechHandle) -> None:
    await asyncio.wait([asyncio.ensure_future(speech.wait_for_playout())], timeout=seconds)


def remembered(speech: SpeechHandle) -> list[str]:
    """The messages of a reply in the chat history."""
    messages = [item for item in speech.chat_items if isinstance(item, llm.ChatMessage)]
    return [message.text_content or "" for message in messages if message.role == "assistant"]


def main() -> None:
    """Take calls until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    asyncio.run(Worker(load_settings("demo"), load_keys(), call_class=PlannedCall).run())


if __name__ == "__main__":
    main()
