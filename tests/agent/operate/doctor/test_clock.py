import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from agent.operate.doctor.clock import ClockFacts, find_newest, find_synchronised, judge
from agent.operate.doctor.report import Outcome
from agent.settings import PROFILES

pytestmark = pytest.mark.unit

NEWEST_S = 1_795_000_000.0
FACTS = ClockFacts(now_s=NEWEST_S + 86_400, newest_s=NEWEST_S, newest="the last commit", synchronised=True)


def test_a_clock_after_everything_that_was_made() -> None:
    assert judge(FACTS).outcome is Outcome.OK


def test_a_clock_in_1970() -> None:
    row = judge(replace(FACTS, now_s=120.0))
    assert row.outcome is Outcome.FAILED
    assert "1970-01-01 00:02 UTC, which is before the last commit was made (2026-11-18" in row.found
    assert "date -u -s" in row.fix


def test_a_minute_behind_another_machine_does_not_matter() -> None:
    assert judge(replace(FACTS, now_s=NEWEST_S - 60)).outcome is Outcome.OK


def test_a_clock_that_nobody_sets() -> None:
    assert judge(replace(FACTS, synchronised=False)).outcome is Outcome.WARNING
    assert judge(replace(FACTS, synchronised=None)).outcome is Outcome.OK


def test_this_machine_gives_an_answer() -> None:
    assert find_synchronised() in (True, False, None)


def test_the_newest_file(tmp_path: Path) -> None:
    folder = tmp_path / "agent" / "deep"
    folder.mkdir(parents=True)
    for name, seconds in (("old.py", 1000), ("new.py", 2000), ("data.yaml", 3000)):
        (folder / name).touch()
        os.utime(folder / name, (seconds, seconds))
    assert find_newest(tmp_path) == (2000.0, "agent/deep/new.py")
    assert find_newest(tmp_path / "none") == (0.0, "nothing")


def test_the_last_commit_counts(tmp_path: Path) -> None:
    environment = {"GIT_COMMITTER_DATE": "@5000 +0000", "GIT_AUTHOR_DATE": "@1 +0000", "PATH": os.environ["PATH"]}
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, env=environment)
    assert find_newest(tmp_path) == (5000.0, "the last commit")


def test_this_checkout_was_made_before_now() -> None:
    seconds, newest = find_newest(PROFILES.parent.parent)
    assert seconds > 1_700_000_000
    assert newest
