"""Acronyms, letter by letter: 'M-R-I'. Hyphens keep the letters in one word and make voices read 'A' as a letter."""

import re

from agent.speech.number_words import cardinal

_KNOWN = """
    MRI MRA CT PET ECG EKG EEG EMG ID BP HR GP ER ED ICU IV IVF HIV UTI ENT OBGYN COPD ADHD BMI CBC DOB DNA RNA FAQ HMO PPO PCP
    PT OT RN NP PA LPN EMT CPR TB STD STI HPV MMR PCR IBS GERD PMS PTSD OCD EMR EHR OTC URI USB PDF URL USA UK EU FDA CDC NHS
    VA UPS LCD LED ATM CEO SSN EOB HSA FSA GI DVT CHF ALS NSAID LDL HDL TSH PSA INR FYI DIY TV VIP AI API
"""
_SPELLED = frozenset(_KNOWN.split())
_WORDS_WITHOUT_VOWELS = frozenset(
    ("AM", "PM", "HMM", "SHH", "PSST", "MR", "MRS", "DR", "ST", "TH", "SSH", "BRR", "PFFT")
)
"""Said as words, or (AM, PM) read as letters by voices anyway."""
_WRITTEN = {"HbA1c": "hemoglobin A-one-C", "pH": "P-H", "mRNA": "M-R-N-A", "OB-GYN": "O-B-G-Y-N", "OB/GYN": "O-B-G-Y-N", "Xray": "X-ray", "xray": "X-ray"}  # fmt: skip

_EXCEPTIONS = re.compile(rf"\b({'|'.join(map(re.escape, _WRITTEN))})(s)?\b")
_DOTTED = re.compile(r"\b((?:[A-Z]\.){2,}[A-Z]?)(?![a-z])")
_CAPITALS = re.compile(r"(?<![\w'-])([A-Z]{2,6})(s|'s)?(?![\w-])")
_WITH_DIGITS = re.compile(r"(?<![\w-])([A-Z]\d[A-Za-z](?:\d)?)(?![\w-])")


def spell_acronyms(text: str) -> str:
    """'MRI' -> 'M-R-I', 'IDs' -> 'I-D's', 'A1C' -> 'A-one-C'; words in capitals stay words."""
    text = _EXCEPTIONS.sub(lambda m: _WRITTEN[m[1]] + ("'s" if m[2] else ""), text)
    text = _DOTTED.sub(_dotted, text)
    text = _WITH_DIGITS.sub(lambda m: _letters(m[1].upper()), text)
    return _CAPITALS.sub(lambda m: _letters(m[1]) + ("'s" if m[2] else "") if _is_spelled(m[1]) else m[0], text)


def _is_spelled(word: str) -> bool:
    """Known, or without any vowel."""
    return word in _SPELLED or (not set(word) & set("AEIOUY") and word not in _WORDS_WITHOUT_VOWELS)


def _dotted(match: re.Match[str]) -> str:
    rest = match.string[match.end() :]
    return _letters(match[1].replace(".", "")) + ("." if match[1].endswith(".") and not rest.strip() else "")


def _letters(word: str) -> str:
    return "-".join(cardinal(int(char)) if char.isdigit() else char for char in word)
