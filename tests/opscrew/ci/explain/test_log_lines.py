"""The lines of a log: numbered as people count them, cleaned, and read in bounded memory."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path

import pytest

from opscrew.ci.explain.log_lines import LONGEST_LINE, TAIL_LINES, clean, read_lines


def lines_of(text: bytes, passing: bytes | None = None) -> dict[int, str]:
    read = read_lines(io.BytesIO(text), None if passing is None else io.BytesIO(passing))
    return dict(zip(read.numbers, read.texts, strict=True))


def test_numbers_count_line_feeds_alone() -> None:
    read = read_lines(io.BytesIO(b"one\rone again\r\ntwo\n\x0bthree\n"))
    assert read.numbers == [1, 2, 3]
    assert read.texts == ["one again", "two", "three"]
    assert (read.total, read.before, read.after) == (4, 0, 1)


def test_empty_lines_at_both_ends_are_counted_and_not_kept() -> None:
    assert lines_of(b"") == {}
    assert lines_of(b"\n\none\n\ntwo\n\n") == {3: "one", 4: "", 5: "two"}


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[31;1mred\x1b[0m and \x1b[1mbold\x1b[22m", "red and bold"),
        (b" 10%\r 50%\r100% done", "100% done"),
        (b"travis_fold:end:x\r\x1b[0K$ make", "$ make"),
        (b"2026-10-06T09:11:02.8577255Z   at Order.total", "  at Order.total"),
        (b"[task 2026-10-06T21:45:24.968Z] 21:45:24     INFO - started", "    INFO - started"),
        (b"[12:30:01] Starting", "Starting"),
        (b"12 apples", "12 apples"),
        (b"build\tRun make\t2026-10-06T09:11:02.8577255Z make: *** [all] Error 2", "make: *** [all] Error 2"),
        (b"main.go\t12\t2026", "main.go\t12\t2026"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b[999;999Hbell\x07 and \xc2\x9bcontrol", "bell and control"),
        ("left \u202eright".encode(), "left right"),
        (b"a lone escape \x1b", "a lone escape"),
        (b"section_start:1759741200:build\r\x1b[0KBuilding", "Building"),
        (b"\xff\xfe broken utf-8", "\ufffd\ufffd broken utf-8"),
    ],
)
def test_a_line_reads_as_on_a_terminal(raw: bytes, shown: str) -> None:
    assert clean([raw]) == [shown]


def test_cleaning_keeps_the_number_of_lines_whatever_the_bytes() -> None:
    noise = random.Random(7).randbytes(200_000)
    raw = noise.split(b"\n")
    assert len(clean(raw)) == len(raw)


def test_the_middle_of_a_long_log_is_kept_where_it_looks_like_an_error() -> None:
    quiet = [b"compiling part %d" % number for number in range(3 * TAIL_LINES)]
    quiet[500:502] = [b"Traceback (most recent call last):", b'  File "orders.py", line 3']
    kept = lines_of(b"\n".join(quiet))
    assert kept[501].startswith("Traceback")
    assert kept[502].startswith("  File")
    assert 499 in kept, "the lines above belong to it"
    assert 1200 not in kept
    assert 3 * TAIL_LINES in kept


def test_a_habit_is_not_a_candidate() -> None:
    quiet = [b"retry %d failed, going on" % number for number in range(6 * TAIL_LINES)]
    assert len(lines_of(b"\n".join(quiet))) < TAIL_LINES + 100


def test_with_a_passing_log_lines_count_as_unseen_but_for_numbers_and_hashes() -> None:
    passing = b"built in 12.3 s\ncommit 8829199708da\nall is well"
    failing = b"built in 99.1 s\ncommit 31fe2ccf2774\nsomething new"
    read = read_lines(io.BytesIO(failing), io.BytesIO(passing))
    assert read.unseen == [False, False, True]


def test_red_is_noticed_before_colours_are_taken_away() -> None:
    assert read_lines(io.BytesIO(b"\x1b[31mbad\x1b[0m\n\x1b[32mgood\x1b[0m\nplain")).red == [True, False, False]


def test_a_line_longer_than_a_block_keeps_its_beginning_and_its_end() -> None:
    text = lines_of(b"before\nerror: " + b"x" * 5_000_000 + b"\nafter")
    assert text[2].startswith("error: xxx")
    assert len(text[2]) == LONGEST_LINE
    assert text[3] == "after"


MEASURE = """
import re, sys
sys.path.insert(0, sys.argv[1])
from opscrew.ci.explain.lines import explain

class Endless:
    '''A log of so many bytes that is never in memory as a whole.'''
    def __init__(self, block, times): self.block, self.times = block, times
    def read(self, size):
        if not self.times: return b''
        self.times -= 1
        return self.block

kind, megabytes = sys.argv[2], int(sys.argv[3])
line = b'x' * (1 << 20) if kind == 'one_line' else b''.join(
    b'step %d: copying part number %d of many\\n' % (n, n * 7919) if n % 9 else b'error %d: try again\\n' % n
    for n in range(30_000))[: 1 << 20]
found = explain(Endless(line, megabytes))
# The kernel's other count, ru_maxrss, would begin with the size of the test run that started this process.
peak = re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())
print(int(peak[1]) // 1024, found.total_lines, len(found.lines))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of one program")
@pytest.mark.parametrize(("kind", "megabytes"), [("one_line", 50), ("lines", 60)])
def test_memory_is_bounded(kind: str, megabytes: int) -> None:
    """60 MB here for the sake of time; the benchmark measures 200 MB in the same way."""
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root), kind, str(megabytes)], capture_output=True, text=True, check=True
    )
    megabytes_used, total, shown = map(int, done.stdout.split())
    assert megabytes_used < 150
    assert total > (1_000_000 if kind == "lines" else 0)
    assert 1 <= shown <= 60
