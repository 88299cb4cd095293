"""Has a deployment begun? Looks through a whole log while it streams by, and through the commands of a step.

A re-run repeats a pipeline from its start. Where something outside of the build has been changed, that is a person's
decision, however far above the break the change stands: so not a window of the log is searched but all of it. What
deploys is data (``deployments.yaml``). Only commands count, echoed as CI systems echo them, and a few lines that
deploying tools print themselves; a sentence about a deployment is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, BinaryIO

import re2
from pydantic import BaseModel, ConfigDict

from opscrew.ci.explain.log_lines import clean
from opscrew.redaction import redact
from opscrew.strict_yaml import Expression, load_strictly

RULES_FILE = Path(__file__).with_name("deployments.yaml")

CARRIED_BYTES = 16_384
"""Kept of one block for the next, so that a command over two blocks is seen whole. A longer one is cut."""

COMMAND_BYTES = 8_192
"""Looked at of one command; a pipe's takes about 3,000."""

LONGEST_SHOWN = 300
"""Characters of a command that people are shown."""

MEMORY_BYTES = 64 << 20

ECHO = (
    r"(?:[^\n]*\r)?"  # what a terminal would overwrite
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]*"  # Bitbucket's script prints one before each echo
    r"(?:\x1b\[[0-9;]*[A-Za-z])*"
    r"(?:\[?\d{4}-\d\d-\d\d[T ][0-9:.,]+(?:Z|[+-]\d\d:?\d\d)?\]? )?(?:\d\d[OE] )?"
    r"(?:\x1b\[[0-9;]*[A-Za-z])*"
    r"(?:\++ |\$ |> |\[command\]|##\[command\]|##\[group\]Run |Run |[A-Za-z]:\\[^>\n]*>|\x1b\[36;1m)"
)
"""How Bitbucket and Jenkins, GitLab and Travis, npm, GitHub, Azure and Windows show a command before they run it."""

WITHIN = r"(?:[^\n\\]|\\[^\n]|\\\r?\n)*?"
"""Any of one command; a backslash at its end goes on with it in the next line."""

TAG = r"(?::\S+)?"
"""Behind a tool's name where it is that of an image."""

WORD_ENDS = r"(?:[\s'\")\\;&|]|$)"


class Command(BaseModel):
    """One kind of deploying command, as in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    tool: Expression
    doing: Expression = ""
    unless: Expression = ""
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...] = ()


class Output(BaseModel):
    """One kind of line by which a tool shows that it has begun to change something."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    pattern: Expression
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...] = ()


class Rules(BaseModel):
    """The whole file, with the expressions made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    harmless: Expression
    wrappers: Expression
    containers: Expression
    commands: tuple[Command, ...]
    outputs: tuple[Output, ...]

    @cached_property
    def search(self) -> Any:
        """Finds in bytes what may be a deploying command, or is such a tool's output. One pass, linear in time."""
        kinds = "|".join(_kind(one, WITHIN, TAG) for one in self.commands)
        outputs = "|".join(one.pattern for one in self.outputs)
        stamp = r"(?:\[?\d{4}-\d\d-\d\d[T ][0-9:.,]+(?:Z|[+-]\d\d:?\d\d)?\]? )?"
        written = rf"(?m)^(?:{ECHO}(?:{WITHIN}(?:\b|[./]))?(?:{kinds})|{stamp}(?:{outputs}))"
        return re2.compile(written.encode(), _options())

    @cached_property
    def output(self) -> Any:
        """What deploying tools print, as the beginning of a cleaned line."""
        return re2.compile(rf"^(?:{'|'.join(one.pattern for one in self.outputs)})")

    @cached_property
    def deploying(self) -> tuple[tuple[Any, Any, Command], ...]:
        """Each kind with the expression that its command must match from the start, and what makes it harmless."""
        return tuple(
            (
                re2.compile(rf"(?s)^(?:[^\s='\"]*/)?(?:{_kind(one, '.*?')})"),
                re2.compile(one.unless) if one.unless else None,
                one,
            )
            for one in self.commands
        )

    @cached_property
    def anywhere(self) -> Any:
        """The same for what a container is given to run."""
        kinds = "|".join(_kind(one, ".*?", TAG) for one in self.commands if one.doing)
        return re2.compile(rf"(?s)\s(?:[^\s=-]\S*/|/)?(?:{kinds})")


@cache
def rules() -> Rules:
    """As shipped. Raises ``UsageError`` for a mistake in the file."""
    return load_strictly(RULES_FILE, Rules)


def deployment_in(commands: Iterable[str]) -> str:
    """The first of ``commands`` that changes something outside of the build, as people write it; "" where none does."""
    for command in commands:
        if deploys(command):
            return _shown(command)
    return ""


def deploys(command: str) -> bool:
    """Whether a command as it was given to a shell, maybe of several lines, deploys."""
    return any(_deploys(one) for one in _simple_commands(re2.sub(r"\\\r?\n", " ", command)))


def _deploys(command: str) -> bool:
    """``command`` is a single one; what makes it harmless may also stand in what only runs it (RAILS_ENV=test)."""
    if re2.search(rules().harmless, command):
        return False
    for form in _unwrapped(command):
        for expression, unless, _ in rules().deploying:
            if expression.search(form) and not (unless and (unless.search(form) or unless.search(command))):
                return True
        if re2.search(rules().containers, form) and rules().anywhere.search(form):
            return True
    return False


def _simple_commands(text: str) -> Iterable[str]:
    """The commands that a shell would start one by one. A separator in quotes separates nothing."""
    if re2.search(r"\b(?:ba|z|da)?sh\s+-\w*c\b|\beval\b|Invoke-Expression", text):
        text = re2.sub(r"\b(?:ba|z|da)?sh\s+-\w*c\b|\beval\b|[\"']", ";", text)
    else:
        text = re2.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: re2.sub(r"[;&|\n`(]", " ", quoted.group()), text)
    for piece in re2.split(r"&&|\|\||[;|\n`]", text):
        yield piece.strip()
        yield from (inner.strip() for inner in piece.split("$(")[1:])


def _unwrapped(command: str) -> Iterable[str]:
    """The command as it stands, and without each of the words before it that only run it."""
    yield command
    for _ in range(6):  # "sudo -E env A=b bundle exec ..." has three; more than these is no usual command
        shorter = re2.sub(rules().wrappers, "", command).strip()
        if shorter == command:
            break
        yield shorter
        command = shorter


@dataclass(frozen=True, slots=True)
class Deployment:
    """``line`` is its number in the log, from 1; ``text`` is cleaned, redacted and capped."""

    line: int
    text: str


class DeploymentWatch:
    """A log that is read or written through this is searched on the way. Memory is bounded whatever its length."""

    def __init__(self, log: BinaryIO | None = None) -> None:
        self._log = log
        self._carried = b""
        self._lines_before = 0
        self._ended = False
        self._found: Deployment | None = None

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the log."""
        assert self._log is not None, "this watch is only written to"
        block = self._log.read(size)
        self.write(block)
        return block

    def write(self, block: bytes) -> int:
        """Takes the next bytes of a log that somebody else reads."""
        if self._found is None and block:
            self._search(self._carried + block, last=False)
        return len(block)

    @property
    def found(self) -> Deployment | None:
        """The first deployment of what has passed so far, the unfinished last line included."""
        if self._found is None and self._carried:
            self._search(self._carried, last=True)
        return self._found

    def _search(self, text: bytes, *, last: bool) -> None:
        end = len(text) if last else _end_of_commands(text)
        for hit in rules().search.finditer(text[:end]):
            command = _command_at(text[:end], hit.start())
            if rules().output.search(command) or deploys(command):
                line = self._lines_before + text.count(b"\n", 0, hit.start()) + 1
                self._found = Deployment(line, _shown(command))
                break
        self._lines_before += text.count(b"\n", 0, end)
        self._carried = text[end:] if not last else b""


def _command_at(text: bytes, start: int) -> str:
    """The whole line from ``start`` on, with the lines that go on with it, and without the mark of an echo."""
    end = _end_of_command(text, start)
    whole = "\n".join(clean(text[start : min(end, start + COMMAND_BYTES)].split(b"\n")))
    return str(re2.sub(_MARK, "", whole, count=1))


_MARK = r"^(?:\++ |\$ |> |\[command\]|##\[command\]|##\[group\]Run |Run |[A-Za-z]:\\[^>\n]*>)"


def _end_of_command(text: bytes, start: int) -> int:
    end = text.find(b"\n", start)
    while end > 0 and text[start:end].rstrip(b"\r").endswith(b"\\"):
        end = text.find(b"\n", end + 1)
    return len(text) if end < 0 else end


def _end_of_commands(text: bytes) -> int:
    """Behind the last line that is whole and does not go on, or near the start of a line that never ends."""
    end = text.rfind(b"\n") + 1
    while end and text[:end].rstrip(b"\r\n").endswith(b"\\") and len(text) - end < CARRIED_BYTES:
        end = text.rfind(b"\n", 0, end - 1) + 1
    return end if len(text) - end < CARRIED_BYTES else len(text)


def _shown(command: str) -> str:
    """One line of it for people."""
    return redact(" ".join(command.replace("\\\n", " ").split()))[:LONGEST_SHOWN]


def _kind(one: Command, between: str, tag: str = "") -> str:
    doing = rf"\s(?:{between}\s)?(?:{one.doing}){WORD_ENDS}" if one.doing else r"(?:\s|$)"
    return f"(?:{one.tool}){tag}{doing}"


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    return options
