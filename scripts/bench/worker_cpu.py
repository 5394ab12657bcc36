"""Processor time of the worker of a running box."""

from urllib.parse import urlsplit

import psutil


def find_worker(ops: str) -> psutil.Process | None:
    """The process that listens at the worker's loopback endpoint; None if it is not on this machine."""
    port = urlsplit(ops).port
    for connection in psutil.net_connections("tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        if listens and connection.pid:
            return psutil.Process(connection.pid)
    return None


def cpu_s(process: psutil.Process) -> float:
    """User and system time so far, in seconds, of a process and all its descendants."""
    own = process.cpu_times()
    ended_children_s = own.children_user + own.children_system
    return own.user + own.system + ended_children_s + sum(cpu_s(child) for child in process.children())
