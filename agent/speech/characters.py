"""Characters in their plain forms: compatibility forms, quotes, spaces; without invisible ones and pictures."""

import re
import unicodedata

_NAMED = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "`", "´": "'",
        "−": "-", "‐": "-", "‑": "-", "‒": "-", "―": "—", "™": "", "®": "", "©": "", "²": " squared", "³": " cubed",
        "ʼ": "'", "′": "'", "″": '"', "⁄": "/", "№": "No. ", "µ": "μ", "\t": " ", "\r": "\n", "\u2028": "\n", "\u2029": "\n",
    }
)  # fmt: skip
_VULGAR_FRACTION = re.compile(r"(\d)?([¼½¾⅐-⅞])")
_EMOTICON = re.compile(r"(?<!\S)[:;=]['o-]?[)(\]\[DPp|\\/](?!\w)")
_DROPPED = ("So", "Sk", "Cc", "Cf", "Cn", "Co", "Cs", "Me")


def plain_characters(text: str) -> str:
    """Straight quotes, one kind of hyphen, '1/2' for '½', ASCII digits; '°' and mathematical signs stay."""
    text = _VULGAR_FRACTION.sub(lambda m: f"{m[1]} {_written(m[2])}" if m[1] else _written(m[2]), text)
    text = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").translate(_NAMED)).translate(_NAMED)
    return "".join(map(_digit, text))


def drop_emoji(text: str) -> str:
    """Without emoji, emoticons and other pictures."""
    text = _EMOTICON.sub(" ", text)
    return "".join(" " if unicodedata.category(char) in _DROPPED and char not in "\n°`^" else char for char in text)


def _written(fraction: str) -> str:
    return unicodedata.normalize("NFKC", fraction).replace("⁄", "/")


def _digit(char: str) -> str:
    """Digits of any script as ASCII; numerals that are not digits (Roman or circled ones) as spaces."""
    if char.isascii() or not char.isnumeric():
        return char
    value = unicodedata.digit(char, None)
    return char if char.isalpha() else " " if value is None else str(value)
