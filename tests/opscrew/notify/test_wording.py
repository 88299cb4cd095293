"""Messages are short, name the object, say what to do, hold no secrets and wake nobody by a name from outside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opscrew import redaction
from opscrew.errors import UsageError
from opscrew.model.finding import Severity
from opscrew.notify import wording
from opscrew.notify.events import What
from opscrew.notify.wording import MOST_LINES, Told, compose, uncertain_before
from opscrew.strict_yaml import load_strictly

FACTS = {
    "id": "abc123",
    "title": "A volume is full",
    "subject": "PersistentVolumeClaim prod/shop/data",
    "cause": "data is full",
    "next_step": "Make room.",
    "note": "policy says approve",
    "url": "http://grafana/d/1",
    "age": "3 hours",
}
EVENTS = [what for what in What if what not in (What.START, What.DIGEST)]


def told(number: int = 0, what: What = What.NEW, severity: Severity = Severity.WARNING, **facts: str) -> Told:
    return Told(f"thing{number}", what, severity, {**FACTS, **facts})


def standing(what: What, n_open: int) -> Told:
    top = [
        {**FACTS, "id": f"f{n}", "subject": f"Pod prod/web-{n}", "severity": "warning"} for n in range(min(5, n_open))
    ]
    counts = {"critical": 0, "warning": n_open, "info": 0}
    return Told("", what, Severity.INFO, {"counts": counts, "top": top, "day": "2026-10-25"})


@pytest.mark.parametrize("what", EVENTS)
def test_each_event_names_the_object_in_few_lines(what: What) -> None:
    text = compose([told(what=what)])
    assert len(text.lines) < MOST_LINES
    assert "PersistentVolumeClaim prod/shop/data" in text.lines[0]
    assert "A volume is full" in text.title
    assert "{" not in text.title + "".join(text.lines)


@pytest.mark.parametrize("what", EVENTS)
def test_lines_without_content_are_left_out(what: What) -> None:
    text = compose([Told("x", what, Severity.WARNING, {"title": "A volume is full", "subject": "Pod a", "id": "1"})])
    assert not any(line.endswith((": ", ":", "because ")) for line in text.lines)


@pytest.mark.parametrize("what", [What.START, What.DIGEST])
@pytest.mark.parametrize("n_open", [0, 1, 700])
@pytest.mark.parametrize("n_held", [0, 1, 700])
def test_summaries_stay_short_and_count_all(what: What, n_open: int, n_held: int) -> None:
    text = compose([standing(what, n_open), *(told(number) for number in range(n_held))], "An earlier message …")
    assert len(text.lines) < MOST_LINES
    body = "\n".join(text.lines)
    assert (f"{n_open} warnings" in body) == (n_open > 0)
    if what is What.DIGEST:
        assert f"{n_open} open" in text.title
        assert (f"{n_held} new" in body) == (n_held > 0)
    assert text.lines[-1].startswith(("All of it", "What was there"))


def test_the_gravest_stand_first_and_what_is_over_last() -> None:
    rows = [
        told(1, What.FIXED, subject="Pod a"),
        told(2, severity=Severity.WARNING, subject="Pod b"),
        told(3, severity=Severity.CRITICAL, subject="Pod c"),
    ]
    named = [line for line in compose(rows).lines if line.startswith("•")]
    assert [line.rpartition(" ")[2] for line in named] == ["c", "b", "a"]


def test_of_one_thing_the_last_word_is_told() -> None:
    text = compose([told(1), told(1, What.FIXED)])
    assert text.title == "Fixed: A volume is full"


def test_secrets_are_taken_out() -> None:
    redaction.mask_also(["hunter2-of-the-team"])
    try:
        text = compose([told(cause="login with hunter2-of-the-team and Bearer abcdefghijklmnop.qrstuvwxyz012345")])
    finally:
        redaction.forget_own()
    assert "hunter2" not in "\n".join(text.lines)


@pytest.mark.parametrize("word", ["@everyone", "@here", "@channel", "@all", "<!here>", "<@U024BE7LH>", "<#C024BE7LR>"])
def test_names_are_no_orders_to_a_chat(word: str) -> None:
    text = compose([told(subject=f"Pod {word}", cause=f"made by {word}", title=word)])
    assert word not in text.title + "\n".join(text.lines)


def test_mail_addresses_and_images_stay_as_they_are() -> None:
    text = compose([told(cause="ada@example.com pushed shop@sha256:12ab")])
    assert "ada@example.com pushed shop@sha256:12ab" in text.lines


def test_a_text_of_many_lines_and_great_length_is_one_short_line() -> None:
    text = compose([told(cause="a\nb\r\n" + "x" * 10_000)])
    assert all(len(line) <= 300 and "\n" not in line for line in text.lines)


def test_curly_brackets_in_names_are_text() -> None:
    text = compose([told(subject="Pod {0}", cause="{cause} {__class__}")])
    assert "{cause} {__class__}" in text.lines


def test_doubt_stands_first() -> None:
    doubt = uncertain_before("New critical: A volume is full", datetime(2026, 10, 6, 12, tzinfo=UTC))
    assert compose([told()], doubt).lines[0].startswith("An earlier message (2026-10-06 12:00 UTC) may not")


def test_a_field_that_is_none_is_a_mistake_with_its_line(tmp_path) -> None:
    path = tmp_path / "wording.yaml"
    path.write_text(wording.WORDING_FILE.read_text().replace("{next_step}", "{nextstep}"))
    with pytest.raises(UsageError, match="no field nextstep"):
        load_strictly(path, wording.Wording)
