"""What every command may ask for: settings and the database, each made on first use.

`crew --help` and commands that need neither pay for neither.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from opscrew.settings import Settings


class App:
    """The global options, and what follows from them."""

    def __init__(self, config_path: str, debug: bool) -> None:
        self.config_path = Path(config_path) if config_path else None
        self.debug = debug

    @cached_property
    def settings(self) -> Settings:
        from opscrew import logs

        loaded = self.quiet_settings
        logs.configure(loaded.log_format, "debug" if self.debug else loaded.log_level)
        return loaded

    @cached_property
    def quiet_settings(self) -> Settings:
        """Without logs set up, for commands that only read and log nothing: it saves an eighth of their time."""
        from opscrew import reading_time, redaction, settings_file

        loaded = settings_file.load(self.config_path)
        reading_time.read_times_in(loaded.zone)
        redaction.mask_also(loaded.secrets())
        return loaded

    @cached_property
    def database(self) -> Engine:
        from opscrew.store.database import open_database

        return open_database(self.quiet_settings.database_url)


def app_of(context: typer.Context) -> App:
    """The ``App`` of a running command."""
    found = context.find_object(App)
    assert found is not None, "main.options runs before every command"
    return found
