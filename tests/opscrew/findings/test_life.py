"""Every way through new, ongoing, flapping and resolved."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opscrew.findings.life import OPEN, FindingState, Life, lifetimes, next_life

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)
LIMITS = lifetimes()
NEW, ONGOING, FLAPPING, RESOLVED = (
    FindingState.NEW,
    FindingState.ONGOING,
    FindingState.FLAPPING,
    FindingState.RESOLVED,
)


@pytest.mark.parametrize(
    ("state", "was_there", "is_there", "minutes", "changes", "expected"),
    [
        (NEW, True, True, 1, 1, ONGOING),
        (NEW, True, False, 1, 1, RESOLVED),
        (ONGOING, True, True, 1, 1, ONGOING),
        (ONGOING, True, False, 1, 3, RESOLVED),
        (RESOLVED, False, True, 1, 2, NEW),
        (RESOLVED, False, True, 1, 4, FLAPPING),
        (ONGOING, True, False, 1, 4, FLAPPING),
        (FLAPPING, True, False, 500, 9, FLAPPING),
        (FLAPPING, True, True, 119, 0, FLAPPING),
        (FLAPPING, True, True, 120, 0, ONGOING),
        (FLAPPING, False, False, 120, 0, RESOLVED),
    ],
)
def test_each_step(state, was_there, is_there, minutes, changes, expected) -> None:
    life = Life(state, was_there, NOON)
    after = next_life(life, is_there, NOON + timedelta(minutes=minutes), changes, LIMITS)
    assert after.state is expected
    assert after.present is is_there


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=60))
def test_no_sequence_of_looks_loses_a_present_problem_or_keeps_a_gone_one_open(looks) -> None:
    life, now, changes = next_life(None, True, NOON, 0, LIMITS), NOON, [NOON]
    for there, minutes in looks:
        now += timedelta(minutes=minutes)
        recent = sum(1 for at in changes if at >= now - LIMITS.flapping_window)
        before, life = life, next_life(life, there, now, recent, LIMITS)
        if life.present != before.present:
            changes.append(now)
        assert life.present is there
        assert not (there and life.state is RESOLVED)
        assert there or life.state in (RESOLVED, FLAPPING)
        assert life.changed_at <= now


def test_what_is_there_and_not_muted_is_open() -> None:
    assert {state for state in FindingState if state not in OPEN} == {RESOLVED, FindingState.SUPPRESSED}


def test_a_finding_is_kept_for_much_longer_than_it_can_flap() -> None:
    """The file's own numbers: a threshold that is read wrongly would delete history or keep it for ever."""
    assert LIMITS.keep == timedelta(days=90)
    assert LIMITS.keep_unseen == timedelta(days=365)
    assert (LIMITS.flapping_changes, LIMITS.flapping_window) == (5, timedelta(hours=6))
    assert LIMITS.flapping_calm == timedelta(hours=2)
