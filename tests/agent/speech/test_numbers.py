"""Numbers, fractions, units and money."""

import pytest

from agent.speech.normalizer import make_speakable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("3", "three"),
        ("21 days", "twenty one days"),
        ("105", "one hundred and five"),
        ("1,234", "one thousand two hundred and thirty four"),
        ("3,000,000", "three million"),
        ("4.5", "four point five"),
        ("0.05", "zero point zero five"),
        (".5", "zero point five"),
        ("-5", "minus five"),
        ("it is -3.5 outside", "it is minus three point five outside"),
        ("007", "zero zero seven"),
        ("the 3rd and the 22nd", "the third and the twenty second"),
        ("1st-3rd", "first to third"),
        ("1,000th", "one thousandth"),
        ("2-3 times", "two to three times"),
        ("10–15 minutes", "ten to fifteen minutes"),
        ("5 - 10 days", "five to ten days"),
        ("Room 4B", "Room four B"),
        ("B12 and H1N1", "B twelve and H-one-N-one"),
        ("COVID-19", "COVID nineteen"),
        ("a 30-minute visit", "a thirty minute visit"),
        ("since 1998", "since nineteen ninety eight"),
        ("in 2026", "in twenty twenty six"),
        ("2000 steps", "two thousand steps"),
        ("1950 calories", "one thousand nine hundred and fifty calories"),
        ("the 1990s", "the nineteen nineties"),
        ("version 1.2.3", "version one point two point three"),
        ("member ID 12345678", "member I-D one two three four five six seven eight"),
        ("zip code 90210", "zip code nine zero two one zero"),
        ("12-34-56", "one two, three four, five six"),
        ("12345678901234567890", "one two three four five six seven eight nine zero " * 2),
        ("٣ and ①", "three and one"),
    ],
)
def test_numbers(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken.strip()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("1/2", "one half"),
        ("3/4 cup", "three quarters cup"),
        ("2/3", "two thirds"),
        ("2 1/2 hours", "two and a half hours"),
        ("1½ cups", "one and a half cups"),
        ("½ tablet", "one half tablet"),
        ("pain 7/10", "pain seven out of ten"),
        ("24/7", "twenty four seven"),
        ("BP 130/85", "B-P one hundred and thirty over eighty five"),
    ],
)
def test_fractions(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("50%", "fifty percent"),
        ("2.5 %", "two point five percent"),
        ("1 mg", "one milligram"),
        ("500mg", "five hundred milligrams"),
        ("10 mL", "ten milliliters"),
        ("2L", "two liters"),
        ("70 kg", "seventy kilograms"),
        ("5 mcg", "five micrograms"),
        ("5 µg", "five micrograms"),
        ("5-10 mg", "five to ten milligrams"),
        ("5 mg/kg", "five milligrams per kilogram"),
        ("100 mg/dL", "one hundred milligrams per deciliter"),
        ("60 km/h", "sixty kilometers per hour"),
        ("98.6°F", "ninety eight point six degrees Fahrenheit"),
        ("37 °C", "thirty seven degrees Celsius"),
        ("120/80 mmHg", "one hundred and twenty over eighty millimeters of mercury"),
        ("72 bpm", "seventy two beats per minute"),
        ("10-15 min. walk", "ten to fifteen minutes walk"),
        ("""5'10" tall""", "five feet ten tall"),
        ("8 hrs", "eight hours"),
        ("5 M people", "five M people"),
    ],
)
def test_units(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("$4.50", "four dollars and fifty cents"),
        ("$1", "one dollar"),
        ("$1.01", "one dollar and one cent"),
        ("$0.99", "ninety nine cents"),
        ("$20.00", "twenty dollars"),
        ("$1,234.56", "one thousand two hundred and thirty four dollars and fifty six cents"),
        ("€20", "twenty euros"),
        ("20 €", "twenty euros"),
        ("£3m", "three million pounds"),
        ("£2.50", "two pounds and fifty pence"),
        ("$1.5 million", "one point five million dollars"),
        ("$5-10", "five to ten dollars"),
        ("$5-$10", "five to ten dollars"),
        ("20 USD", "twenty dollars"),
        ("EUR 20", "twenty euros"),
        ("50¢", "fifty cents"),
        ("-$5", "minus five dollars"),
        ("a $20 copay", "a twenty dollar copay"),
    ],
)
def test_money(text: str, spoken: str) -> None:
    assert make_speakable(text) == spoken
