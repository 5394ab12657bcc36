"""A call's events as log lines: what an operator wants to find afterwards, and nothing that anybody said."""

import logging

from agent.call.events import CallBegan, CallEnded, CallEvent, EngineFailed, EngineLate, EngineReloaded, PublicPayload
from agent.call.stream import EventStream

logger = logging.getLogger("callbox.call")


class CallLog:
    """Logs one call."""

    def __init__(self, events: EventStream) -> None:
        events.subscribe_public("log", self._handle)

    async def _handle(self, event: CallEvent[PublicPayload]) -> None:
        match event.payload:
            case CallBegan():
                logger.info("call %s began", event.call_id)
            case CallEnded(reason):
                logger.info("call %s ended after %.0f s: %s", event.call_id, event.at_s, reason.value)
            case EngineFailed(stage, error):
                logger.warning("call %s: the %s engine failed: %s", event.call_id, stage, error)
            case EngineLate(stage):
                logger.warning("call %s: the %s engine answered too late", event.call_id, stage)
            case EngineReloaded(stage):
                logger.info("call %s: the %s engine works again", event.call_id, stage)
