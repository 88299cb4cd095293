"""One scripted hour in the sandbox: what `crew demo` shows, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demo.bitbucket.world import World

REPOSITORIES = {
    "shop": "python",
    "payments": "maven",
    "search": "go",
    "web": "node",
    "infra": "terraform",
    "catalogue": "python",
    "emails": "python",
    "invoices": "python",
    "returns": "python",
    "stock": "python",
    "vouchers": "python",
}
"""Slug and language. The language decides which logs its pipelines write."""

MINUTES = 60


@dataclass(frozen=True)
class Event:
    """At ``minute`` somebody does something; ``fate`` names a scenario of scenarios.yaml."""

    minute: int
    kind: Literal["push", "pull_request", "outage_ends"]
    slug: str = ""
    fate: str = ""
    message: str = ""
    branch: str = "main"


HOUR = (
    Event(0, "push", "shop", "passing", "Show the delivery date in the cart"),
    Event(0, "push", "web", "passing", "Smaller pictures on the start page"),
    Event(1, "push", "shop", "flaky", "Round reduced tax rates per line"),
    Event(3, "push", "payments", "failing", "Refunds in parts"),
    Event(6, "push", "infra", "persistent", "Second zone for the database"),
    Event(9, "push", "search", "deploy_flaky", "Synonyms for sizes"),
    Event(12, "push", "payments", "flaky", "Refunds in parts, with the missing case", branch="refunds"),
    Event(15, "pull_request", "web", "stopped", "Try a new bundler", branch="bundler"),
    *(
        Event(18, "push", slug, "outage", "Update dependencies")
        for slug in ("catalogue", "emails", "invoices", "returns", "shop", "stock", "vouchers")
    ),
    Event(34, "outage_ends"),
    Event(36, "push", "stock", "passing", "Labels in two sizes", branch="labels"),
    Event(40, "push", "payments", "passing", "Refunds in parts, done right"),
    Event(48, "push", "search", "runner_lost", "Faster index"),
)
"""In order of time. The outage takes seven repositories and ends sixteen minutes later, which the next push shows."""


def furnish(world: World) -> None:
    """The repositories and runners that the hour needs."""
    for slug, language in REPOSITORIES.items():
        world.add_repository(slug, language)
    world.add_runner("builder-1")


def play(world: World, minute: int) -> tuple[Event, ...]:
    """Lets everything of that minute happen, and returns it."""
    due = tuple(event for event in HOUR if event.minute == minute)
    for event in due:
        if event.kind == "push":
            world.push(event.slug, event.fate, branch=event.branch, message=event.message)
        elif event.kind == "pull_request":
            world.open_pull_request(event.slug, event.fate, source=event.branch, title=event.message)
        else:
            world.end_outage()
    return due
