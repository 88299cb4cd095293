"""One file per area. Importing this package registers every table, which migrations and tests rely on."""

from opscrew.store.tables import (
    actions,
    alerts,
    audit,
    ci,
    ci_history,
    cluster_names,
    conversations,
    findings,
    incidents,
    knowledge,
    notify,
    polling,
    runs,
    standing_failures,
    webhooks,
)

__all__ = [
    "actions",
    "alerts",
    "audit",
    "ci",
    "ci_history",
    "cluster_names",
    "conversations",
    "findings",
    "incidents",
    "knowledge",
    "notify",
    "polling",
    "runs",
    "standing_failures",
    "webhooks",
]
