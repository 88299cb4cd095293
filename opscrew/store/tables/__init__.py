"""One file per area. Importing this package registers every table, which migrations and tests rely on."""

from opscrew.store.tables import (
    actions,
    audit,
    ci,
    conversations,
    findings,
    knowledge,
    polling,
    runs,
    standing_failures,
)

__all__ = ["actions", "audit", "ci", "conversations", "findings", "knowledge", "polling", "runs", "standing_failures"]
