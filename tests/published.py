"""A call's event stream without a call: keeps what was published, and lets the test set the state."""

import asyncio
from typing import TypeVar, cast

from agent.call.events import CallState, Payload
from agent.call.stream import EventStream

P = TypeVar("P")


class Published(EventStream):
    """Keeps every payload, in order. `state` may be assigned."""

    def __init__(self, state: CallState = CallState.LISTENING) -> None:
        super().__init__("call", cast(asyncio.AbstractEventLoop, None))  # needed only from other threads
        self.state = state
        self.payloads: list[Payload] = []

    def publish(self, payload: Payload) -> None:
        if self.state is not CallState.ENDED:
            self.payloads.append(payload)
        super().publish(payload)

    def of(self, kind: type[P]) -> list[P]:
        """The payloads of one kind, in order."""
        return [payload for payload in self.payloads if isinstance(payload, kind)]
