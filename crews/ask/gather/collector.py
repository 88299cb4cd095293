"""What every collector is given and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crews.runtime.context import CrewContext
from opscrew.answer.packet import Fact, shortened
from opscrew.answer.understand.intents import Intent, intents
from opscrew.answer.understand.question import TURNS_READ, Understanding, span_of
from opscrew.answer.understand.subjects import build_of, repository_of
from opscrew.memory.turns import Conversation
from opscrew.settings import KubernetesSettings


@dataclass(frozen=True)
class Request:
    """One question, understood. ``now`` is the moment it was asked; ``start`` None means the present state.
    ``names`` are those that records know of, whether the question means them or not."""

    context: CrewContext
    question: str
    understood: Understanding
    now: datetime
    conversation: Conversation | None = None
    names: tuple[str, ...] = ()

    @property
    def intent(self) -> Intent:
        return intents()[self.understood.intent]

    @property
    def start(self) -> datetime | None:
        return span_of(self.understood, self.now)[0]

    @property
    def end(self) -> datetime:
        return span_of(self.understood, self.now)[1]

    @property
    def spoken(self) -> tuple[str, ...]:
        """The question, and where it leans on the conversation, the ones before, the latest first."""
        before = self.conversation.turns[::-1] if self.conversation and self.understood.is_follow_up else ()
        return (self.question, *(turn.question for turn in before[:TURNS_READ]))

    @property
    def repository(self) -> str:
        """The slug that the question names, else ""."""
        found = repository_of(self.understood.subjects)
        return found.name if found else ""

    @property
    def repositories(self) -> tuple[str, ...]:
        """The slugs of all that it names, in order."""
        return tuple(dict.fromkeys(one.name for one in self.understood.subjects if one.kind == "repository"))

    @property
    def build(self) -> int:
        return build_of(self.understood.subjects)

    @property
    def clusters(self) -> Sequence[KubernetesSettings]:
        """The configured clusters that the question names, else all."""
        names = {one.name for one in self.understood.subjects if one.kind == "cluster"}
        parts = self.context.settings.kubernetes
        return [part for part in parts if part.name in names] or parts

    def when(self, moment: datetime) -> str:
        """In the zone of the settings, with the day only where it is another one than today."""
        local, today = moment.astimezone(self.context.settings.zone), self.now.astimezone(self.context.settings.zone)
        return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"


@dataclass
class Gathered:
    """``looked_at`` says in words what was asked, also where nothing was found; ``unavailable`` what did not answer,
    and ``not_measured`` of what did answer, what it does not hold or was not asked for."""

    facts: list[Fact] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    unavailable: list[str] = field(default_factory=list)
    not_measured: list[str] = field(default_factory=list)

    def take(self, looks_at: str, found: Sequence[Fact]) -> None:
        """Keeps what one collector found. One that found gaps alone has looked at nothing."""
        gaps = [shortened(f"{fact.source}: {fact.text}") for fact in found if fact.is_gap]
        self.not_measured += [gap for gap in gaps if gap not in self.not_measured]
        self.facts += [fact for fact in found if not fact.is_gap]
        if not found or len(gaps) < len(found):
            self.looked_at.append(looks_at)


@dataclass(frozen=True)
class Collector:
    """``collect`` may raise ``UpstreamError``; the system is then named as unavailable. ``system`` is what people
    call it. ``is_configured`` false means that it is not asked: it takes all of ``needs`` and one of ``either``."""

    name: str
    system: str
    looks_at: str
    collect: Callable[[Request], Sequence[Fact]]
    needs: tuple[str, ...] = ()
    either: tuple[str, ...] = ()

    def is_configured(self, context: CrewContext) -> bool:
        settings = context.settings
        return all(getattr(settings, part) for part in self.needs) and (
            not self.either or any(getattr(settings, part) for part in self.either)
        )
