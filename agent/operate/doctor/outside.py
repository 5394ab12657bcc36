"""Whether anything would make Callbox, or its callers' browsers, reach outside the building."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil
import yaml

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.operate.offline import force_offline
from agent.operate.supervisor.livekit_server import server_config

OFFLINE = Subject("offline", "no outside access")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineFacts:
    """Names only: a proxy's address may hold a password."""

    proxies: tuple[str, ...] = ()
    """Environment variables that name a proxy."""
    overruled: tuple[str, ...] = ()
    """Other environment variables that Callbox unsets or changes (agent/operate/offline.py)."""
    asks_outside_address: bool = False
    """livekit-server would ask a public server for its own address."""
    names_public_stun: bool = False
    """livekit-server would send its clients to public STUN servers."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    proxies, overruled = find_variables(psutil.Process().environ())
    rtc = yaml.safe_load(server_config(installation.network))["rtc"]
    yield judge(
        OfflineFacts(
            proxies=proxies,
            overruled=overruled,
            asks_outside_address=bool(rtc.get("use_external_ip")),
            names_public_stun=not rtc.get("stun_servers"),
        )
    )


def find_variables(environment: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The proxies, and the other variables that `force_offline` changes. `environment` is that of this process's start, as
    it has been changed since."""
    after = dict(environment)
    force_offline(after)
    changed = sorted(name for name, value in environment.items() if after.get(name) != value)
    proxies = tuple(name for name in changed if name.lower().endswith("_proxy"))
    return proxies, tuple(name for name in changed if name not in proxies)


def judge(facts: OfflineFacts) -> Row:
    """livekit-server's settings decide; Callbox overrules the variables, but other programs follow them."""
    if facts.asks_outside_address or facts.names_public_stun:
        wrong = "rtc.use_external_ip is true" if facts.asks_outside_address else "rtc.stun_servers is empty"
        return OFFLINE.failed(
            f"configs/livekit.yaml: {wrong}, so a public STUN server would be asked",
            fix='`git checkout -- configs/livekit.yaml`, or set use_external_ip: false, stun_servers: ["127.0.0.1:9"].',
        )
    if facts.proxies:
        names = ", ".join(facts.proxies)
        return OFFLINE.warning(
            f"{names} set: Callbox ignores it, but other programs started from the same shell use it",
            fix=f"`unset {' '.join(facts.proxies)}`, unless this machine may reach outside.",
        )
    note = f"; overruled: {', '.join(facts.overruled)}" if facts.overruled else ""
    return OFFLINE.ok(f"no proxy is set, and livekit-server uses no public server{note}")
