"""Dockerfile.cuda as a list of stages, and what .dockerignore leaves of the context: enough for this file, and strict."""

import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next."""

    base: str
    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """The arguments of each such instruction, in their order."""
        return [argument for word, argument in self.instructions if word == instruction]

    def environment(self) -> dict[str, str]:
        """What ENV sets here."""
        words = (word for argument in self.all("ENV") for word in shlex.split(argument))
        return dict(word.split("=", 1) for word in words)


@dataclass(frozen=True, slots=True)
class Copy:
    """One COPY."""

    sources: tuple[str, ...]
    target: str
    from_stage: str | None


@dataclass(slots=True)
class Dockerfile:
    """All stages, and the build arguments before the first."""

    arguments: dict[str, str] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)

    @property
    def image(self) -> Stage:
        """The last stage: what is run."""
        return self.stages[-1]


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and argument, continuation lines joined. An unreadable line is a ValueError."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = []
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        if not line.strip():
            continue
        match = INSTRUCTION.match(line)
        if match is None:
            raise ValueError(f"not an instruction: {line}")
        found.append((match[1], re.sub(r"\s+", " ", match[2]).strip()))
    return found


def parse(text: str) -> Dockerfile:
    """The stages of a Dockerfile."""
    dockerfile = Dockerfile()
    for word, argument in instructions(text):
        if word == "FROM":
            base, *alias = re.split(r" AS ", argument)
            dockerfile.stages.append(Stage(base, alias[0] if alias else "", ()))
        elif dockerfile.stages:
            last = dockerfile.stages[-1]
            dockerfile.stages[-1] = Stage(last.base, last.name, (*last.instructions, (word, argument)))
        else:
            name, _, value = argument.partition("=")
            dockerfile.arguments[name] = value
    return dockerfile


def copies(stage: Stage) -> list[Copy]:
    """Each COPY of a stage."""
    found = []
    for argument in stage.all("COPY"):
        words = argument.split()
        options = [word for word in words if word.startswith("--")]
        from_stage = next((word.removeprefix("--from=") for word in options if word.startswith("--from=")), None)
        *sources, target = [word for word in words if word not in options]
        found.append(Copy(tuple(sources), target, from_stage))
    return found


def is_in_context(path: str, ignore_file: str) -> bool:
    """Whether .dockerignore lets the file `path` through: the last pattern that names it or a folder above it decides."""
    kept = True
    parents = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
    for line in ignore_file.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        keeps = pattern.startswith("!")
        pattern = pattern.removeprefix("!")
        if any(_matches(candidate, pattern) for candidate in parents):
            kept = keeps
    return kept


def _matches(path: str, pattern: str) -> bool:
    """As Docker does: `*` stays within a folder, `**/` stands for any number of them."""
    if pattern.startswith("**/"):
        rest = pattern.removeprefix("**/")
        parts = path.split("/")
        return any(_matches("/".join(parts[index:]), rest) for index in range(len(parts)))
    names, wanted = path.split("/"), pattern.split("/")
    return len(names) == len(wanted) and all(map(fnmatch, names, wanted))
