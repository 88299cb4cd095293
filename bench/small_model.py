"""What the smallest real model adds to answers, and what of it a person gets.

Questions go the whole way of `crew ask` over full sandboxes, to a real Ollama with a real instruct model of 135 million
parameters: the lower end of what people run. What counts is what is shown: that the answer of code stands, that no
number or name is wrong, and that it ends in time, whatever the model writes.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.asking_tools import EveryTool
from bench.asking_world import AskingWorld, asking_world
from bench.questions import load
from bench.section import Row, Section, at_least, at_most
from crews.ask.answer import Answer, Event
from crews.ask.job import Question, answer_question
from crews.ask.prompt_room import MOST_CALLS, PROMPT_TOKENS
from crews.ask.prose import Writer
from crews.team.completion import Completion
from crews.team.hosts import ModelHosts
from crews.team.reason import Reasoner
from opscrew import logs
from opscrew.answer.packet import Fact
from opscrew.model.citations import cited_in, without_citations
from opscrew.settings import ModelSettings
from tests.support.ollama import SMALL, Ollama
from tests.support.parts import FOLDER

QUESTIONS = 40
DEADLINE_SECONDS = 60.0
WARM = 2.0
"""A prompt whose beginning the host has read is read at least so many times faster than a cold one."""

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
NAME = re.compile(r"(?<![\w/.-])(?=[\w/.#-]*[/#_-]|[\w.]*[a-z][A-Z])[\w#][\w./#-]*\w")
"""What is joined by signs or by capitals within: names as machines have them."""


@dataclass(frozen=True)
class Asked:
    """One question, answered with the model. ``code`` is what code wrote, ``alone`` the answer without a model."""

    question: str
    answer: Answer
    code: str
    alone: str
    seconds: float
    dropped: tuple[str, ...]


@dataclass
class Course:
    """All questions. ``calls`` are all completions in their order."""

    asked: list[Asked] = field(default_factory=list)
    calls: list[Completion] = field(default_factory=list)

    @property
    def shown(self) -> list[tuple[Asked, str]]:
        return [(one, sentence) for one in self.asked for sentence in one.answer.prose]


def measure(data: Path) -> Section:
    """``FileNotFoundError`` where `make parts` has not brought Ollama and the model."""
    del data
    for needed in ("ollama-v0.24.0", "smollm2-0.1.2"):
        if not (FOLDER / needed).is_dir():
            raise FileNotFoundError(f"no {needed}; run `make parts`")
    logs.configure("console", "error")
    with tempfile.TemporaryDirectory() as folder:
        course = ask_all(Path(folder), QUESTIONS)
    return _section(course)


def ask_all(folder: Path, number: int, deadline_seconds: float = DEADLINE_SECONDS) -> Course:
    """So many questions, evenly from all written ones that a model may take part in."""
    course = Course()
    written = [one for found in load()[:2] for one in found if one.intent not in ("act", "help", "out_of_field")]
    chosen = written[:: max(1, len(written) // number)][:number]
    (folder / "ollama").mkdir()
    with Ollama(folder / "ollama", small=True) as server:
        model = ModelSettings(name=f"ollama_chat/{SMALL}", url=server.url, temperature=0)
        with asking_world(folder, model=model) as world, _writer(world, course) as writer:
            for one in chosen:
                course.asked.append(_ask(world, one.question, writer, deadline_seconds))
    return course


@contextmanager
def _writer(world: AskingWorld, course: Course) -> Iterator[Writer]:
    hosts = ModelHosts(world.settings.model, world.settings.data_dir)
    hosts.complete = _kept(hosts.complete, course.calls)  # type: ignore[method-assign]
    reasoner = Reasoner(world.settings.model, world.settings.data_dir, hosts=hosts)
    reasoner._import()  # once, before the first question: its seconds say nothing about the model
    with Writer(world.settings, reasoner, EveryTool()) as writer:
        yield writer


def _kept(complete: Callable[..., Completion], calls: list[Completion]) -> Callable[..., Completion]:
    def asking(*arguments: object, **more: object) -> Completion:
        calls.append(complete(*arguments, **more))
        return calls[-1]

    return asking


def _ask(world: AskingWorld, question: str, writer: Writer, deadline_seconds: float) -> Asked:
    heard: list[Event] = []
    asked = Question(question, deadline_seconds=deadline_seconds)
    begun = time.monotonic()
    answer = answer_question(world.context, asked, on_event=heard.append, writer=writer)
    seconds = time.monotonic() - begun
    alone = answer_question(world.context, Question(question, facts_only=True))
    code = next(event.text for event in heard if event.kind == "answer")
    dropped = tuple(event.text for event in heard if event.kind == "dropped")
    return Asked(question, answer, code, alone.text, seconds, dropped)


def wrong_in(sentence: str, facts: Sequence[Fact], question: str) -> list[str]:
    """Numbers and names that stand neither in what the sentence cites nor in the question: an eye of its own, simpler
    and stricter than the check of the product."""
    cited = cited_in(sentence)
    seen = " ".join(f"{fact.time} {fact.source} {fact.text}" for fact in facts if fact.id in cited) + question
    said = without_citations(sentence)
    found = [*NUMBER.findall(said), *NAME.findall(said)]
    return [one for one in found if one.lower() not in seen.lower()]


def stands(asked: Asked) -> bool:
    """Whether the answer begins with what code wrote, whole."""
    return bool(asked.code) and asked.answer.text.startswith(asked.code)


def reading_speeds(calls: Sequence[Completion]) -> tuple[float, float]:
    """Prompt tokens a second until the first word: of the first prompt of all, and the median of the rest."""
    speeds = [one.prompt_tokens / max(one.seconds_to_first_word, 0.01) for one in calls if one.counted and one.text]
    return speeds[0], statistics.median(speeds[1:])


def _section(course: Course) -> Section:
    asked, shown = course.asked, course.shown
    with_model = [one for one in asked if one.answer.usage.calls]
    cold, warm = reading_speeds(course.calls)
    reasons = Counter(text.rpartition(" (")[2].rstrip(")") for one in asked for text in one.dropped)
    times = sorted(one.seconds for one in asked)
    section = Section(
        name="small_model",
        title="What the smallest real model adds",
        intro=(
            f"{len(asked)} written questions over the sandboxes of the section above, asked of SmolLM2-135M-Instruct "
            "(Q4_1) in a real Ollama on this machine's CPU: the lower end of what people run. Counted is what a person "
            "gets. Without a model the same questions get the same answers of code, without the sentences added."
        ),
    )
    wrong = [sentence for one, sentence in shown if wrong_in(sentence, one.answer.facts, one.question)]
    section.rows += [
        at_least("answers in which the answer of code stands whole", sum(map(stands, asked)) / len(asked), 1.0),
        at_most("sentences shown with a number or a name that is not in what they cite", len(wrong), 0, digits=0),
        at_most("calls per question, most", max(one.answer.usage.calls for one in asked), MOST_CALLS, digits=0),
        at_most("prompt tokens per question, by the host's own count, most",
                max(one.answer.usage.prompt_tokens for one in asked), PROMPT_TOKENS, digits=0),
        at_most("seconds to the whole answer, most", max(times), DEADLINE_SECONDS, digits=1, unit=" s"),
        Row("seconds to the whole answer, median", f"{statistics.median(times):.1f} s"),
        Row("seconds to the answer of code, median",
            f"{statistics.median(one.answer.seconds_to_facts for one in asked):.2f} s"),
        Row("questions that the model was asked", str(len(with_model))),
        Row("questions with at least one sentence of the model", str(sum(bool(one.answer.prose) for one in asked))),
        Row("sentences shown / dropped", f"{len(shown)} / {sum(one.answer.dropped for one in asked)}"),
    ]  # fmt: skip
    for reason, number in _grouped(reasons):
        section.rows.append(Row(f"  dropped: {reason}", str(number)))
    section.rows.append(
        Row("prompt tokens read a second: first prompt / median of the rest", f"{cold:.0f} / {warm:.0f}")
    )
    return section


def _grouped(reasons: Counter[str]) -> list[tuple[str, int]]:
    """By kind: the claim check names what it misses, which differs each time."""
    grouped: dict[str, int] = defaultdict(int)
    for reason, number in reasons.items():
        is_claim = "evidence" in reason and not reason.startswith("it ")
        grouped["a number, name or time is not in the evidence" if is_claim else reason] += number
    return sorted(grouped.items(), key=lambda one: -one[1])
