"""`make mutants`: draws small changes of a module and runs its tests beside each. One that no test notices is told.

Everything happens in a copy of the tree, so nothing has to be put back, however it ends. The map from modules to tests
is ``mutants.yaml``. Each run has a time: a mutant that goes round for ever counts as noticed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench.mutations import Mutation, compiles, mutations
from opscrew.strict_yaml import read_strictly

ROOT = Path(__file__).resolve().parent.parent
MAP_FILE = Path(__file__).with_name("mutants.yaml")

SLOWEST = 6
"""Times as long as the tests take without a change, after which a run is ended."""

LEAST_SECONDS = 60


@dataclass(frozen=True)
class Result:
    """``survived`` holds the changes that no test noticed, each as a line for people."""

    module: str
    drawn: int
    equivalent: int
    survived: tuple[str, ...]

    @property
    def killable(self) -> int:
        return self.drawn - self.equivalent

    def __str__(self) -> str:
        killed = self.killable - len(self.survived)
        share = f"{killed / self.killable:.0%}" if self.killable else "none"
        told = f"{self.module}: {killed} of {self.killable} noticed ({share}), {self.equivalent} equivalent"
        return "\n".join([told, *(f"  survived: {one}" for one in self.survived)])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--module", default="", help="one module of mutants.yaml; without it all of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=15, help="changes drawn of each module; 0 takes all")
    given = parser.parse_args(arguments)
    known = read_strictly(MAP_FILE)[0]
    modules = [given.module] if given.module else list(known["modules"])
    if unknown := [one for one in modules if one not in known["modules"]]:
        print(f"{unknown[0]} is not in {MAP_FILE.name}; it knows {', '.join(known['modules'])}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the copy and the running tests go too
    results = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copy_of_the_tree(Path(folder))
        for module in modules:
            equivalent = known["equivalent"].get(module, [])
            results.append(measure(tree, module, known["modules"][module], equivalent, given.seed, given.count))
            print(results[-1], flush=True)
    killable, survived = sum(one.killable for one in results), sum(len(one.survived) for one in results)
    print(f"all: {killable - survived} of {killable} noticed (seed {given.seed})")
    return 1 if survived else 0


def copy_of_the_tree(folder: Path) -> Path:
    """What git knows of, as it is now, with the same environment."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    tree = folder / "tree"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(ROOT / ".venv")
    return tree


def measure(
    tree: Path, module: str, tests: list[str], equivalent: list[dict[str, str]], seed: int, count: int
) -> Result:
    """Runs the drawn mutants of one module. Raises ``SystemExit`` when its tests fail without any."""
    text = (ROOT / module).read_text(encoding="utf-8")
    drawn = draw(text, f"{seed} {module}", count)
    began = time.monotonic()
    if notices(tree, tests, 3_600):
        raise SystemExit(f"{module}: its tests fail without any change")
    limit = max(LEAST_SECONDS, SLOWEST * (time.monotonic() - began))
    survived, skipped = [], 0
    for mutation in drawn:
        if any(_is(mutation, text, one) for one in equivalent):
            skipped += 1
            continue
        (tree / module).write_text(mutation.applied(text), encoding="utf-8")
        if not notices(tree, tests, limit):
            survived.append(f"line {mutation.line}: {mutation.told(text)}   in: {_line(mutation, text)}")
    (tree / module).write_text(text, encoding="utf-8")
    return Result(module, len(drawn), skipped, tuple(survived))


def draw(text: str, seed: str, count: int) -> list[Mutation]:
    """``count`` of the mutations of a text, in its order; 0 takes all."""
    found = mutations(text)
    random.Random(seed).shuffle(found)
    fit = (one for one in found if compiles(one, text))
    return sorted(islice(fit, count or None), key=lambda one: one.start)


def notices(tree: Path, tests: Sequence[str], seconds: float) -> bool:
    """Whether a test fails, or does not end in time."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "not postgresql"]
    return not ends_well([*pytest, *tests], tree, seconds)


def ends_well(command: Sequence[str], folder: Path, seconds: float) -> bool:
    """Whether a command ends with 0 in time. Nothing that it started is left behind."""
    run = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return run.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        # Also what it started: a mutant may leave servers or endless loops behind.
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def _is(mutation: Mutation, text: str, known: dict[str, str]) -> bool:
    return known["in"] in _line(mutation, text) and known["change"] == mutation.told(text)


def _line(mutation: Mutation, text: str) -> str:
    return text.splitlines()[mutation.line - 1].strip()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
