"""Measures single replies on held-out calls: the agent's turns, facts about the clinic, summaries and briefings."""

import json
import re
from collections import Counter, defaultdict
from typing import Any, NamedTuple

from scripts.train.language_model.closed_loop import parse
from scripts.train.language_model.domain import Lex, random_facts
from scripts.train.language_model.figures import share
from scripts.train.language_model.language_model import LanguageModel
from scripts.train.language_model.phrases import AGENT, FACT_QUESTIONS
from scripts.train.language_model.prompts import HANDOFF_PROMPT, SUMMARY_PROMPT, front_desk_prompt
from scripts.train.language_model.replies import classify, fact_answer, voice_ok
from scripts.train.language_model.simulate import Message, dialogue, transcript


class Turn(NamedTuple):
    """A point in a call where it is the agent's turn, and what the rule-based desk does there."""

    system: str
    history: list[Message]
    due: Message


class TurnScores:
    """Counts over turns."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self._arguments, self._right = Counter[str](), Counter[str]()
        self._confused = Counter[tuple[Any, Any]]()
        self._examples: dict[Any, list[tuple[str, str, str]]] = defaultdict(list)

    def add(self, turn: Turn, text: str) -> None:
        """Compare one reply with the expected one."""
        due, heard = turn.due, turn.history[-1].text
        got = classify(text) if text else ("empty", "-")
        self.counts.update(turns=1, kind=got == due.label, exact=text == due.text)
        if got != due.label:
            self._confused[due.label, got] += 1
            self._examples[due.label, got].append((heard, due.text, text))
        if due.text.startswith("{"):
            self._add_call(text, json.loads(due.text), heard)
        else:
            is_call = text.startswith("{")
            self.counts.update(replies=1, voice=bool(text) and voice_ok(text), false_calls=is_call)
            if not is_call and not (text and voice_ok(text)):
                self._examples["voice"].append(("", due.text, text))

    def _add_call(self, text: str, due: dict[str, Any], heard: str) -> None:
        got = parse(text)
        name, arguments = got or ("", {})
        is_named, is_exact = name == due["name"], got == (due["name"], due["parameters"])
        self.counts.update(calls=1, names=is_named, arguments=is_exact)
        for key, value in due["parameters"].items():
            self._arguments[key] += 1
            self._right[key] += arguments.get(key) == value
        if is_named and not is_exact:
            self._examples["arguments"].append((heard, json.dumps(due), text))

    def report(self) -> None:
        """Print everything."""
        counts = self.counts
        spoken = counts["replies"] - counts["false_calls"]
        print(f"agent turns: {counts['turns']}")
        print(f"   tool name {share(counts['names'], counts['calls'])}")
        print(f"   exact arguments {share(counts['arguments'], counts['calls'])}")
        print(f"   kind of reply {share(counts['kind'], counts['turns'])}")
        print(f"   identical text {share(counts['exact'], counts['turns'])}")
        print(f"   voice rules {share(counts['voice'], spoken)}")
        print(f"   tool call where a reply was due {share(counts['false_calls'], counts['replies'])}")
        print("   arguments:", {key: share(self._right[key], count) for key, count in self._arguments.items()})
        for pair, count in self._confused.most_common(8):
            print("   confused:", pair, count, self._examples[pair][0])
        for kind in ("arguments", "voice"):
            for example in self._examples[kind][:6]:
                print(f"   {kind}:", example)


def measure_turns(model: LanguageModel, lex: Lex, count: int) -> None:
    """Every turn of the agent except the greeting, in that many calls."""
    turns = []
    for _ in range(count):
        facts = random_facts(lex)
        messages = dialogue(lex, facts).messages
        places = [place for place, message in enumerate(messages) if message.role == "assistant" and place > 0]
        turns += [Turn(front_desk_prompt(facts), messages[:place], messages[place]) for place in places]
    scores = TurnScores()
    for turn, text in zip(
        turns, model.replies([model.prompt(turn.system, turn.history) for turn in turns]), strict=True
    ):
        scores.add(turn, text)
    scores.report()


def measure_facts(model: LanguageModel, lex: Lex, count: int) -> None:
    """Each kind of question that often, about a different clinic each time."""
    topics, answers, prompts = [], [], []
    for topic, questions in FACT_QUESTIONS.items():
        for _ in range(count):
            facts = random_facts(lex)
            greeting = lex.choose(AGENT["greetings"]).format(clinic=facts["clinic"])
            question = lex.choose(questions).replace("[", "").replace("]", "")
            topics.append(topic)
            answers.append(fact_answer(topic, facts))
            prompts.append(model.prompt(front_desk_prompt(facts), [("assistant", greeting), ("user", question)]))
    right, wrong = Counter[str](), dict[str, tuple[str, str]]()
    for topic, answer, text in zip(topics, answers, model.replies(prompts), strict=True):
        right[topic] += text.startswith(answer)
        if not text.startswith(answer):
            wrong.setdefault(topic, (answer, text))
    by_topic = {topic: share(right[topic], count) for topic in FACT_QUESTIONS}
    print("facts copied exactly:", share(right.total(), len(topics)), by_topic)
    for topic, example in wrong.items():
        print("   ", topic, example)


def measure_notes(model: LanguageModel, lex: Lex, count: int) -> None:
    """Summaries, and as many handoff briefings, at some point of a call."""
    for kind, system in (("summary", SUMMARY_PROMPT), ("handoff", HANDOFF_PROMPT)):
        texts, due = [], []
        for _ in range(count):
            call = dialogue(lex, random_facts(lex))
            snapshot = lex.choose(call.snapshots[-3:] + call.snapshots[-1:])
            texts.append(transcript(call.messages[: snapshot.messages]))
            due.append(getattr(snapshot, kind))
        got = model.replies([model.prompt(system, [("user", text)], None) for text in texts])
        _report_notes(kind, got, due)


def _report_notes(kind: str, got: list[str], due: list[str]) -> None:
    pairs, longest = list(zip(got, due, strict=True)), 3 if kind == "summary" else 6
    exact = sum(text == right for text, right in pairs)
    named = sum(_caller_in(text) == _caller_in(right) for text, right in pairs)
    short = sum(text.count(".") <= longest for text in got)
    f1 = sum(word_f1(text, right) for text, right in pairs) / len(pairs)
    shares = f"exact {share(exact, len(pairs))}  caller's name {share(named, len(pairs))}"
    print(f"{kind}: {shares}  length kept {share(short, len(pairs))}  word F1 {f1:.3f}")
    for text, right in pairs[:3]:
        print(f"    due: {right}\n    model: {text}")


def _caller_in(text: str) -> str:
    named = re.search(r"Caller: ([^.]*)", text)
    return named[1] if named else re.split(r" (called|asked|has)", text)[0]


def word_f1(text: str, right: str) -> float:
    """Harmonic mean of precision and recall of words."""
    words, due = Counter(re.findall(r"\w+", text.lower())), Counter(re.findall(r"\w+", right.lower()))
    return 2 * (words & due).total() / max(1, words.total() + due.total())
