"""What the ledger remembers, tells and forgets."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from opscrew.errors import CrewError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import FindingState as State
from opscrew.findings.life import lifetimes
from opscrew.findings.records import Changes
from opscrew.model.coverage import Gap
from opscrew.model.evidence import evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject


@pytest.fixture
def ledger(database, clock) -> Ledger:
    return Ledger(database, clock)


def failing(number: int = 1, **changes) -> Finding:
    subject = Subject(system="bitbucket", kind="pipeline", scope="acme/shop", name=f"#{number}")
    return finding("CI_UNKNOWN_FAILURE", subject, "it failed", **changes)


def sorted_out(changes: Changes) -> dict[str, list[str]]:
    groups = {name: [entry.finding.subject.name for entry in getattr(changes, name)] for name in vars(changes)}
    return {name: found for name, found in groups.items() if found}


def test_new_then_ongoing_then_resolved_then_new_again(ledger, clock) -> None:
    seen = []
    for looks in ([failing()], [failing()], [], [], [failing()]):
        seen.append(sorted_out(ledger.observe("ci", looks, complete=True)))
        clock.forward(minutes=1)
    assert seen == [{"new": ["#1"]}, {"ongoing": ["#1"]}, {"resolved": ["#1"]}, {}, {"new": ["#1"]}]
    entry = ledger.get(failing().fingerprint)
    assert entry.occurrences == 1
    assert entry.first_seen == entry.last_seen, "what comes back after it was over begins anew"
    assert [one.change for one in ledger.history(entry.fingerprint)] == ["appeared", "gone", "appeared"]


def test_what_a_look_could_not_measure_stays_as_it_was(ledger, clock) -> None:
    ledger.observe("ci", [failing(1), failing(2)], complete=True)
    clock.forward(minutes=1)
    gap = Gap("pipelines", "not reported any more", subjects=frozenset({failing(1).subject.key}))
    assert sorted_out(ledger.observe("ci", [], complete=True, gaps=[gap])) == {"resolved": ["#2"]}
    assert sorted_out(ledger.observe("ci", [], complete=True, gaps=[Gap("pipelines", "no answer")])) == {}
    assert sorted_out(ledger.observe("ci", [], complete=True)) == {"resolved": ["#1"]}


def test_a_finding_rests_on_the_kinds_it_was_judged_by(ledger) -> None:
    by_pods = failing(1, details={"rests_on": ["Pod"]})
    by_others = failing(2, details={"rests_on": ["Node"]})
    through_objects = failing(3, details={"affected": [{"kind": "Pod", "name": "web-1"}]})
    ledger.observe("sweep", [by_pods, by_others, through_objects], complete=True)
    gap = Gap("Pod", "may not be read (403)", kinds=frozenset({"Pod"}))
    assert sorted_out(ledger.observe("sweep", [], complete=True, gaps=[gap])) == {"resolved": ["#2"]}


def test_what_is_shown_to_be_over_is_over_whatever_else_was_not_measured(ledger) -> None:
    ledger.observe("ci", [failing()], complete=True)
    gap = Gap("pipelines", "no answer")
    assert ledger.observe("ci", [], complete=True, gone=[failing().fingerprint], gaps=[gap]).resolved


def test_appearances_are_counted_and_not_the_looks_that_see_them(ledger, clock) -> None:
    start = clock()
    for build in ("{1}", "{1}", "{1}", "{2}", "{2}", ""):
        ledger.observe("ci", [failing().model_copy(update={"occasion": build})], complete=True)
        clock.forward(minutes=1)
    entry = ledger.get(failing().fingerprint)
    assert (entry.occurrences, entry.first_seen) == (2, start)
    assert entry.last_seen == start + timedelta(minutes=5)


def test_what_comes_and_goes_counts_each_time_it_comes(ledger, clock) -> None:
    start = clock()
    for number in range(9):
        ledger.observe("ci", [failing()] if number % 2 == 0 else [], complete=True)
        clock.forward(minutes=5)
    entry = ledger.get(failing().fingerprint)
    # It was over three times before it began to flap; from then on it is one life.
    assert (entry.state, entry.occurrences, entry.first_seen) == (State.FLAPPING, 3, start + timedelta(minutes=20))


def test_a_problem_whose_code_changes_as_it_goes_on_keeps_its_life(ledger, clock) -> None:
    start = clock()
    blip = failing().model_copy(update={"family": "CI_FAILURE"})
    ledger.observe("ci", [blip], complete=True)
    ledger.suppress(blip.fingerprint, clock() + timedelta(days=1), "known", "ada")
    clock.forward(minutes=9)
    later = blip.model_copy(update={"code": "CI_RERUN_FAILED", "severity": Severity.CRITICAL})
    assert sorted_out(ledger.observe("ci", [later], complete=True)) == {"suppressed": ["#1"]}
    (entry,) = ledger.list()
    assert (entry.finding, entry.first_seen) == (later, start)
    assert [one.detail for one in ledger.history(entry.fingerprint)][-1] == "info to critical"


def test_a_source_that_did_not_answer_resolves_nothing(ledger) -> None:
    ledger.observe("ci", [failing(1), failing(2)], complete=True)
    assert sorted_out(ledger.observe("ci", [failing(3)], complete=False)) == {"new": ["#3"]}
    assert len(ledger.open()) == 3


def test_a_source_resolves_only_what_no_other_source_sees(ledger) -> None:
    for source in ("ci", "capacity"):
        ledger.observe(source, [failing()], complete=True)
    assert sorted_out(ledger.observe("storage", [], complete=True)) == {}
    assert sorted_out(ledger.observe("ci", [], complete=True)) == {}
    assert ledger.get(failing().fingerprint).sources == ("capacity",)
    assert sorted_out(ledger.observe("capacity", [], complete=True)) == {"resolved": ["#1"]}


def test_what_comes_and_goes_flaps_until_it_is_calm(ledger, clock) -> None:
    told = []
    for number in range(12):
        told.append(sorted_out(ledger.observe("ci", [failing()] if number % 2 == 0 else [], complete=True)))
        clock.forward(minutes=5)
    assert told[4] == {"flapping": ["#1"]}
    assert told[5:] == [{}, {"ongoing": ["#1"]}] * 3 + [{}]
    assert ledger.get(failing().fingerprint).state is State.FLAPPING
    clock.forward(hours=2)
    assert sorted_out(ledger.observe("ci", [], complete=True)) == {"resolved": ["#1"]}
    assert [one.change for one in ledger.history(failing().fingerprint)][-1] == "calm"


def test_it_also_calms_down_while_it_is_there(ledger, clock) -> None:
    for number in range(5):
        ledger.observe("ci", [failing()] if number % 2 == 0 else [], complete=True)
    for _ in range(3):
        clock.forward(hours=1)
        ledger.observe("ci", [failing()], complete=True)
    assert ledger.get(failing().fingerprint).state is State.ONGOING


def test_suppressed_is_observed_but_not_told_and_speaks_again(ledger, clock) -> None:
    ledger.observe("ci", [failing()], complete=True)
    identity = failing().fingerprint
    ledger.suppress(identity, clock() + timedelta(days=7), "known, ticket 12", "ada")
    assert sorted_out(ledger.observe("ci", [failing()], complete=True)) == {"suppressed": ["#1"]}
    assert ledger.open() == []
    entry = ledger.get(identity)
    assert (entry.state, entry.suppression.who, entry.suppression.reason) == (
        State.SUPPRESSED,
        "ada",
        "known, ticket 12",
    )
    clock.forward(days=8)
    assert sorted_out(ledger.observe("ci", [failing()], complete=True)) == {"ongoing": ["#1"]}
    assert [one.change for one in ledger.history(identity)] == ["appeared", "suppressed"]


def test_suppressed_is_resolved_and_stays_muted_when_it_returns(ledger, clock) -> None:
    ledger.observe("ci", [failing()], complete=True)
    ledger.suppress(failing().fingerprint, clock() + timedelta(days=1), "known", "ada")
    assert sorted_out(ledger.observe("ci", [], complete=True)) == {"resolved": ["#1"]}
    assert sorted_out(ledger.observe("ci", [failing()], complete=True)) == {"suppressed": ["#1"]}
    ledger.unsuppress(failing().fingerprint, "bo")
    assert sorted_out(ledger.observe("ci", [failing()], complete=True)) == {"ongoing": ["#1"]}


@pytest.mark.parametrize(("hours", "reason"), [(-1, "known"), (0, "known"), (1, " ")])
def test_a_suppression_needs_a_future_and_a_reason(ledger, clock, hours, reason) -> None:
    ledger.observe("ci", [failing()], complete=True)
    with pytest.raises(CrewError):
        ledger.suppress(failing().fingerprint, clock() + timedelta(hours=hours), reason, "ada")
    with pytest.raises(CrewError, match="there is no finding"):
        ledger.suppress("0" * 16, clock() + timedelta(hours=1), "known", "ada")


def test_growing_worse_is_told(ledger) -> None:
    ledger.observe("ci", [failing(severity=Severity.WARNING)], complete=True)
    worse = ledger.observe("ci", [failing(severity=Severity.CRITICAL)], complete=True)
    assert sorted_out(worse) == {"ongoing": ["#1"], "worsened": ["#1"]}
    better = ledger.observe("ci", [failing(severity=Severity.INFO)], complete=True)
    assert sorted_out(better) == {"ongoing": ["#1"]}


def test_lists_are_filtered_and_sorted(ledger, clock) -> None:
    ledger.observe("ci", [failing(1, severity=Severity.WARNING), failing(2), failing(3)], complete=True)
    clock.forward(minutes=1)
    ledger.observe("ci", [failing(1, severity=Severity.WARNING), failing(3)], complete=True)
    names = [entry.finding.subject.name for entry in ledger.list()]
    assert names == ["#1", "#3", "#2"]
    assert [entry.finding.subject.name for entry in ledger.list([State.RESOLVED])] == ["#2"]
    assert [entry.finding.subject.name for entry in ledger.list(severities=[Severity.WARNING])] == ["#1"]
    assert list(ledger.list(system="kubernetes")) == []
    assert list(ledger.list(code="CI_OUTAGE")) == []
    assert len(ledger.list(limit=1)) == 1


def test_a_finding_is_found_by_its_first_characters(ledger) -> None:
    ledger.observe("ci", [failing(number) for number in range(60)], complete=True)
    identity = failing(7).fingerprint
    assert ledger.get(identity[:12].upper()).fingerprint == identity
    with pytest.raises(CrewError, match="could be several findings"):
        ledger.get(next(c for c in "0123456789abcdef" if sum(failing(n).fingerprint[0] == c for n in range(60)) > 1))
    typo = identity[:5] + ("0" if identity[5] != "0" else "1") + identity[6:10]
    with pytest.raises(CrewError, match="there is no finding") as caught:
        ledger.get(typo)
    assert identity in caught.value.hint
    for odd in ("%", "_", "", "zzz", "'; drop table findings; --"):
        with pytest.raises(CrewError):
            ledger.get(odd)


def test_what_is_stored_has_no_secrets_no_control_characters_and_no_endless_text(ledger, clock) -> None:
    lines = [evidence("log", f"\x1b[31mpassword=hunter2secret\x00 {'x' * 5000}", clock()) for _ in range(100)]
    nasty = failing(
        evidence=lines,
        details={"token": "token=abcdefgh12345678", "nan": float("nan"), "deep": [[[[[[[["x"]]]]]]]], "set": {1}},
    ).model_copy(update={"cause": "A" * 100_000 + "\ud800"})
    ledger.observe("ci", [nasty], complete=True)
    stored = ledger.get(nasty.fingerprint).finding
    assert len(stored.evidence) == 60
    assert "hunter2secret" not in str(stored)
    assert "abcdefgh12345678" not in str(stored)
    assert all(len(line.text) <= 500 and "\x1b" not in line.text for line in stored.evidence)
    assert len(stored.cause) <= 2000
    assert stored.details["nan"] == "nan"


def test_many_at_once_and_several_observers_lose_nothing(ledger) -> None:
    many = [failing(number) for number in range(1200)]
    assert len(ledger.observe("ci", many, complete=True).new) == 1200
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda n: ledger.observe(f"s{n}", [failing(5000)], complete=True), range(8)))
    assert sum(len(changes.new) for changes in results) == 1
    assert len(ledger.get(failing(5000).fingerprint).sources) == 8
    assert len(ledger.observe("ci", [], complete=True).resolved) == 1200


def test_a_clock_set_back_does_not_make_it_look_unseen(ledger, clock) -> None:
    ledger.observe("ci", [failing()], complete=True)
    before = ledger.get(failing().fingerprint).last_seen
    clock.forward(hours=-3)
    ledger.observe("ci", [failing()], complete=True)
    assert ledger.get(failing().fingerprint).last_seen == before


def test_old_ones_are_forgotten_and_open_ones_never(ledger, clock) -> None:
    ledger.observe("ci", [failing(1), failing(2)], complete=True)
    ledger.observe("ci", [failing(1)], complete=True)
    clock.forward(days=lifetimes().keep.days)
    assert ledger.forget_old() == 0, "exactly as old as what is kept"
    assert len(ledger.history(failing(2).fingerprint)) == 2
    clock.forward(seconds=1)
    assert ledger.forget_old() == 1
    assert ledger.history(failing(2).fingerprint) == []
    assert [entry.finding.subject.name for entry in ledger.list()] == ["#1"]
