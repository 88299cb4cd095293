"""Silences one alert in Alertmanager for a time. The comment carries our mark, by which it is found again."""

from __future__ import annotations

from datetime import datetime, timedelta

from crews.actions.workloads import mark_of
from opscrew.actions.executor import Outcome, Receipt, SendRefusedError
from opscrew.clock import Clock
from opscrew.model.action import Action
from opscrew.reading_time import minute
from opscrew.store.text import storable
from tools.alert_records import RoutedAlert, Silence
from tools.alertmanager.client import AlertmanagerClient
from tools.connection import RefusedError

AUTHOR = "crew"


class SilenceAlert:
    """Executor of ``silence_alert``. The target's name is Alertmanager's own fingerprint of the alert."""

    kind = "silence_alert"

    def __init__(self, client: AlertmanagerClient, clock: Clock) -> None:
        self._client, self._clock = client, clock

    def precondition(self, action: Action) -> str | None:
        alert = self._alert(action)
        if alert is None:
            return "the alert is over"
        return "it is silenced already" if alert.is_silenced else None

    def send(self, action: Action) -> Receipt:
        alert = self._alert(action)
        if alert is None:
            raise SendRefusedError("the alert is over")
        now = self._clock()
        ends = now + timedelta(minutes=action.parameters["minutes"])
        comment = f"{storable(action.reason, 200)} [{mark_of(action)}]"
        try:
            identity = self._client.silence(alert.labels, now, ends, created_by=AUTHOR, comment=comment)
        except RefusedError as refused:
            raise SendRefusedError(str(refused)) from refused
        return Receipt(identity, detail=f"silenced until {minute(ends)}")

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        del since
        mark = f"[{mark_of(action)}]"
        ours = [one for one in self._silences() if one.comment.endswith(mark) and one.created_by == AUTHOR]
        return Receipt(ours[0].id, detail="found by its mark") if ours else None

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        del action
        found = next((one for one in self._silences() if one.id == receipt.external_id), None)
        if found is None:
            return Outcome(False, "Alertmanager does not know the silence")
        if found.status.state == "expired":
            return Outcome(False, "the silence was ended before it could be seen")
        return Outcome(True, "the silence is active") if found.is_active else None

    def _alert(self, action: Action) -> RoutedAlert | None:
        return next((one for one in self._client.alerts() if one.fingerprint == action.target.name), None)

    def _silences(self) -> tuple[Silence, ...]:
        return self._client.silences(expired=True)
