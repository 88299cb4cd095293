"""Checks of this machine: data folder, lock, database, address, time zone data."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sqlalchemy import text

from crews.checks.check import Check, Level, Result
from crews.runtime.data_files import refuse_broken_files
from crews.runtime.systems import Systems
from opscrew.actions.policy import check_settings
from opscrew.private_files import private_folder, wide_files
from opscrew.settings import HOW_TO_CONFIGURE, NOTHING_CONFIGURED, SYSTEMS, Settings
from opscrew.store.database import open_database
from opscrew.store.owner import describe, read_owner

LITTLE_SPACE = 1 << 30
"""Bytes: a day of findings and runs takes some MB, an index some hundred."""
NO_SPACE = 100 << 20

MB = 1 << 20


def machine_checks(_settings: Settings) -> tuple[Check, ...]:
    """Always on."""
    return (
        Check("configuration", configuration),
        Check("data folder", data_folder),
        Check("daemon", daemon),
        Check("database", database),
        Check("policy", policy),
        Check("data files", data_files),
    )


def configuration(systems: Systems) -> Result:
    """Is there anything to watch, and does every secret belong to something?"""
    settings = systems.settings
    if settings.spare_secrets:
        names = ", ".join(f"CREW_{name.upper().replace('.', '__')}" for name in settings.spare_secrets)
        parts = ", ".join(dict.fromkeys(name.partition(".")[0] for name in settings.spare_secrets))
        verb = "is" if len(settings.spare_secrets) == 1 else "are"
        hint = f"Add the section {parts} to crew.yaml; `crew init --print` shows what belongs in it."
        return Result(Level.WARNING, f"{names} {verb} set, and {parts} is not configured", hint)
    if settings.watches_nothing:
        return Result(Level.WARNING, NOTHING_CONFIGURED, HOW_TO_CONFIGURE)
    watched = [name for name in SYSTEMS if getattr(settings, name)]
    return Result(Level.OK, f"watches {', '.join(watched)}")


def data_folder(systems: Systems) -> Result:
    """Is it there, may we write, is there room?"""
    folder = systems.settings.data_dir
    try:
        private_folder(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"x")
            probe.flush()
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        reason = problem.strerror or str(problem)
        return Result(Level.FAILED, f"{folder}: {reason}", "Set CREW_DATA_DIR to a folder that you may write.")
    text_ = f"{_short(folder)}, {free // MB:,} MB free"
    if free < NO_SPACE:
        return Result(Level.FAILED, text_, "Free some space: the database cannot grow much further.")
    if free < LITTLE_SPACE:
        return Result(Level.WARNING, text_, "Free some space before it runs out.")
    if wide := wide_files(folder):
        more = f" and {len(wide) - 1} more" if len(wide) > 1 else ""
        said = f"{text_}; other accounts have rights on {_short(wide[0])}{more}"
        return Result(Level.WARNING, said, f"chmod -R go-rwx {folder}, as the account that owns it")
    return Result(Level.OK, text_)


def daemon(systems: Systems) -> Result:
    """Who owns the data folder. Nobody is fine: commands work without a daemon."""
    owner = read_owner(systems.settings.data_dir)
    if owner is None:
        return Result(Level.OFF, "not running on this data folder", "`crew serve` starts it.")
    return Result(Level.OK, describe(owner))


def database(systems: Systems) -> Result:
    """Opens and migrates it as every command would, and asks its clock where it has one of its own."""
    engine = open_database(systems.settings.database_url)
    try:
        with engine.begin() as connection:
            # Rolled back at the end of the block only by an error; a count changes nothing, but takes the write lock.
            runs = connection.execute(text("SELECT count(*) FROM runs")).scalar_one()
            now = None
            if engine.dialect.name != "sqlite":
                now = connection.execute(text("SELECT now()")).scalar_one()
    finally:
        engine.dispose()
    return Result(Level.OK, f"{engine.dialect.name}, schema up to date, {runs:,} runs recorded", server_time=now)


def data_files(systems: Systems) -> Result:
    """Wording, thresholds, queries and the like: a file that was edited wrongly also keeps the daemon from starting."""
    return Result(Level.OK, f"{refuse_broken_files(systems.settings)} read")


def policy(systems: Systems) -> Result:
    """What may happen by itself; a rule that means nothing stops every crew that acts."""
    settings = systems.settings
    check_settings(settings)
    if settings.dry_run:
        return Result(Level.OK, "dry run: nothing is carried out")
    rules = ", ".join(sorted(settings.policy)) or "none, so every action waits for approval"
    quiet = f"; quiet hours {settings.quiet_hours}" if settings.quiet_hours else ""
    return Result(Level.OK, f"rules: {rules}{quiet}")


def _short(folder: Path) -> str:
    try:
        return f"~/{folder.relative_to(Path.home())}"
    except ValueError:
        return str(folder)
