"""How soon a question's facts are there: all systems up, and with each of them hanging in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import yaml

from bench.asking_world import LATE_SECONDS, SYSTEMS, AskingWorld, asking_world
from bench.questions import load
from bench.section import Row, Section, at_least, at_most
from crews.ask.answer import Answer
from crews.ask.job import Question, answer_question
from crews.runtime.systems import Systems
from opscrew import logs

ROOT = Path(__file__).resolve().parent.parent
FACTS_SECONDS, HANGING_SECONDS = 2.0, 5.0

ASKS = {
    "bitbucket": ("why did payments fail?", "what failed today?", "what changed in shop today?"),
    "kubernetes": ("is any pod crash looping?", "are all nodes ready?"),
    "victoriametrics": ("CPU of cart over the last hour", "how much memory does web use?"),
    "victorialogs": ("any errors in the logs?", "log errors of cart"),
    "alertmanager": ("which alerts fire now?",),
}
"""Questions that need the system."""

COMMANDS = ("is anything wrong?", "why did payments fail?", "is any pod crash looping?", "which alerts fire now?")


def measure(data: Path) -> Section:
    """Needs no data but its own questions."""
    del data
    logs.configure("console", "error")
    with tempfile.TemporaryDirectory() as folder, asking_world(Path(folder)) as world:
        tuned, held_out, _ = load()
        _ask(world, "is anything wrong?")  # loads what a daemon or a chat has loaded
        seconds = [_ask(world, one.question).seconds_to_facts for one in (*tuned, *held_out)]
        commands = [_command(world, Path(folder), question) for question in COMMANDS for _ in range(3)]
        hanging = {name: _hanging(world, name) for name in SYSTEMS}
    answers = [(name, answer) for name, found in hanging.items() for answer in found]
    named = sum(any(_means(name, one) for one in answer.unavailable) for name, answer in answers) / len(answers)
    return Section(
        "answer_time",
        "Time to the facts of an answer",
        f"{len(seconds)} written questions over the same sandboxes, each of which answers {LATE_SECONDS * 1000:.0f} ms "
        "late as in another building; no model. Then `crew ask --facts` as a command of its own, its start included, "
        "and at last each system takes questions and never answers.",
        [
            Row("facts after, median", f"{statistics.median(seconds):.2f} s"),
            at_most("facts after, slowest", max(seconds), FACTS_SECONDS, digits=2, unit=" s"),
            at_most("`crew ask --facts`, whole command, median", statistics.median(commands), FACTS_SECONDS,
                    digits=2, unit=" s"),
            *(
                at_most(f"facts while {name} hangs, slowest", max(one.seconds_to_facts for one in found),
                        HANGING_SECONDS, digits=2, unit=" s")
                for name, found in hanging.items()
            ),
            at_least("answers that name the system that hangs", named, 1.0, digits=2),
        ],
    )  # fmt: skip


def _ask(world: AskingWorld, question: str) -> Answer:
    return answer_question(world.context, Question(question, facts_only=True))


def _hanging(world: AskingWorld, name: str) -> list[Answer]:
    """With nothing warm, as in a command: a process that watches a cluster answers from its memory."""
    context = world.context
    world.pace.hanging = {name}
    try:
        with Systems(context.settings, context.clock, context.metrics) as systems:
            cold = AskingWorld(replace(context, systems=systems), world.pace)
            return [_ask(cold, question) for question in ASKS[name]]
    finally:
        world.pace.hanging = set()


def _means(name: str, told: str) -> bool:
    """Alertmanager is one of several sources of alerts and named as such."""
    return told.startswith("an alert source" if name == "alertmanager" else name)


def _command(world: AskingWorld, folder: Path, question: str) -> float:
    settings = world.settings
    assert settings.bitbucket is not None
    part = settings.bitbucket
    written = {
        "bitbucket": {"url": part.url, "workspace": part.workspace, "requests_per_hour": part.requests_per_hour},
        "kubernetes": [{"name": one.name, "kubeconfig": str(one.kubeconfig)} for one in settings.kubernetes],
        **{name: {"url": getattr(settings, name).url} for name in SYSTEMS[2:]},
    }
    file = folder / "crew.yaml"
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    token = part.token.get_secret_value() if part.token else ""
    environment = {"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder), "CREW_BITBUCKET__TOKEN": token}
    command = [sys.executable, str(ROOT / "main.py"), "--config", str(file), "ask", "--facts", "--json", question]
    began = time.monotonic()
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - began
