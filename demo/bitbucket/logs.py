"""Puts a step's log together: Bitbucket's own beginning and end (frames.py) around a text of logs/<language>.yaml.

All texts were written for this sandbox. ``<esc>`` stands for the escape character and ``<cr>`` for a carriage return,
which YAML blocks cannot hold in a readable way.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from demo.bitbucket.frames import Checkout, framed

FOLDER = Path(__file__).with_name("logs")


class LanguageLogs(BaseModel):
    """``noise`` holds lines that a build of this kind prints by the dozen; ``{n}`` counts them. ``pipe`` is the image
    of a pipe that prints the texts, which then hold no echo of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str
    pipe: str = ""
    commands: tuple[str, ...]
    noise: tuple[str, ...] = ()
    passing: str
    flaky: str
    failing: str
    persistent: str
    outage: str


@cache
def languages() -> tuple[str, ...]:
    """Names of the languages there are logs for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml") if not path.stem.startswith("_")))


@cache
def language(name: str) -> LanguageLogs:
    """The texts of one language. ``KeyError`` lists the ones there are."""
    if name not in languages():
        raise KeyError(f"no logs for {name!r}; there are: {', '.join(languages())}")
    return LanguageLogs.model_validate(yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


@cache
def build_log(
    name: str, kind: str, commit: str, branch: str, seed: int, subject: str = "Round totals in cart"
) -> bytes:
    """The complete log of a step; empty for kind "". The same arguments give the same bytes."""
    if not kind:
        return b""
    texts = language(name)
    dice = random.Random(f"{seed}/{name}/{kind}/{commit}")
    body: list[str] = getattr(texts, kind).splitlines()
    noise = [dice.choice(texts.noise).replace("{n}", str(n)) for n in range(1, dice.randint(12, 60))]
    lines = body[:1] + (noise if texts.noise else []) + body[1:]
    checkout = Checkout(commit, branch, subject, f"library/{texts.image}")
    whole = framed("\n".join(lines) + "\n", "pipe" if texts.pipe else "2023", checkout, texts.pipe)
    return whole.replace("<esc>", "\x1b").replace("<cr>", "\r").encode()
