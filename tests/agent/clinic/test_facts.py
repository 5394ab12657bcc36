"""configs/clinic.yaml."""

from pathlib import Path

import pytest
import yaml

from agent.clinic.facts import ClinicFacts, load_facts
from agent.errors import ConfigError
from agent.settings import ROOT

pytestmark = pytest.mark.unit

SHIPPED = ROOT / "configs" / "clinic.yaml"


def changed(tmp_path: Path, **changes: object) -> Path:
    """The shipped file with some keys replaced."""
    path = tmp_path / "clinic.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(SHIPPED.read_text()) | changes))
    return path


def test_the_shipped_file_is_read(facts: ClinicFacts) -> None:
    assert facts.name == "Riverside Clinic"
    assert [doctor.name for doctor in facts.doctors] == ["Patel", "Chen", "Garcia"]
    assert facts.hours.sunday is None


@pytest.mark.parametrize("weekday", range(7))
def test_hours_are_those_of_the_weekday(facts: ClinicFacts, weekday: int) -> None:
    expected = [facts.hours.weekdays] * 5 + [facts.hours.saturday, facts.hours.sunday]
    assert facts.hours.on(weekday) == expected[weekday]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"parkng": "none"}, "parkng"),
        ({"hours": {"weekdays": "08:30"}}, "hours.weekdays"),
        ({"hours": {"weekdays": "18:00-08:30"}}, "hours.weekdays"),
        ({"slot_minutes": 20}, "slot_minutes"),
        ({"doctors": []}, "doctors"),
        ({"doctors": [{"name": "Chen"}, {"name": "chen"}]}, "same name"),
        ({"transfer": "later"}, "transfer"),
        ({"demo": {"appointments": [{"name": "A", "doctor": "Who", "day": "today", "time": "ten"}]}}, "Who"),
        ({"demo": {"appointments": [{"name": "A", "doctor": "Chen", "day": "blue", "time": "ten"}]}}, "blue"),
        ({"demo": {"busy_share": 2}}, "demo.busy_share"),
    ],
)
def test_a_wrong_value_is_rejected_naming_file_and_key(tmp_path: Path, changes: dict[str, object], named: str) -> None:
    path = changed(tmp_path, **changes)
    with pytest.raises(ConfigError) as error:
        load_facts(path)
    assert str(path) in str(error.value)
    assert named in str(error.value)


def test_a_missing_or_broken_file_is_rejected_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml"):
        load_facts(tmp_path / "nothing.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml is not valid YAML"):
        load_facts(broken)
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    with pytest.raises(ConfigError, match=r"empty\.yaml"):
        load_facts(empty)
