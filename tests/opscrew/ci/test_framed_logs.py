"""Failures as Bitbucket prints them: its own lines, the subject of a commit and echoed commands decide nothing.

``data/framed`` holds logs after public reports, with names and hosts replaced.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
import yaml

from demo.bitbucket.frames import FORMS, Checkout, Form, frame_texts, framed, random_subject
from opscrew.ci.explain.lines import Explanation, explain
from opscrew.ci.judge.classify import Classification, Verdict, classify

DATA = Path(__file__).with_name("data")
REPORTED = sorted((DATA / "framed").glob("*.log"))
CAUSES: dict[str, str] = yaml.safe_load((DATA / "framed" / "causes.yaml").read_text(encoding="utf-8"))
WRITTEN = [
    failure["log"]
    for path in sorted((DATA / "failures").glob("*.yaml"))
    for failure in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["failures"]
]


def told(log: str) -> tuple[Explanation, Classification]:
    explanation = explain(io.BytesIO(log.encode()))
    return explanation, classify(explanation)


def words(explanation: Explanation) -> list[str]:
    """Everything that is shown to a person or judged."""
    return [line.text for line in (*explanation.lines, *explanation.nearly, *explanation.beside)]


@pytest.mark.parametrize("path", REPORTED, ids=lambda path: path.stem)
def test_the_first_line_is_the_cause(path: Path) -> None:
    explanation, _ = told(path.read_text(encoding="utf-8"))
    assert CAUSES[path.stem] in explanation.lines[0].text, "\n".join(words(explanation))


@pytest.mark.parametrize("path", REPORTED, ids=lambda path: path.stem)
def test_nothing_of_the_frame_and_no_echo_is_shown_or_judged(path: Path) -> None:
    shown = "\n".join(words(told(path.read_text(encoding="utf-8"))[0]))
    for frame_word in ("HEAD is now at", "git clone", "Merged test suites", "artifact pattern", "Cache '", "\n+ "):
        assert frame_word not in "\n" + shown


@pytest.mark.parametrize("path", REPORTED, ids=lambda path: path.stem)
def test_a_reported_failure_is_judged_the_same_whatever_the_subject_says(path: Path) -> None:
    log = path.read_text(encoding="utf-8")
    subject = next(line for line in log.split("\n") if line.startswith("HEAD is now at")).split(" ", 5)[5]
    dice = random.Random(path.stem)
    before = told(log)
    for _ in range(5):
        after = told(log.replace(subject, random_subject(dice), 1))
        assert after == before


@pytest.mark.parametrize("form", FORMS)
def test_no_frame_changes_what_is_shown_or_judged(form: Form) -> None:
    """Of every failure that was written for the tests, with a subject and a branch drawn anew for each."""
    dice = random.Random(form)
    for log in WRITTEN[:: 1 + len(WRITTEN) // 60]:
        checkout = Checkout(subject=random_subject(dice), branch=random_subject(dice).replace(" ", "-"))
        bare, judged = told(log)
        inside, judged_inside = told(framed(log, form, checkout))
        assert words(inside) == words(bare), checkout
        assert (judged_inside.verdict, judged_inside.signature) == (judged.verdict, judged.signature), checkout


@pytest.mark.parametrize("subject", frame_texts().subjects)
def test_a_log_that_ends_after_the_setup_shows_nothing(subject: str) -> None:
    for form in FORMS:
        explanation, judged = told(framed("", form, Checkout(subject=subject)))
        assert words(explanation) == []
        assert explanation.output_lines == 0
        assert judged.verdict is Verdict.UNKNOWN


def test_a_long_log_keeps_the_same_lines_with_a_frame() -> None:
    """Longer than what is kept whole: the choice of lines is made without the frame as well."""
    dice = random.Random(5)
    lines = [f"compiling part {number} of {dice.getrandbits(30)}" for number in range(9000)]
    for number in range(100, 9000, 450):
        lines[number] = f"part{number}.c:{number}:7: error: no member named 'total{dice.getrandbits(20)}'"
    bare, _ = told("\n".join(lines))
    for form in FORMS:
        inside, _ = told(framed("\n".join(lines), form))
        assert words(inside) == words(bare)
        assert inside.lines[0].number - bare.lines[0].number == inside.lines[-1].number - bare.lines[-1].number > 0


def test_the_command_that_failed_is_told() -> None:
    explanation, _ = told(
        framed("+ npm ci\nadded 812 packages\n+ npm test\nFAIL src/cart.test.js\n", "2023", script="")
    )
    assert explanation.command is not None
    assert explanation.command.text == "+ npm test"
    explanation, _ = told(framed("npm ERR! code ECONNRESET", "2018"))
    assert explanation.command is not None
    assert explanation.command.text == "+ ./build.sh"


def test_words_beside_the_best_line_are_of_the_same_command() -> None:
    log = "+ npm ci\nnpm http fetch GET 503 attempt 1 failed\nadded 812 packages\n+ node check.js\nerror: prices old\n"
    explanation, _ = told(framed(log, "2023", script=""))
    assert not {line.text for line in explanation.beside} & {
        "npm http fetch GET 503 attempt 1 failed",
        "+ node check.js",
    }


@pytest.mark.parametrize(
    ("below", "cause"),
    [
        ("CONFLICT (content): Merge conflict in src/cart.ts", "CONFLICT (content)"),
        ("Container 'Build' exceeded memory limit.", "exceeded memory limit"),
        (
            "npm ERR! `npm ci` can only install packages when your package.json and package-lock.json are in sync.",
            "can only install",
        ),
        ("curl: (60) SSL certificate problem: unable to get local issuer certificate", "curl: (60)"),
    ],
)
def test_what_the_catalogue_knows_comes_first(below: str, cause: str) -> None:
    """Above its own consequences, and above complaints that look more like errors."""
    noise = [
        f"src/part{number}.ts({number},7): warning: error handling of part {number} failed" for number in range(20)
    ]
    log = "\n".join([*noise, below, "the step did not end well: an error", "make: *** [Makefile:12: all] Error 1"])
    explanation, _ = told(framed(log, "2023"))
    assert cause in explanation.lines[0].text
