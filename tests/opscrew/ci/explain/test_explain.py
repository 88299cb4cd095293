"""Explaining lines: what a person would mark comes first, what build tools always print stays out."""

from __future__ import annotations

import io
import random

import pytest

from opscrew.ci.explain.explanation_length import FEWEST
from opscrew.ci.explain.lines import ExplainedLine, Explanation, explain, surroundings


def explained(log: str, **options: int) -> Explanation:
    return explain(io.BytesIO(log.encode()), **options)  # type: ignore[arg-type]


def numbered(log: str, part: str) -> int:
    """The number of the first line of ``log`` with ``part`` in it."""
    return next(number for number, line in enumerate(log.split("\n"), 1) if part in line)


SETUP = "\n".join(f"Downloading package-{number} ({number} kB)" for number in range(200))

PYTHON = f"""+ pip install -r requirements.txt
{SETUP}
Successfully installed everything
+ pytest -q
........................
=================================== FAILURES ===================================
_____________________________ test_total_with_tax ______________________________

    def test_total_with_tax():
>       assert total([1, 2], tax=0.5) == 4.5
E       assert 3.0 == 4.5

tests/test_orders.py:12: AssertionError
=========================== short test summary info ============================
FAILED tests/test_orders.py::test_total_with_tax - assert 3.0 == 4.5
1 failed, 24 passed in 0.31s
Build teardown
Searching for test report files
"""

COMPILER = f"""$ make
{SETUP}
gcc -O2 -c lexer.c
gcc -O2 -c parser.c
parser.c:41:7: error: use of undeclared identifier 'tokn'
      tokn = next();
      ^~~~
1 error generated.
make: *** [Makefile:12: parser.o] Error 1
The command "make" exited with 2.
Uploading cache
Done. Your build exited with 1.
"""

JAVA = f"""[INFO] Scanning for projects...
{SETUP}
[INFO] Running com.acme.OrderTest
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 s <<< FAILURE! - in com.acme.OrderTest
[ERROR] com.acme.OrderTest.total  Time elapsed: 0.01 s  <<< FAILURE!
java.lang.AssertionError: expected:<4.5> but was:<3.0>
\tat org.junit.Assert.fail(Assert.java:87)
\tat com.acme.OrderTest.total(OrderTest.java:31)
[INFO] ------------------------------------------------------------------------
[INFO] BUILD FAILURE
[INFO] ------------------------------------------------------------------------
[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.
[ERROR] For more information about the errors and possible solutions, please read the following articles:
"""


@pytest.mark.parametrize(
    ("log", "wanted"),
    [
        (PYTHON, "E       assert 3.0 == 4.5"),
        (COMPILER, "undeclared identifier"),
        (JAVA, "expected:<4.5> but was:<3.0>"),
    ],
)
def test_the_cause_is_among_the_first_lines(log: str, wanted: str) -> None:
    lines = explained(log).lines
    assert numbered(log, wanted) in [line.number for line in lines[:8]]
    assert len(lines) < 40, "two hundred downloads explain nothing"


def test_a_stack_trace_is_kept_whole() -> None:
    numbers = {line.number for line in explained(JAVA).lines}
    start = numbered(JAVA, "AssertionError: expected")
    assert {start, start + 1, start + 2} <= numbers


def test_advice_that_follows_every_failure_ranks_below_the_failure() -> None:
    order = [line.number for line in explained(JAVA).lines]
    advice = numbered(JAVA, "re-run Maven")
    assert advice not in order or order.index(advice) > order.index(numbered(JAVA, "AssertionError: expected"))


def test_a_passing_log_takes_away_what_it_says_too() -> None:
    habit = "error: cannot reach the licence server, going on without it\n"
    passing = SETUP + "\n" + habit + "tests: 25 passed\n"
    failing = SETUP + "\n" + habit + "the price list has no entry for plums\ntests: 24 passed\n"
    alone = explain(io.BytesIO(failing.encode()))
    compared = explain(io.BytesIO(failing.encode()), passing=io.BytesIO(passing.encode()))
    assert alone.lines[0].number == numbered(failing, "licence server")
    assert compared.lines[0].number == numbered(failing, "no entry for plums")


def test_the_budget_is_a_ceiling_and_fewer_lines_are_a_prefix() -> None:
    log = "\n".join(f"module{number}.c:3: error: unknown type name" for number in range(300))
    many, few = explained(log), explained(log, budget=5)
    assert len(many.lines) <= 60
    assert [line.number for line in few.lines] == [line.number for line in many.lines[:5]]


def test_the_same_log_gives_the_same_answer() -> None:
    assert explained(PYTHON) == explained(PYTHON)


def test_secrets_do_not_leave() -> None:
    log = "$ deploy\nerror: login failed for https://ci:correct-horse-battery@git.example.com/shop\n"
    texts = " ".join(line.text for line in explained(log).lines)
    assert "correct-horse" not in texts
    assert "[redacted]" in texts


def test_an_empty_log_explains_nothing() -> None:
    assert explained("").lines == ()
    assert explained("\n\n\n").total_lines == 4


def test_random_bytes_give_an_answer_of_ordinary_size() -> None:
    found = explain(io.BytesIO(random.Random(3).randbytes(1_000_000)))
    assert FEWEST <= len(found.lines) <= 60
    assert all(len(line.text) <= 500 for line in found.lines)


def test_a_budget_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1, not 0"):
        explained("x", budget=0)


def test_the_empty_end_of_a_log_explains_nothing() -> None:
    log = "".join(f"step {number} compiling\n" for number in range(5000)) + "npm ERR! code ECONNRESET\n\n\n"
    explained = explain(io.BytesIO(log.encode()))
    assert explained.lines[0].number == 5001
    assert all(line.number <= 5001 for line in explained.lines)


TEARDOWNS = pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("Build teardown", 'Cache "node": Error downloading cache: read tcp 10.0.0.7:53122: connection reset by peer'),
        ("Post job cleanup.", "Failed to save: Unable to reserve cache with key maven-1, another job may create it."),
        ("[Pipeline] // node", "Finished: FAILURE"),
        ("Uploading artifacts for failed job", "ERROR: No files to upload"),
    ],
)
"""What CI systems print above their clean-up, and a line of it that sounds like an error."""

COMPILER = "main.c:4:1: error: expected ';'\nmake: *** [all] Error 1"


@TEARDOWNS
def test_known_lines_of_the_systems_own_clean_up_are_neither_shown_nor_beside(heading: str, known: str) -> None:
    log = f"+ make\n{SETUP}\n{COMPILER}\n{heading}\n{known}"
    told = explained(log)
    assert told.lines[0].text.startswith("main.c:4:1")
    assert all(line.number < numbered(log, heading) for line in (*told.lines, *told.nearly, *told.beside))


@TEARDOWNS
def test_an_error_below_the_heading_of_a_clean_up_is_shown_without_the_known_lines(heading: str, known: str) -> None:
    log = f"+ make\n{SETUP}\n{heading}\n{COMPILER}\n{heading}\n{known}"
    told = explained(log)
    assert [line.text for line in told.lines[:2]] == COMPILER.split("\n")
    assert not {heading, known} & {line.text for line in (*told.lines, *told.nearly, *told.beside)}


def test_what_is_beside_a_line_are_two_above_and_six_below() -> None:
    line = ExplainedLine(10, "error", 1.0)
    assert surroundings([line]) == {8, 9, 10, 11, 12, 13, 14, 15, 16}


def of_lines(*lines: str) -> Explanation:
    return explained("\n".join(lines))


def test_the_command_that_printed_the_best_line_is_named_and_no_other() -> None:
    found = of_lines(
        "+ pip install -r requirements.txt", "Collecting flask", "+ pytest -q", "E   assert 1 == 2", "+ ls"
    )
    assert found.command is not None
    assert (found.command.number, found.command.text) == (3, "+ pytest -q")
    first = of_lines("+ pytest -q", "FAILED tests/test_a.py::test_b - assert 1 == 2", "+ ls")
    assert first.command is not None
    assert first.command.number == 1


def test_the_last_command_is_the_last_that_printed_anything_besides_tidying() -> None:
    """Of the first command of all it need not be known: nothing was begun before it."""
    begin = ("+ mkdir build", "made")
    assert of_lines(*begin, "+ pytest -q", "E   assert 1 == 2", "+ true").last_command == 3
    assert of_lines(*begin, "+ pip install x", "done", "+ pytest -q", "E   assert 1 == 2").last_command == 5
    assert of_lines(*begin, "+ pip install x", "done", "+ pytest -q", "", "  ").last_command == 3, "blank says nothing"
    assert of_lines("nothing is echoed", "E   assert 1 == 2").last_command == 0
    # What tidies up printed the last words: they are not those of the command before it.
    assert of_lines(*begin, "+ pytest -q", "+ ls build", "a.txt").last_command == 0
    assert of_lines(*begin, "+ pytest -q", "E   assert 1 == 2", "+ ls build", "a.txt").last_command == 3


def test_what_the_commands_printed_is_counted_without_echoes() -> None:
    assert of_lines("+ pytest -q", "E   assert 1 == 2", "+ ls").output_lines == 1
    assert of_lines("+ pytest -q", "+ ls", "+ true").output_lines == 0
    assert of_lines("+ pytest -q", "", "   ").output_lines == 0, "blank lines are no output"
