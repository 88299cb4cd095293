"""What the model may say of an alert: only what the evidence holds, and a choice only among the ranked causes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crews.alert_triage import model_choice as alert_reasoning
from crews.alert_triage.model_choice import Opinion, opinion
from demo.ollama.script import Speaker, answers, calls, says
from opscrew.alerts.causes import Candidate, Clue, Ownership
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.settings import ModelSettings, Settings
from tests.support.model_host import Setup, import_libraries, team_with

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)
TITLE = "PodsRestart in shop (warning)"
ROLLED = "Deployment web was rolled out to revision 2 with the image web:2"
CRASHES = "Pod crashes again and again: Pod web-2-abc. Container web exits with 1"
LINES = (Evidence(source="victorialogs patterns", text="40 lines, 0 in the hour before: boom", observed_at=NOON),)
NAMES = {"web", "web-2-abc"}
TRUE = "The rollout of web to revision 2 came first (E1), and the log says boom in 40 lines (E3)."


def candidate(text: str, score: float, name: str, kind: str) -> Candidate:
    subject = Subject(system="kubernetes", kind=kind, scope="prod/shop", name=name)
    clue = Clue("change", text, NOON - timedelta(minutes=4), subject)
    return Candidate(clue, score, Ownership.SAME, "4 minutes before, the same object")


CLEAR = (candidate(ROLLED, 0.9, "web", "Deployment"), candidate(CRASHES, 0.3, "web-2-abc", "Pod"))
CLOSE = (candidate(ROLLED, 0.6, "web", "Deployment"), candidate(CRASHES, 0.5, "web-2-abc", "Pod"))


@pytest.fixture(scope="module", autouse=True)
def patience(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Only where a deadline is what is tried is it a short one."""
    import_libraries(tmp_path_factory.mktemp("import"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alert_reasoning, "SECONDS", 120.0)
        yield


def judged(setup: Setup, folder: Path, candidates: tuple[Candidate, ...] = CLEAR) -> Opinion:
    model = ModelSettings(name=f"ollama_chat/{setup.script.model}", url=setup.urls[0])
    return opinion(Settings(data_dir=folder, model=model), TITLE, candidates, LINES, NAMES, setup.reasoner)


def test_what_the_evidence_holds_is_told(tmp_path: Path) -> None:
    with team_with(tmp_path, answers(TRUE)) as setup:
        told = judged(setup, tmp_path)
        packet = json.dumps(setup.script.asked[0]["messages"])
    assert told.text == TRUE
    assert told.note == ""
    for number, text in enumerate((ROLLED, CRASHES, LINES[0].text), 1):
        assert f"E{number}: " in packet
        assert text in packet


def test_invented_numbers_names_and_steps_are_left_out_and_counted(tmp_path: Path) -> None:
    invented = "It failed 731 times (E1). The Pod billing-7 has no memory (E2). Roll web back to revision 2 (E1)."
    with team_with(tmp_path, answers(f"{TRUE} {invented}")) as setup:
        told = judged(setup, tmp_path)
    assert told.text == TRUE
    assert told.note == "3 of 4 sentences said what the evidence does not hold and were left out."


def test_the_model_chooses_among_causes_that_are_nearly_as_good(tmp_path: Path) -> None:
    with team_with(tmp_path, answers("C2"), answers("Container web exits with 1 (E1).")) as setup:
        told = judged(setup, tmp_path, CLOSE)
        asked = setup.script.asked[0]
    assert [one.clue.text for one in told.order] == [CRASHES, ROLLED]
    assert asked["format"]["properties"]["choice"]["enum"] == ["C1", "C2"]
    assert told.text == "Container web exits with 1 (E1)."


@pytest.mark.parametrize("choice", [says('{"choice": "delete the namespace"}'), says("{"), says(""), calls("x", {})])
def test_a_choice_that_was_not_offered_changes_nothing(tmp_path: Path, choice: Speaker) -> None:
    with team_with(tmp_path, choice) as setup:
        told = judged(setup, tmp_path, CLOSE)
    assert told.order == CLOSE
    assert told.text == ""


@pytest.mark.parametrize(
    "speaker", [says(""), says("", status=500, error="out of memory"), says(TRUE, cut_after=2), says("", hang=True)]
)
def test_a_model_that_gives_nothing_costs_only_its_words(
    tmp_path: Path, speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_reasoning, "SECONDS", 3.0)
    with team_with(tmp_path, speaker) as setup:
        begun = time.monotonic()
        told = judged(setup, tmp_path)
        assert time.monotonic() - begun < 30, "one of them would hang for ever"
    assert told.order == CLEAR
    assert told.text == ""


def test_a_slow_model_is_cut_at_its_last_whole_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_reasoning, "SECONDS", 8.0)
    endless = f"{TRUE} " + "Revision 2 of web was rolled out with the image web:2 and nothing else is known " * 100
    with team_with(tmp_path, answers(endless, tokens_per_second=30)) as setup:
        begun = time.monotonic()
        told = judged(setup, tmp_path)
        assert time.monotonic() - begun < 40, "the whole of it would take a minute"
    assert told.text == TRUE


def test_without_a_model_the_order_of_code_stands(tmp_path: Path) -> None:
    assert opinion(Settings(data_dir=tmp_path), TITLE, CLOSE, LINES) == Opinion(CLOSE)
