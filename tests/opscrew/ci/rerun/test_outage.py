"""More than five pipelines in ten minutes are one outage, which ends when what follows passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from opscrew.ci.rerun.outage import MORE_THAN_PIPELINES, QUIET, WINDOW, Passed, Sighting, outages

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def seen(minute: float, pipeline: int, signature: str = "registry-network") -> Sighting:
    return Sighting(signature, f"acme/shop#{pipeline}", NOON + timedelta(minutes=minute))


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def test_five_pipelines_are_bad_luck_and_six_are_an_outage() -> None:
    five = [seen(index, index) for index in range(5)]
    assert outages(five, at(6)) == ()
    (outage,) = outages([*five, seen(5, 5)], at(6))
    assert outage.signature == "registry-network"
    assert outage.started_at == at(0)
    assert outage.last_seen_at == at(5)
    assert len(outage.pipelines) == 6


def test_the_same_pipeline_seen_often_counts_once() -> None:
    assert outages([seen(index / 10, index % 5) for index in range(60)], at(7)) == ()


def test_sightings_spread_over_more_than_the_window_are_none() -> None:
    assert outages([seen(index * 2.1, index) for index in range(6)], at(12)) == ()


def test_signatures_are_counted_apart() -> None:
    mixed = [seen(index, index, "npm-network" if index % 2 else "git-network") for index in range(10)]
    assert outages(mixed, at(10)) == ()
    both = [seen(index / 10, index, name) for name in ("npm-network", "git-network") for index in range(6)]
    assert [outage.signature for outage in outages(both, at(5))] == ["git-network", "npm-network"]


def passed(minute: float, signature: str = "registry-network") -> Passed:
    return Passed(signature, f"acme/shop#{1000 + minute}", at(minute))


BURST = [seen(index, index) for index in range(6)]


def test_it_lasts_while_sightings_trickle_in_and_through_any_silence() -> None:
    trickle = [seen(5 + 15 * step, 100 + step) for step in range(1, 5)]
    (outage,) = outages([*BURST, *trickle], at(70))
    assert outage.started_at == at(0)
    assert len(outage.pipelines) == 10
    assert outages([*BURST, *trickle], at(2000)) == (outage,)
    assert outage.tried_from == at(65) + QUIET


def test_it_ends_when_what_began_after_the_last_failure_passes() -> None:
    assert outages(BURST, at(8), [passed(6)]) == ()
    assert outages(BURST, at(8), [passed(6, "npm-network")]) != ()
    assert outages(BURST, at(8), [passed(4.5)]) == (), "seen at 5 minutes is alone now"
    assert outages([seen(5, index) for index in range(6)], at(8), [passed(5)]) == (), "the very moment counts as before"
    (outage,) = outages([*BURST, *(seen(6 + index, 20 + index) for index in range(6))], at(20), [passed(5.5)])
    assert (outage.started_at, len(outage.pipelines)) == (at(6), 6)


def test_after_a_pass_a_new_outage_needs_a_new_burst() -> None:
    assert outages([*BURST, seen(60, 60), seen(61, 61)], at(62), [passed(30)]) == ()
    (outage,) = outages([*BURST, seen(60, 60)], at(62))
    assert (outage.started_at, outage.last_seen_at) == (at(0), at(60))


def test_it_knows_which_repositories_it_hit() -> None:
    (outage,) = outages(BURST, at(6))
    assert outage.hit("acme/shop")
    assert not outage.hit("acme/shop2")
    assert not outage.hit("acme/sho")


def test_sightings_from_the_future_are_left_out() -> None:
    assert outages([seen(30 + index, index) for index in range(9)], at(0)) == ()


def test_order_does_not_matter() -> None:
    burst = [seen(index, index) for index in range(8)]
    assert outages(reversed(burst), at(8)) == outages(burst, at(8))


@given(st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 30)), max_size=60), st.integers(0, 9000))
def test_an_outage_always_contains_a_dense_window(pairs: list[tuple[int, int]], now: int) -> None:
    """Checked against the definition, slowly: some window of ten minutes holds more than five pipelines."""
    sightings = [seen(second / 60, pipeline) for second, pipeline in pairs]
    moment = at(now / 60)
    for outage in outages(sightings, moment):
        during = [sighting for sighting in sightings if outage.started_at <= sighting.seen_at <= moment]
        assert any(
            len({near.pipeline_key for near in during if start.seen_at <= near.seen_at <= start.seen_at + WINDOW})
            > MORE_THAN_PIPELINES
            for start in during
        )
        assert outages(sightings, moment, [Passed(outage.signature, "acme/shop#1", outage.last_seen_at)]) == ()
