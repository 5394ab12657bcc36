"""Whether a call reached its goal, by the clinic's records.

A goal is `{appointments: [{name: anna smith, doctor: chen}], said: [parking]}`: under the name of a list in the clinic's
snapshot, records that must have been added or changed during the call; under `said`, regular expressions that the agent's words
must match.
"""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from scripts.caller.errors import CallerError

OPS = "http://127.0.0.1:8081"
"""The worker's loopback endpoint for operators."""
Snapshot = Mapping[str, Any]


def unmet(goal: Mapping[str, Any], before: Snapshot, after: Snapshot, agent_said: str) -> list[str]:
    """What is missing to the goal, in words; empty if it is reached."""
    missing = []
    for pattern in _as_list(goal.get("said", [])):
        if not re.search(str(pattern), agent_said, re.IGNORECASE):
            missing.append(f"the agent never said {pattern!r}")
    for what, wanted in goal.items():
        if what == "said":
            continue
        known, new = _as_list(before.get(what, [])), list(_as_list(after.get(what, [])))
        for record in known:
            if record in new:
                new.remove(record)
        for record in _as_list(wanted):
            match = next((r for r in new if _agrees(record, r)), None)
            if match is None:
                missing.append(f"no new {what} entry with {', '.join(f'{k}: {v}' for k, v in record.items())}")
            else:
                new.remove(match)
    return missing


async def fetch_snapshot(ops: str = OPS) -> dict[str, Any]:
    """The clinic's current records. Raises CallerError if nothing answers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
            http.get(f"{ops}/clinic") as r,
        ):
            r.raise_for_status()
            snapshot: dict[str, Any] = await r.json()
            return snapshot
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CallerError(
            f"the worker's records at {ops}/clinic cannot be read ({error}): start it with 'make run'"
        ) from error


def _agrees(wanted: Mapping[str, Any], record: Any) -> bool:
    """Whether every wanted field has its value, in any case; extra fields do not matter."""
    return isinstance(record, Mapping) and all(
        str(record.get(key, "")).strip().casefold() == str(value).strip().casefold() for key, value in wanted.items()
    )


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def needs_snapshot(goal: Mapping[str, Any]) -> bool:
    """Whether the goal depends on the clinic's records."""
    return any(what != "said" for what in goal)
