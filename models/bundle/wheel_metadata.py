"""A wheel's metadata: name, licence, licence texts, and size once installed."""

import zipfile
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from models.bundle.errors import BundleNotMade

NO_LICENCE = "not stated"
MAX_LICENCE_LINE = 200
"""The most characters of a licence's name: some packages put the whole text there."""
_TEXTS = ("licen", "copying", "notice", "copyright", "authors")


@dataclass(frozen=True, slots=True)
class WheelMetadata:
    """Metadata from the wheel's .dist-info."""

    name: str
    version: str
    licence: str
    """As the authors state it; NO_LICENCE if they do not."""
    texts: dict[str, bytes]
    """Licence texts by file name, relative to .dist-info."""
    unpacked_bytes: int


def read_wheel(path: Path) -> WheelMetadata:
    """Read a wheel's metadata. Raises BundleNotMade if the file is not a wheel."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            (metadata,) = (member for member in members if _in_dist_info(member.filename) == "METADATA")
            fields = BytesParser().parsebytes(archive.read(metadata), headersonly=True)
            texts = {
                _flat(inside): archive.read(member)
                for member in members
                if (inside := _in_dist_info(member.filename)) and not member.is_dir() and _is_licence(inside)
            }
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise BundleNotMade(f"{path} is not a complete wheel ({error}). Delete it and run the command again.") from None
    size = sum(member.file_size for member in members)
    classifiers = [str(value) for value in fields.get_all("Classifier", [])]
    licence = _licence(str(fields.get("License-Expression", "")), str(fields.get("License", "")), classifiers)
    return WheelMetadata(str(fields["Name"]), str(fields["Version"]), licence, texts, size)


def _licence(expression: str, free_text: str, classifiers: list[str]) -> str:
    named = [value.rpartition(" :: ")[2] for value in classifiers if value.startswith("License ::")]
    first_line = free_text.strip().partition("\n")[0][:MAX_LICENCE_LINE]
    if not first_line or first_line.upper() == "UNKNOWN":
        first_line = ""
    return expression or first_line or ", ".join(named) or NO_LICENCE


def _in_dist_info(name: str) -> str:
    """The path inside <name>.dist-info/; empty for other members."""
    folder, _, inside = name.partition("/")
    return inside if folder.endswith(".dist-info") else ""


def _is_licence(inside: str) -> bool:
    return inside.startswith(("licenses/", "license_files/")) or PurePosixPath(inside).name.lower().startswith(_TEXTS)


def _flat(inside: str) -> str:
    """One plain file name."""
    return "-".join(
        part for part in PurePosixPath(inside.removeprefix("licenses/")).parts if part not in ("/", "..", ".")
    )
