"""What Bitbucket prints around the commands of a step, in the forms that logs of real runs show.

The sandbox's logs are printed in it. Tests and the benchmark wrap failures in every form and in subjects of every
wording, to show that nothing is judged by them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).with_name("logs") / "_frame.yaml"

Form = Literal["2023", "2018", "pipe", "cut"]
"""Today's setup and teardown, those of 2018, today's around a pipe, and a log that ends with the script's last line."""

FORMS: tuple[Form, ...] = get_args(Form)


class FrameTexts(BaseModel):
    """logs/_frame.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup_2023: str
    setup_2018: str
    pipe: str
    command: str
    teardown_2023: str
    teardown_2018: str
    subjects: tuple[str, ...]
    subject_words: tuple[str, ...]


@dataclass(frozen=True)
class Checkout:
    """What is checked out, and in which image the step runs."""

    commit: str = "4f1d2c3b5a6978e0d1c2b3a4f5e6d7c8b9a0f1e2"
    branch: str = "main"
    subject: str = "Round totals in cart"
    image: str = "library/node:22"


@cache
def frame_texts() -> FrameTexts:
    """The texts, read once."""
    return FrameTexts.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def framed(output: str, form: Form, checkout: Checkout = Checkout(), script: str = "./build.sh") -> str:
    """The log of a step in which ``script``, or the pipe of that image, printed ``output``. With no script, the output
    begins with an echo of its own."""
    texts = frame_texts()
    setup = texts.setup_2018 if form == "2018" else texts.setup_2023
    command = (texts.pipe if form == "pipe" else texts.command).replace("{script}", script) if script else ""
    teardown = {"2018": texts.teardown_2018, "cut": ""}.get(form, texts.teardown_2023)
    setup = setup.replace("{commit}", checkout.commit).replace("{short}", checkout.commit[:7])
    setup = setup.replace("{branch}", checkout.branch).replace("{image}", checkout.image)
    ended = "" if form == "cut" or output.endswith("\n") else "\n"
    return setup.replace("{subject}", checkout.subject) + command + output + ended + teardown


def random_subject(dice: random.Random) -> str:
    """As people write them: one of the written ones, or some words one after the other."""
    texts = frame_texts()
    if dice.random() < 0.5:
        return dice.choice(texts.subjects)
    return " ".join(dice.choice(texts.subject_words) for _ in range(dice.randint(1, 9)))
