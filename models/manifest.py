"""What a model is: its stage, files, licence and source. models/manifest.yaml is the data, this file its schema."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from models.errors import ManifestInvalid, ModelError, ModelUnknown

Stage = Literal["vad", "stt", "turn", "llm", "tts", "interruption"]
Profile = Literal["demo", "cpu", "gpu"]


def _inside(path: str) -> str:
    """A path that stays below the folder it is relative to."""
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts or "\\" in path or str(parts) != path:
        raise ValueError("must be a plain relative path with forward slashes")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Part(BaseModel):
    """The base of all parts of the manifest and the lock: strict and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ModelFile(Part):
    """One file of a model, pinned."""

    path: RelativePath
    """Relative to the model's folder."""
    size: int = Field(gt=0)
    """Bytes."""
    sha256: Sha256


class Shipped(Part):
    """The files are in this repository."""

    kind: Literal["shipped"]
    folder: RelativePath
    """Relative to models/."""


class WheelMember(Part):
    """The file is a member of a public wheel, extracted into models/store/<name>/."""

    kind: Literal["wheel"]
    package: Text
    version: Text
    member: RelativePath
    """Path inside the wheel."""
    command: Text
    """The command that gets it."""


class InstalledPackage(Part):
    """The files come with an installed Python package and stay where they are."""

    kind: Literal["installed"]
    package: Text
    version: Text
    module: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
    folder: RelativePath
    """Relative to the module's folder."""


class Repository(Part):
    """The files are downloaded from a model repository into models/store/<name>/."""

    kind: Literal["repository"]
    repository: Text
    revision: Commit | None = None
    """None: not pinned here, and no files are listed; the first download pins both in models/lock.yaml."""
    folder: RelativePath | None = None
    """Relative to the repository's root; None: the root itself."""
    include: tuple[RelativePath, ...] = ("*",)
    """The files that an engine needs, relative to `folder`; `*` stands for any part of one name. All must exist."""
    extras: tuple[RelativePath, ...] = ()
    """Files to download if the repository has them: licences, settings that not every model has."""
    convert: str = ""
    """The command that makes the model's files from the downloaded ones: its arguments are their folder and the one to make.
    Empty: the downloaded files are used as they are."""
    gate: str = ""
    """What has to be accepted before the repository can be read; empty: it is public."""
    command: Text
    """The command that gets it."""


Source = Annotated[Shipped | WheelMember | InstalledPackage | Repository, Field(discriminator="kind")]


class Model(Part):
    """A model that an engine can load."""

    stage: Stage
    title: Text
    licence: Text
    profiles: tuple[Profile, ...]
    """Profiles that need it; empty: only tests need it."""
    instead_of: ModelName | None = None
    """The model that it can replace in the same profiles, which need one of the two."""
    source: Source
    files: tuple[ModelFile, ...] = ()

    @property
    def size(self) -> int:
        """Size of all files in bytes; 0 while the model is not pinned."""
        return sum(file.size for file in self.files)

    @property
    def pinned(self) -> bool:
        """Whether the model's exact bytes are known."""
        return bool(self.files)

    @model_validator(mode="after")
    def _consistent(self) -> "Model":
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("files: a path is listed twice")
        source = self.source
        if isinstance(source, Repository) and (source.revision is None) != (not self.files):
            raise ValueError("a repository has both a revision and files, or neither (not pinned yet)")
        if not isinstance(source, Repository) and not self.files:
            raise ValueError("files: at least one is needed")
        if isinstance(source, WheelMember) and paths != [PurePosixPath(source.member).name]:
            raise ValueError("files: must be exactly the wheel's member")
        return self


class Manifest(Part):
    """All models by name."""

    models: dict[ModelName, Model]

    def find(self, name: str) -> Model:
        """The model of that name. Raises ModelUnknown, naming those that exist."""
        model = self.models.get(name)
        if model is None:
            known = ", ".join(sorted(self.models))
            raise ModelUnknown(f"No model is called '{name}'. models/manifest.yaml has: {known}.")
        return model

    @model_validator(mode="after")
    def _alternatives_stand_in_for_something(self) -> "Manifest":
        for name, model in self.models.items():
            other = self.models.get(model.instead_of) if model.instead_of else None
            if model.instead_of and (other is None or other.stage != model.stage or other.instead_of):
                raise ValueError(
                    f"models.{name}.instead_of: must name a model of the same stage that is no alternative"
                )
        return self


def load_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises ManifestInvalid, naming the file and the key."""
    try:
        return Manifest.model_validate(read_yaml(path, ManifestInvalid))
    except ValidationError as error:
        raise ManifestInvalid("\n".join(explain(path, issue) for issue in error.errors())) from None


def read_yaml(path: Path, invalid: type[ModelError]) -> Any:
    """The content of a YAML file. Raises `invalid`, naming the file."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise invalid(f"{path}: cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise invalid(f"{path}: not valid YAML: {error}") from None


def explain(path: Path, issue: Any) -> str:
    """One of pydantic's errors as `file: key: reason`."""
    key = ".".join(str(part) for part in issue["loc"]) or "(the whole file)"
    reason = "unknown key" if issue["type"] == "extra_forbidden" else issue["msg"]
    return f"{path}: {key}: {reason}"
