"""One call: brings a dialogue into its room, and ends with it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from livekit.agents import JobContext

from agent.adapters.captions import Captions
from agent.adapters.echo import cancel_echo
from agent.call.dialogue import Dialogue, Surroundings
from agent.call.resources import Box
from agent.call.session import room_options
from serving import metrics


class Call:
    """One caller on the line. Lives on the event loop of its job."""

    def __init__(self, ctx: JobContext, box: Box, on_engine_failure: Callable[[], None]) -> None:
        self._ctx = ctx
        self._box = box
        self._captions = Captions(ctx.room)
        surroundings = Surroundings(
            caller=self._caller, on_engine_failure=on_engine_failure, hang_up=lambda: self._hang_up()
        )
        self._dialogue = Dialogue(box, self._captions, surroundings)

    async def run(self) -> None:
        """The whole call, until one side has left."""
        metrics.ACTIVE_CALLS.inc()
        dialogue, options = self._dialogue, room_options(self._box.settings)
        try:
            await self._ctx.connect()
            with self._overlaps_judged():
                await dialogue.session.start(
                    dialogue.front_desk(),
                    room=self._ctx.room,
                    record=False,
                    room_options=options,
                    session_host=False,  # it would show every caller the prompt, and let them run tools
                )
                if self._box.settings.turns.cancel_echo:
                    cancel_echo(dialogue.session)
                dialogue.greet()
                await dialogue.ended.wait()
        finally:
            metrics.ACTIVE_CALLS.dec()
            metrics.CALLS.labels(dialogue.outcome).inc()
            dialogue.close()
            await self._captions.aclose()

    def _overlaps_judged(self) -> AbstractContextManager[None]:
        server, overlaps = self._box.interruptions, self._dialogue.overlaps
        if server is None or overlaps is None:
            return nullcontext()
        return server.judging(self._ctx.job.id, overlaps.judge)

    def _caller(self) -> str | None:
        participant = self._dialogue.session.room_io.linked_participant
        return None if participant is None else participant.identity

    def _hang_up(self) -> None:
        self._ctx.delete_room()
