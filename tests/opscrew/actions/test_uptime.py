"""Time that really passed, whatever the clock says."""

from datetime import UTC, datetime, timedelta

from opscrew.actions.uptime import Moment, Uptime, elapsed, machine_uptime

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)


def moment(hours: float, boot: str = "", seconds: float = 0) -> Moment:
    return Moment(NOON + timedelta(hours=hours), Uptime(boot, seconds) if boot else None)


def test_within_one_boot_the_uptime_counts() -> None:
    assert elapsed(moment(0, "a", 100), moment(5, "a", 160)) == timedelta(minutes=1)
    assert elapsed(moment(0, "a", 100), moment(-5, "a", 160)) == timedelta(minutes=1)


def test_across_boots_and_without_uptime_the_clock_counts_and_never_runs_backwards() -> None:
    for earlier, later in ((moment(0, "a", 100), moment(5, "b", 1)), (moment(0), moment(5, "b", 1))):
        assert elapsed(earlier, later) == timedelta(hours=5)
        assert elapsed(later, earlier) == timedelta()


def test_this_machine_knows_its_uptime_and_it_grows() -> None:
    first, second = machine_uptime(), machine_uptime()
    assert first is not None
    assert second is not None
    assert first.boot == second.boot
    assert second.seconds >= first.seconds
