"""What a question costs a small model, and what a person gets of what the model writes.

Every written question goes the whole way of `crew ask`: gathered from sandboxes, packed, sent over HTTP to a scripted
host that speaks Ollama's protocol, and checked. The host says what it is told to; what it was sent is measured, summed
over all calls of a question, and what is shown of its sentences.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.asking_tools import EveryTool
from bench.asking_world import AskingWorld, asking_world
from bench.questions import Written, load
from bench.section import Row, Section, at_least, at_most
from crews.ask.answer import Answer, Event
from crews.ask.job import Question, answer_question
from crews.ask.prompt_room import MOST_CALLS, PROMPT_TOKENS
from crews.ask.prose import Writer
from demo.ollama.app import create_app
from demo.ollama.script import Asked, Reply, Script, Speaker, answers, calls, first_evidence
from demo.serving import serve
from opscrew import logs
from opscrew.answer.tokens import CountTokens
from opscrew.memory.conversations import Conversations
from opscrew.memory.prompt_view import estimated_tokens
from opscrew.memory.turns import Conversation
from opscrew.settings import ModelSettings

DEADLINE_SECONDS = 600.0
"""Nothing is measured in time here, and a busy machine must not cut a call short."""

EVIDENCE = "Evidence:\n"
"""Where a prompt begins to differ from question to question."""

TEMPLATE_TOKENS = 6
"""What the chat template of a model puts around each message."""

WORDS = r"(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
"""How Qwen's tokenizer splits text: as cl100k does, but with a token for each digit."""

WORTHLESS = {
    "invented": "The host redis-master-17 lost 93417 packets [E1].",
    "an order": "You should restart it and approve the waiting action [E1].",
    "an all-clear": "Everything is healthy and no action is needed [E1].",
    "about nothing": "The evidence contains no additional information [E1].",
}
"""What models were seen to write in place of right facts, by its kind."""


@dataclass(frozen=True)
class Sent:
    """One question with the requests that it led to."""

    question: str
    asked: tuple[Asked, ...]
    words: str
    """All that was said in the first of them."""
    answer: Answer
    code: str
    """What code wrote."""


def measure(data: Path) -> Section:
    """Needs no data but its own questions."""
    del data
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    logs.configure("console", "error")
    count = qwen_like_counter()
    with _talks() as talks:
        plain = talks.ask_all(first_evidence)
        wrong = talks.ask_all(_adds_worthless)
        more = talks.ask_all(*_asks_for_more())
        long = talks.one_conversation(first_evidence)
    written = sum(map(len, load()[:2]))
    reached = [one for one in plain if one.asked]
    section = Section(
        name="asking",
        title="What a question costs the model",
        intro=(
            f"{written} written questions, {len(reached)} of which need a model (the rest are actions, greetings and "
            "other fields), asked over sandboxes of Bitbucket, Kubernetes, VictoriaMetrics, VictoriaLogs and "
            "Alertmanager that are full of trouble, answered by a scripted host that speaks Ollama's protocol. Each "
            "role is offered all its tools, with the longest descriptions that a prompt shows. Tokens are counted by "
            "the vocabulary of cl100k with one token a digit, which is how Qwen splits, plus "
            f"{TEMPLATE_TOKENS} a message for the template."
        ),
    )
    section.rows.extend(_costs("", reached, count))
    section.rows.extend(_prefix(reached, count))
    section.rows.extend(_costs(", worthless sentences in each answer", wrong, count))
    section.rows.extend(_costs(", all in one conversation", long, count))
    section.rows.extend(_costs(", the model asks for a tool each time", more, count))
    section.rows.extend(_shown([*plain, *wrong, *long, *more]))
    shares = [estimated_tokens(one.words) / count(one.words) for one in reached]
    section.rows.append(at_least("our own estimate, of the tokens counted, least", min(shares), 1.0, digits=2))
    return section


def _costs(how: str, sent: Sequence[Sent], count: CountTokens) -> list[Row]:
    """Of one course of all questions; tokens are those of all calls of a question together."""
    sent = [one for one in sent if one.asked]
    tokens = [sum(tokens_of(asked, count) for asked in one.asked) for one in sent]
    calls_made = [len(one.asked) for one in sent]
    return [
        Row(f"prompt tokens of a question, median{how}", f"{statistics.median(tokens):.0f}"),
        at_most(f"prompt tokens of a question, most{how}", max(tokens), PROMPT_TOKENS, digits=0),
        Row(f"calls per question, mean{how}", f"{statistics.fmean(calls_made):.2f}"),
        at_most(f"calls per question, most{how}", max(calls_made), MOST_CALLS, digits=0),
    ]


def _shown(sent: Sequence[Sent]) -> list[Row]:
    """What a person gets."""
    stands = sum(one.answer.text.startswith(one.code) and bool(one.code) for one in sent)
    rows = [at_least("answers in which the answer of code stands whole", stands / len(sent), 1.0)]
    for kind, sentence in WORTHLESS.items():
        seen = sum(sentence in one.answer.text for one in sent)
        rows.append(at_most(f"answers that show a sentence of the model that is {kind}", seen, 0, digits=0))
    return rows


def _prefix(sent: Sequence[Sent], count: CountTokens) -> list[Row]:
    """The bytes before the evidence, compared among all prompts of one role and task."""
    heads: dict[str, list[str]] = defaultdict(list)
    for one in sent:
        for asked in one.asked:
            heads[_role_and_task(asked)].append(_whole(asked).partition(EVIDENCE)[0])
    same = sum(found.count(max(set(found), key=found.count)) for found in heads.values())
    lengths = [count(max(set(found), key=found.count)) for found in heads.values()]
    total = sum(map(len, heads.values()))
    kinds = len(heads)
    return [
        at_least(f"prompts that begin with the same bytes as all others of their role and task ({kinds})",
                 same / total, 1.0),
        Row("tokens of that beginning", f"{min(lengths)} to {max(lengths)}"),
    ]  # fmt: skip


def _role_and_task(asked: Asked) -> str:
    """A role is told apart by its first message, a task by the first line of its wording."""
    messages = asked["messages"]
    return "\n".join([str(messages[0]["content"]).splitlines()[0], str(messages[-1]["content"]).strip()[:60]])


def _whole(asked: Asked) -> str:
    """What a host reads, in its order: tools first, then what was said."""
    return json.dumps(asked.get("tools") or []) + "\n".join(str(one.get("content")) for one in asked["messages"])


def tokens_of(asked: Asked, count: CountTokens) -> int:
    """Of one request, tools included."""
    tools = asked.get("tools")
    said = sum(count(json.dumps(one["tool_calls"])) for one in asked["messages"] if one.get("tool_calls"))
    said += sum(count(str(one.get("content") or "")) + TEMPLATE_TOKENS for one in asked["messages"])
    return said + (count(json.dumps(tools)) if tools else 0)


def qwen_like_counter() -> CountTokens:
    """A real tokenizer that comes with LiteLLM, so that nothing is downloaded."""
    import tiktoken
    from litellm.litellm_core_utils.default_encoding import encoding

    own = tiktoken.Encoding("digits apart", pat_str=WORDS, mergeable_ranks=encoding._mergeable_ranks, special_tokens={})
    return lambda text: len(own.encode(text, disallowed_special=()))


def _adds_worthless(asked: Asked) -> Reply:
    """Right sentences with those that nobody is to see."""
    right = first_evidence(asked)
    said = json.loads(right.text) if right.text.startswith("{") else {}
    prose = str(said.get("answer", ""))
    return answers(" ".join([WORTHLESS["invented"], prose, *WORTHLESS.values()]))(asked) if prose else right


def _asks_for_more() -> tuple[Speaker, ...]:
    """First names a tool, then calls it, then answers; again for each question."""

    def speak(asked: Asked) -> Reply:
        if asked.get("tools"):
            wanted = asked["tools"][0]["function"]
            brought = any(one.get("role") == "tool" for one in asked["messages"])
            if not brought:
                return calls(wanted["name"], {"name": "cart"})(asked)
            return answers("That is what the tool says [T1].")(asked)
        schema = asked.get("format") or {}
        choices = schema.get("properties", {}).get("missing", {}).get("items", {}).get("enum", [])
        return answers("", missing=choices[:1])(asked) if choices else first_evidence(asked)

    return (speak,)


class _Talks:
    """Asks all questions over one world, again for each way that a model behaves."""

    def __init__(self, world: AskingWorld, script: Script, writer: Writer) -> None:
        self._world, self._script, self._writer = world, script, writer
        self._book = Conversations(world.context.engine, world.context.clock)
        self._intended = ""

    def _choosing(self, speaker: Speaker) -> Speaker:
        """Where an intent is to be chosen, a model that chooses rightly."""

        def speak(asked: Asked) -> Reply:
            is_choice = "choice" in (asked.get("format") or {}).get("properties", {})
            return (answers(self._intended) if is_choice else speaker)(asked)

        return speak

    def ask_all(self, *speakers: Speaker) -> list[Sent]:
        self._script.speakers = [self._choosing(speaker) for speaker in speakers]
        return [self._sent(one, self._after(one.before)) for one in _written()]

    def one_conversation(self, *speakers: Speaker) -> list[Sent]:
        self._script.speakers = [self._choosing(speaker) for speaker in speakers]
        conversation = self._book.start("ada")
        return [self._sent(one, conversation) for one in _written()]

    def _after(self, before: Sequence[str]) -> Conversation:
        conversation = self._book.start("ada")
        for question in before:
            self._ask(question, conversation)
        return conversation

    def _sent(self, written: Written, conversation: Conversation) -> Sent:
        begin = len(self._script.asked)
        self._intended = written.intent
        answer, code = self._ask(written.question, conversation)
        asked = tuple(self._script.asked[begin:])
        return Sent(written.question, asked, _whole(asked[0]) if asked else "", answer, code)

    def _ask(self, question: str, conversation: Conversation) -> tuple[Answer, str]:
        heard: list[Event] = []
        asked = Question(question, self._fresh(conversation), deadline_seconds=DEADLINE_SECONDS)
        answer = answer_question(self._world.context, asked, on_event=heard.append, writer=self._writer)
        return answer, next(event.text for event in heard if event.kind == "answer")

    def _fresh(self, conversation: Conversation) -> Conversation:
        return self._book.get(conversation.id) if conversation.turns else conversation


def _written() -> list[Written]:
    tuned, held_out, _ = load()
    return [*tuned, *held_out]


@contextmanager
def _talks() -> Iterator[_Talks]:
    script = Script()
    with tempfile.TemporaryDirectory() as folder, serve(create_app(script)) as url:
        model = ModelSettings(name=f"ollama_chat/{script.model}", url=url)
        with (
            asking_world(Path(folder), model=model) as world,
            Writer(world.settings, tools=EveryTool()) as writer,
        ):
            yield _Talks(world, script, writer)
