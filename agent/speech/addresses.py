"""Web and e-mail addresses, as they are read aloud."""

import re

_TOP = "com|org|net|edu|gov|info|health|clinic|care|io|us|uk|de|fr|eu|ca|au|ie|int|mil|app|dev|local"
_EMAIL = re.compile(r"(?:mailto:)?\b([A-Za-z0-9][\w.+-]*)@([A-Za-z0-9][\w-]*(?:\.[\w-]*\w)*)")
_URL = re.compile(r"\b(?:https?://|www\.)([^\s<>\"()\[\],]+[^\s<>\"()\[\].,;:!?'*])", re.I)
_DOMAIN = re.compile(rf"\b((?:[A-Za-z0-9][A-Za-z0-9-]*\.)+(?:{_TOP})(?:/[\w/.-]*\w)?)\b(?!\.\w)", re.I)
_SIGNS = {
    ".": " dot ",
    "-": " dash ",
    "_": " underscore ",
    "/": " slash ",
    "+": " plus ",
    ":": " colon ",
    "~": " tilde ",
}


def read_addresses(text: str) -> str:
    """'info@riverside.com' -> 'info at riverside dot com'; of a web address the host and the path are read."""
    text = _EMAIL.sub(lambda m: f" {_read(m[1])} at {_read(m[2])} ".replace("  ", " "), text)
    text = _URL.sub(lambda m: f" {_read(_host_and_path(m[1]))} ", text)
    text = _DOMAIN.sub(lambda m: f" {_read(m[1])} ", text)
    return re.sub(r" +", " ", text)


def _host_and_path(address: str) -> str:
    return re.split(r"[?#]", address)[0].removeprefix("www.").rstrip("/")


def _read(address: str) -> str:
    return " ".join("".join(_SIGNS.get(char, char) for char in address).split())
