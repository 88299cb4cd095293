"""One file per area. Importing this package registers every table, which migrations and tests rely on."""

from opscrew.store.tables import findings, runs

__all__ = ["findings", "runs"]
