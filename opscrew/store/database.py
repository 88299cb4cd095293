"""Opens the database, brings it up to date, and says clearly when it cannot."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from opscrew.errors import CrewError, UsageError
from opscrew.private_files import private_database, private_folder

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another. Our longest write transaction is far below a second."""


_VALUES_AT_ONCE = 500
Value = TypeVar("Value")

MIGRATION_SECONDS = 300
"""How long to wait for another process that brings the schema up to date."""

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's own code."""


def open_database(url: str) -> Engine:
    """Connects and migrates to the newest schema. Raises ``CrewError`` with what to do.

    Safe to call from several processes at once: SQLite's write lock or PostgreSQL's advisory lock lets one
    migrate and the others find it done.
    """
    engine = _engine(url)
    try:
        with reading(engine).connect() as connection:
            current = _revision(connection)
        if current != newest_revision():
            _migrate(engine, url)
    except OperationalError as problem:
        raise CrewError(f"cannot open the database {_shown(url)}: {_first_line(problem)}", _hint(problem)) from problem
    except SQLAlchemyError as problem:
        raise CrewError(
            f"the database {_shown(url)} does not work: {_first_line(problem)}", _hint(problem)
        ) from problem
    return engine


def newest_revision() -> str:
    """The revision that this version of the code wants: the one no other step builds upon.

    Read from the text of the steps, because importing Alembic takes longer than a whole `crew findings` may.
    """
    return _head(tuple(sorted((MIGRATIONS / "versions").glob("*.py"))))


@cache
def _head(steps: tuple[Path, ...]) -> str:
    texts = [step.read_text(encoding="utf-8") for step in steps]
    made = {match[1] for text in texts if (match := re.search(r'^revision = "(\w+)"', text, re.M))}
    built_upon = {match[1] for text in texts if (match := re.search(r'^down_revision = "(\w+)"', text, re.M))}
    return ",".join(sorted(made - built_upon))


def _migrate(engine: Engine, url: str) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        with engine.begin() as connection:
            _lock_for_migration(connection)
            command.upgrade(alembic_config(connection), "head")
    except CommandError as problem:
        raise CrewError(
            f"the database {_shown(url)} was written by a newer version of crew ({problem})",
            "Upgrade crew, or point CREW_DATA_DIR to another folder.",
        ) from problem


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings in code, so that no ini file can point at the wrong database."""
    from alembic.config import Config

    # What Alembic prints has no reader here: standard output belongs to the commands, and may be JSON.
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise UsageError(
            "database is not a valid database URL", "Write sqlite:////path/crew.db or postgresql://host/name."
        ) from problem
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and _is_a_path(parsed.database):
        path = Path(str(parsed.database))
        try:
            private_folder(path.parent)
            private_database(path)
        except OSError as problem:
            raise CrewError(
                f"cannot make the data folder {path.parent}: {problem.strerror}",
                "Set CREW_DATA_DIR to a folder that you may write.",
            ) from problem
    try:
        engine = create_engine(_with_deadline(parsed), pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (NoSuchModuleError, ModuleNotFoundError) as problem:
        raise CrewError(
            f"no driver for {parsed.drivername}: {problem}", "For PostgreSQL: pip install 'opscrew[postgres]'."
        ) from problem
    if engine.dialect.name == "sqlite":
        event.listen(engine, "handle_error", _say_what_sqlite_lacks)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "handle_error", _say_who_is_slow)
    return engine


def _with_deadline(url: URL) -> URL:
    """PostgreSQL would wait for a lock without an end. As a start option, since a later SET is rolled back with its
    transaction."""
    if url.drivername != "postgresql+psycopg":
        return url
    own = url.query.get("options", "")
    wanted = f"-c lock_timeout={BUSY_TIMEOUT_MS} {own if isinstance(own, str) else ' '.join(own)}"
    return url.update_query_dict({"options": wanted.strip()})


def _is_a_path(database: str | None) -> bool:
    return bool(database) and database != ":memory:" and not str(database).startswith("file:")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would start none before a SELECT; see SQLAlchemy's pysqlite notes.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    if cursor.execute("PRAGMA page_count").fetchone()[0] == 0:
        cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file, before anything is written; see space.py
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a recorded action must survive a power cut: it is not sent again
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what a person deletes is overwritten, not only unlinked
    cursor.close()


def _say_what_sqlite_lacks(context: ExceptionContext) -> None:
    """Raises ``CrewError`` instead for what only a person can mend, wherever in the program it happens."""
    text = str(context.original_exception).lower()
    if "database is locked" in text:
        raise _busy("Try again. Does a backup or another program hold the file?") from context.original_exception
    if "is full" in text or "disk i/o error" in text or "readonly database" in text:
        what = "the disk is full" if "is full" in text else text
        raise CrewError(
            f"cannot write the database {_shown(str(context.engine.url)) if context.engine else ''}: {what}",
            "Free some space where it lies; nothing that was stored before is lost."
            if "readonly" not in text
            else "Make the file and its folder writable, or set CREW_DATA_DIR to another folder.",
        ) from context.original_exception


def _say_who_is_slow(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", "") == LOCK_NOT_AVAILABLE:
        raise _busy("Try again. Does a backup or another program hold a lock?") from context.original_exception


def _busy(hint: str) -> CrewError:
    seconds = BUSY_TIMEOUT_MS / 1000
    return CrewError(f"another process has kept {seconds:g} s writing to the database and goes on", hint)


def _begin_immediate(connection: Connection) -> None:
    # A reader that later writes would fail at once instead of waiting; readers ask for DEFERRED.
    deferred = connection.get_execution_options().get("reader", False)
    connection.exec_driver_sql("BEGIN DEFERRED" if deferred else "BEGIN IMMEDIATE")


def reading(engine: Engine) -> Engine:
    """The same database for reading only: never waits for a writer."""
    return engine.execution_options(reader=True)


def chunks(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """Parts that fit into one ``IN (...)``: SQLite allows 32,766 values, and older builds 999."""
    for start in range(0, len(values), _VALUES_AT_ONCE):
        yield values[start : start + _VALUES_AT_ONCE]


def forget_traces(engine: Engine) -> None:
    """Empties SQLite's log of changes, where deleted rows still stand. Readers at work put it off until the next time.
    PostgreSQL's vacuum does the like by itself."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()  # outside of any transaction, which would lock the log
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def serialize_writers(connection: Connection, area: str) -> None:
    """Lets one transaction at a time work on ``area``, until it ends. Call it first in the transaction.

    SQLite needs nothing: ``BEGIN IMMEDIATE`` already lets one writer in at a time.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({zlib.crc32(area.encode())})")


def _revision(connection: Connection) -> str:
    """The schema's present revision; empty for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    return ",".join(sorted(str(row[0]) for row in rows))


def _lock_for_migration(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{MIGRATION_SECONDS}s'")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7263771)")  # any fixed number of our own


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _first_line(problem: SQLAlchemyError) -> str:
    """The driver's own words, without the statement, its values or SQLAlchemy's link."""
    return str(getattr(problem, "orig", None) or problem).splitlines()[0]


def _hint(problem: SQLAlchemyError) -> str:
    text = str(problem).lower()
    if "malformed" in text or "not a database" in text:
        return "The file is damaged: move it away (crew starts a new one) or restore a backup."
    if "full" in text:
        return "The disk is full: free some space; nothing was lost."
    if "readonly" in text or "unable to open" in text:
        return "Set CREW_DATA_DIR to a folder that you may write."
    return "Check that the database runs and that the URL and password are right."
