"""One alert as it was told to us, from whichever system, and what it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from opscrew.alerts.kinds import AlertKind, kind_of
from opscrew.alerts.labels import label_rules
from opscrew.alerts.rules import alert_rules
from opscrew.model.finding import Severity
from opscrew.store.text import storable

MOST_LABELS = 40
LONGEST_NAME, LONGEST_LABEL, LONGEST_ANNOTATION = 100, 200, 1_000
"""Characters. Labels are identifiers and annotations a few sentences; a whole log in one is cut."""

UNNAMED = "unnamed alert"


class AlertState(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Alert:
    """``upstream_id`` is the source's own fingerprint; ``ends_at`` is set where the source says that it is over.

    ``silenced`` is None where the source does not know about silences: a webhook, and vmalert.
    """

    source: str
    state: AlertState
    labels: Mapping[str, str]
    starts_at: datetime
    annotations: Mapping[str, str] = field(default_factory=dict)
    ends_at: datetime | None = None
    upstream_id: str = ""
    url: str = ""
    silenced: bool | None = None

    @property
    def name(self) -> str:
        names = ("alertname", *label_rules().also_called["alertname"])
        return next((self.labels[name] for name in names if self.labels.get(name)), UNNAMED)

    @property
    def severity(self) -> Severity:
        return alert_rules().severity_of(self.labels)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over the labels that say what is wrong: the same whoever tells it. A heartbeat is its
        sender's own."""
        is_heartbeat = kind_of(self.labels, self.annotations, self.url) is AlertKind.HEARTBEAT
        return fingerprint_of(self.labels, alert_rules().heartbeat_labels if is_heartbeat else frozenset())


def fingerprint_of(labels: Mapping[str, str], kept: Collection[str] = frozenset()) -> str:
    """See ``Alert.fingerprint``."""
    out = alert_rules().labels_left_out.difference(kept)
    told = "\n".join(f"{name}\t{value}" for name, value in sorted(labels.items()) if name not in out)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def clean_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Without private labels, secrets and control characters, capped in number and length."""
    kept = sorted((name, value) for name, value in labels.items() if not is_private(name))[:MOST_LABELS]
    # The name decides about grouping, so it is kept even when forty others come first.
    if "alertname" in labels:
        kept = [("alertname", labels["alertname"]), *(pair for pair in kept if pair[0] != "alertname")][:MOST_LABELS]
    return {storable(name, LONGEST_NAME): storable(value, LONGEST_LABEL) for name, value in kept}


def clean_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """The same for the sentences beside an alert."""
    kept = sorted((name, value) for name, value in annotations.items() if not is_private(name))[:MOST_LABELS]
    return {storable(name, LONGEST_NAME): storable(value, LONGEST_ANNOTATION) for name, value in kept}


def is_private(name: str) -> bool:
    """Grafana's own bookkeeping: its API shows it and its webhook does not. Annotations with such names that are kept
    are ours alone (``asides.py``)."""
    return name.startswith("__") and name.endswith("__")
