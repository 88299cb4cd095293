"""The course of a chat: questions, and the words that begin with a slash."""

from __future__ import annotations

import threading

import typer

from cli.answer_text import AnswerText, print_fact
from cli.person import person
from cli.text import folded
from crews.ask.answer import Answer, Event
from crews.ask.job import Question, answer_question
from crews.ask.prose import Writer
from crews.runtime.context import CrewContext
from opscrew.errors import CrewError, NotFoundError
from opscrew.memory.conversations import Conversations
from opscrew.memory.turns import Conversation

HELP = """\
/evidence  all facts behind the last answer
/why       ask why, about what was answered last
/do        propose what fits the last answer, such as a re-run
/new       begin a new conversation
/help      this list
/quit      end the chat (Ctrl-D too)
Ctrl-C stops an answer."""

FACTS_SHOWN = 5
AS_QUESTION = {"/why": "why?", "/do": "do it"}
"""Words that stand for a question which leans on the last one."""


class Chat:
    """One conversation at a time. ``writer`` is None where no model is configured."""

    def __init__(
        self, context: CrewContext, writer: Writer | None, deadline_seconds: float, conversation: Conversation | None
    ) -> None:
        self._context, self._writer, self._deadline = context, writer, deadline_seconds
        self._conversation = conversation
        self._last: Answer | None = None
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def has_left_behind(self) -> bool:
        """Whether an answer that was stopped still waits for something."""
        return any(thread.is_alive() for thread in self._threads)

    def hear(self, line: str) -> None:
        """Answers a question, or does what a word with a slash says. ``CrewError`` for an unknown one."""
        if not line.startswith("/"):
            self._ask(line)
        elif line in AS_QUESTION:
            self._ask(AS_QUESTION[line])
        elif line == "/evidence":
            self._evidence()
        elif line == "/new":
            self._conversation, self._last = None, None
            typer.echo("A new conversation.")
        elif line == "/help":
            typer.echo(HELP)
        else:
            raise NotFoundError(f"there is no {line.split()[0]}", "/help lists what there is.")

    def stop(self) -> None:
        """Ends the answer that is being given; what a model writes from now on is not shown."""
        self._stopped.set()
        if self._writer is not None:
            self._writer.cancel()

    def _ask(self, text: str) -> None:
        """In a thread of its own, so that Ctrl-C reaches this one at once while a system or the model keeps silent."""
        self._stopped = stopped = threading.Event()
        self._conversation = conversation = self._present()
        told = AnswerText(self._context.settings.zone, FACTS_SHOWN)
        outcome: list[Answer | Exception] = []

        def heard(event: Event) -> None:
            if not stopped.is_set():
                told.heard(event)

        def work() -> None:
            question = Question(text, conversation, person(), deadline_seconds=self._deadline)
            try:
                outcome.append(answer_question(self._context, question, on_event=heard, writer=self._writer))
            except Exception as problem:  # noqa: BLE001  raised again by the thread that waits
                outcome.append(problem)

        thread = threading.Thread(target=work, name="answer", daemon=True)
        self._threads.append(thread)
        thread.start()
        while thread.is_alive():
            thread.join(0.1)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        self._last = outcome[0]
        told.end(self._last)

    def _present(self) -> Conversation:
        """The conversation with all that was said, also in an answer that was stopped and ended later."""
        book = Conversations(self._context.engine, self._context.clock)
        if self._conversation is None:
            return book.start(person())
        try:
            return book.get(self._conversation.id)
        except CrewError:
            return self._conversation  # nothing of it is stored yet

    def _evidence(self) -> None:
        if self._last is None or not self._last.facts:
            typer.echo("There is no evidence yet.")
            return
        for fact in self._last.facts:
            print_fact(fact, self._context.settings.zone)
            if fact.link:
                typer.echo(folded(fact.link, indent=4))
