"""YAML files that people write: read, laid over one another, and wrong keys traced to their file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from agent.errors import ConfigError

Layers = Mapping[Path, Mapping[str, Any]]
"""What each file says; later files overrule earlier ones."""


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; None if it is empty. Raises ConfigError naming the file."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(f"Cannot read {path}. Restore it from the repository or write a new one.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}. Fix it there.") from None


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys of a YAML file; none if it is empty. Raises ConfigError naming the file."""
    content = read_yaml(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: must be a mapping of settings.")
    return content


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, section by section."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def explain(issue: Any, layers: Layers) -> str:
    """One error of a pydantic ValidationError as a sentence that names the file and the key."""
    key = ".".join(str(part) for part in issue["loc"])
    files = [str(path) for path, layer in layers.items() if _has(layer, issue["loc"])] or [str(next(iter(layers)))]
    reason = "unknown key" if issue["type"] in ("extra_forbidden", "unexpected_keyword_argument") else issue["msg"]
    return f"{files[-1]}: {key}: {reason}"


def _has(layer: Any, location: tuple[Any, ...]) -> bool:
    for part in location:
        if not isinstance(layer, dict) or part not in layer:
            return False
        layer = layer[part]
    return True
