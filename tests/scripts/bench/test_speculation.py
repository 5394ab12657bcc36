"""The parts of the speculation bench that need no box."""

import os
from pathlib import Path

import pytest
import yaml

from agent.settings import SITE_VARIABLE, load_settings
from scripts.bench.speculation import VARIANTS, share, site_with

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_variant_is_a_setting_on_top_of_the_operators(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "site.yaml"
    own.write_text(yaml.safe_dump({"turns": {"preemptive_max_speech_s": 9.0, "speculation": {"max_wait_s": 0.7}}}))
    monkeypatch.setenv(SITE_VARIABLE, str(own))
    with site_with(VARIANTS[variant]):
        turns = load_settings("demo").turns
        assert turns.preemptive_max_speech_s == 9.0
        assert turns.speculation.max_wait_s == 0.7
        assert all(getattr(turns.speculation, key) == value for key, value in VARIANTS[variant].items())
    assert os.environ[SITE_VARIABLE] == str(own)


def test_the_share_is_of_all_that_was_done() -> None:
    work = {"tokens, useful": 30.0, "tokens, wasted": 10.0, "speech s, useful": 0.0, "speech s, wasted": 0.0}
    assert share(work, "tokens") == "25 %"
    assert share(work, "speech s") == "–"
