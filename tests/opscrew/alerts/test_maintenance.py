from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from opscrew.alerts.maintenance import maintenance_of
from opscrew.settings import MaintenanceSettings

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = MaintenanceSettings(name="night", hours="22:00-02:00", days=("sat",), labels={"cluster": "staging*"})


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        (datetime(2026, 10, 3, 21, 0, tzinfo=UTC), True),  # Saturday 23:00 in Berlin
        (datetime(2026, 10, 3, 23, 30, tzinfo=UTC), True),  # Sunday 01:30: still Saturday's window
        (datetime(2026, 10, 4, 1, 0, tzinfo=UTC), False),
        (datetime(2026, 10, 4, 21, 0, tzinfo=UTC), False),  # Sunday night
        (datetime(2026, 10, 2, 23, 30, tzinfo=UTC), False),  # Saturday 01:30 belongs to Friday
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins_on(moment: datetime, covered: bool) -> None:
    assert bool(maintenance_of({"cluster": "staging-2"}, moment, [NIGHT], BERLIN)) is covered
    assert not maintenance_of({"cluster": "prod"}, moment, [NIGHT], BERLIN)


def test_a_window_between_two_moments() -> None:
    begins, ends = datetime(2026, 10, 6, 12, tzinfo=UTC), datetime(2026, 10, 6, 14, tzinfo=UTC)
    once = MaintenanceSettings(name="upgrade", begins=begins, ends=ends)
    assert maintenance_of({}, begins, [once], BERLIN) == "upgrade"
    assert maintenance_of({}, ends, [once], BERLIN) == ""
