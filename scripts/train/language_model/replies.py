"""What the agent says about the clinic, and how its replies are classified."""

import re

from scripts.train.language_model.domain import WORDS, Facts, show_day
from scripts.train.language_model.phrases import QUESTIONS

ReplyClass = tuple[str, str]
"""What a reply says and which question it ends with ("-" for none), or ("tool", the tool's name)."""

MAX_WORDS = 25

_QUESTION_PATTERNS = [(kind, [re.escape(text) + "$" for text in texts]) for kind, texts in QUESTIONS.items()]
_QUESTION_PATTERNS.append(("confirm", [r"Is that right\?$"]))
_BODY_PATTERNS = (
    ("emergency", "call emergency services"),
    ("symptom", "sorry to hear that"),
    ("advice", "cannot give medical advice"),
    ("booked", "You are booked"),
    ("taken", "is taken|already taken"),
    ("cancelled", "is cancelled"),
    ("moved", "is moved"),
    ("not_found", "cannot find (an appointment|that|any)"),
    ("unknown_doctor", "cannot find a Doctor"),
    ("refill_sent", "refill request"),
    ("needs_doctor", "needs to see you|doctor must"),
    ("ready", "results are ready"),
    ("pending", "not ready"),
    ("none", "Nothing is free"),
    ("full", "is full"),
    ("slots", "I have .* or "),
    ("error", "system did not answer"),
    ("transferring", "putting you through"),
    ("nobody", "is free right now"),
    ("bye", "[Gg]oodbye"),
    ("hold", "[Tt]ake your time"),
    ("unclear", "did not catch"),
    ("sorry", "sorry about that"),
    ("robot", "automated assistant"),
    ("offtopic", "only help with"),
    ("noinfo", "do not have that information"),
    ("hear", "can hear you"),
    ("smalltalk", "I am fine, thank"),
    ("ability", "I can book, move or"),
    ("noneed", "do not need that"),
    ("telldoc", "tell the doctor"),
    ("unsure", "That is fine"),
    ("welcome", "You are welcome"),
    ("nevermind", "No problem"),
    ("confirm_cancel", "^(Okay. |So )?[Cc]ancel the"),
    ("confirm_move", "^(Okay. |So )?[Mm]ove the"),
    ("confirm_book", r"Is that right\?$"),
    (
        "fact",
        "^(We are|We open|On (weekdays|Saturday|Sunday) we|There is|The nearest|You can park|We take|For payment"
        "|The lab|Our doctors|This is)",
    ),
    ("greet", "^(Hello|Good|Hi|Welcome|Thank you for calling)|, how can I"),
)
_FORBIDDEN_IN_SPEECH = re.compile(r"[*#_`\[\]{}<>]|\d|\n|^\s*-")


def classify(text: str) -> ReplyClass:
    """The class of a reply, or of a tool call."""
    text = text.strip()
    if text.startswith("{"):
        call = re.match(r'\{"name": "(\w+)"', text)
        return "tool", call[1] if call else "bad"
    question = next((kind for kind, patterns in _QUESTION_PATTERNS if any(re.search(p, text) for p in patterns)), "-")
    if question == "-" and re.search(r"how can I help|what can I do for you", text):
        question = "help"
    return next((kind for kind, pattern in _BODY_PATTERNS if re.search(pattern, text)), "ask"), question


def voice_ok(text: str) -> bool:
    """Whether a reply can be spoken: at most 25 words, no digits or markup, ends with a full stop or question mark."""
    is_sentence = text[-1:] in ".?" and text[:1].isupper()
    return len(text.split()) <= MAX_WORDS and not _FORBIDDEN_IN_SPEECH.search(text) and is_sentence


def capital(text: str) -> str:
    """Capitalized."""
    return text[:1].upper() + text[1:]


def on_day(day: str) -> str:
    """`on Tuesday`, but `tomorrow`."""
    takes_on = day.split()[0] in [*WORDS["days"], *WORDS["months"], "the"]
    return "on " + show_day(day) if takes_on else show_day(day)


def fact_answer(topic: str, facts: Facts) -> str:
    """The sentence that answers a question about the clinic."""
    if topic == "hours":
        on_saturday = "we are closed on Saturday" if facts["saturday"] == "closed" else f"Saturday {facts['saturday']}"
        return f"We open weekdays {facts['weekdays']}, and {on_saturday}."
    if topic in ("saturday", "sunday"):
        day = topic.title()
        return f"We are closed on {day}." if facts[topic] == "closed" else f"On {day} we are open {facts[topic]}."
    answers = {
        "address": f"We are at {facts['address']}.",
        "weekdays": f"On weekdays we are open {facts['weekdays']}.",
        "parking": capital(facts["parking"]) + ".",
        "insurance": f"We take {facts['insurance']}.",
        "payment": f"For payment we take {facts['payment']}.",
        "lab": f"The lab is on the {facts['lab']}.",
        "doctors": f"Our doctors are {facts['doctors']}.",
        "clinic": f"This is {facts['clinic']}.",
    }
    return answers[topic]
