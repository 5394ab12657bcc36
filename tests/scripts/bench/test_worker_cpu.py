"""Which process answers at an address, and how much processor time it has used."""

import os
import socket
import time

import psutil
import pytest

from scripts.bench.worker_cpu import cpu_s, find_worker

pytestmark = pytest.mark.unit


def test_the_process_that_listens_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        worker = find_worker(f"http://127.0.0.1:{port}")
        assert worker is not None
        assert worker.pid == os.getpid()
    assert find_worker(f"http://127.0.0.1:{port}") is None


def test_processor_time_grows_with_work() -> None:
    process = psutil.Process()
    before_s, began = cpu_s(process), time.process_time()
    while time.process_time() - began < 0.2:
        pass
    assert cpu_s(process) - before_s == pytest.approx(0.2, abs=0.1)
