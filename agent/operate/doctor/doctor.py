"""`python -m agent doctor` itself."""

import os
import sys

from rich.console import Console

from agent.operate.doctor.console import reading_models, show
from agent.operate.doctor.examination import examine


def run_doctor(*, profile: str = "", address: str = "", as_json: bool = False) -> int:
    """Examine this machine and print what was found; the exit status is 0 if nothing failed, else 1.

    `profile` and `address` are those that `run_callbox` would be given. With `as_json` standard output gets one JSON object (agent.operate.doctor.report.Report), and nothing else.
    """
    if address:
        os.environ["CALLBOX_ADDRESS"] = address
    with reading_models(Console(stderr=True)) as on_model:
        report = examine(profile, on_model=on_model)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        show(report, Console(highlight=False))
    return 0 if report.healthy else 1
