"""A real process for the supervisor's tests, told on the command line when to be ready and how to end.

Run as `python child.py FOLDER NAME [OPTIONS]`. It appends its pid (and its grandchild's) to FOLDER/NAME.pids, writes
which children it found ready into FOLDER/NAME.saw, and its pid into FOLDER/NAME.ready when it is ready. FOLDER/NAME.seen says
that the supervisor's probe has seen that.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("--status", type=int, help="end with this status, once seen ready, instead of staying")
    parser.add_argument("--never-ready", action="store_true")
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--grandchild", action="store_true", help="start a process that leads a session of its own")
    options = parser.parse_args()
    folder: Path = options.folder
    seen = folder / f"{options.name}.seen"
    seen.unlink(missing_ok=True)

    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pids = [os.getpid()]
    if options.grandchild:
        pids.append(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    (folder / f"{options.name}.saw").write_text(" ".join(sorted(path.stem for path in folder.glob("*.ready"))))
    with (folder / f"{options.name}.pids").open("a") as file:
        print(*pids, file=file)
    print(f"{options.name} speaks", flush=True)
    if not options.never_ready:
        (folder / f"{options.name}.ready").write_text(str(os.getpid()))
        while options.status is not None and not seen.exists():
            time.sleep(0.02)
    if options.status is not None:
        sys.exit(options.status)
    time.sleep(600)


if __name__ == "__main__":
    main()
