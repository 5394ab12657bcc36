"""Text made speakable: an ordered tuple of pure functions, from whatever a model writes to plain words.

The order matters. Marks go first, so that the rest sees plain text. What looks like something larger is read before its
parts: addresses before dots, dates before fractions, telephone numbers and times before ranges, money before units ('£3m'
is no length), dosing before abbreviations, titles and 'No. 5' before numbers, acronyms with digits ('A1C') before numbers,
numbers before the signs between words, punctuation last.
"""

from collections.abc import Callable

from agent.speech.abbreviations import expand_abbreviations
from agent.speech.acronyms import spell_acronyms
from agent.speech.addresses import read_addresses
from agent.speech.characters import drop_emoji, plain_characters
from agent.speech.dates import read_dates
from agent.speech.dosing import write_out_dosing
from agent.speech.fractions import read_fractions
from agent.speech.markup import strip_markup
from agent.speech.money import read_money
from agent.speech.numbers import read_numbers
from agent.speech.phones import read_phone_numbers
from agent.speech.punctuation import settle_punctuation
from agent.speech.symbols import read_amount_signs, read_signs
from agent.speech.times import read_times
from agent.speech.units import read_units

STEPS: tuple[Callable[[str], str], ...] = (
    plain_characters,
    strip_markup,
    read_addresses,
    drop_emoji,
    read_phone_numbers,
    read_dates,
    read_times,
    read_money,
    write_out_dosing,
    read_units,
    read_fractions,
    read_amount_signs,
    expand_abbreviations,
    spell_acronyms,
    read_numbers,
    read_signs,
    settle_punctuation,
)


def make_speakable(text: str) -> str:
    """`text` as words with commas, full stops, colons, semicolons, question and exclamation marks, hyphens, apostrophes.

    Plain words pass unchanged. Never raises.
    """
    for step in STEPS:
        text = step(text)
    return text
