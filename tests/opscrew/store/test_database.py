"""The database opens, migrates, survives company, and says what is wrong."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from opscrew.errors import CrewError
from opscrew.model.run import Run, RunOutcome
from opscrew.store.database import MIGRATIONS, alembic_config, newest_revision, open_database
from opscrew.store.runs import latest_runs, record_run

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def run(crew: str = "ci_watch") -> Run:
    return Run(crew=crew, started_at=NOON, ended_at=NOON, outcome=RunOutcome.OK, summary="fine", unavailable=("gcp",))


def test_alembic_prints_nothing_where_json_may_be_expected(tmp_path) -> None:
    """In a process of its own: Alembic keeps the standard output that it finds when it is imported."""
    program = (
        "from alembic import command\n"
        "from opscrew.store.database import alembic_config, open_database\n"
        f"with open_database('sqlite:///{tmp_path}/crew.db').begin() as connection:\n"
        "    command.check(alembic_config(connection))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout == ""


def test_migrations_make_exactly_the_tables_of_the_code(database) -> None:
    with database.begin() as connection:
        command.check(alembic_config(connection))


def test_migrations_have_one_head() -> None:
    assert len(ScriptDirectory(str(MIGRATIONS)).get_heads()) == 1


def test_the_newest_step_is_known_without_alembic() -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_a_long_write_holds_up_writers_only_and_they_are_told_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("opscrew.store.database.BUSY_TIMEOUT_MS", 100)
    url = f"sqlite:///{tmp_path / 'crew.db'}"
    writer = open_database(url)
    record_run(writer, run())
    with writer.begin():
        assert latest_runs(open_database(url)) == [run()], "whoever only reads neither waits nor fails"
        with pytest.raises(CrewError, match=r"kept 0\.1 s writing") as caught:
            record_run(open_database(url), run("housekeeping"))
    assert "Try again" in caught.value.hint


def test_a_run_comes_back_as_it_was(database) -> None:
    record_run(database, run())
    assert latest_runs(database) == [run()]


def test_a_time_without_a_zone_is_refused(database) -> None:
    from opscrew.store.tables.runs import runs

    values = run().model_dump() | {"started_at": datetime(2026, 10, 6)}  # noqa: DTZ001
    with pytest.raises(Exception, match="time without a zone"), database.begin() as connection:
        connection.execute(runs.insert().values(**values))


def test_many_writers_at_once_lose_nothing(database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: record_run(database, run(f"crew{n}")), range(40)))
    assert len(latest_runs(database, limit=100)) == 40


def test_several_processes_may_open_a_new_database_together(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'crew.db'}"
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: open_database(url), range(4)))
    record_run(engines[0], run())
    assert latest_runs(engines[3]) == [run()]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not a valid database URL"),
        ("sqlite:////proc/nowhere/crew.db", "cannot make the data folder"),
        ("postgresql://u:secret@127.0.0.1:1/x", "cannot open the database postgresql://u:***@127.0.0.1:1/x"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_clear_line(url: str, message: str) -> None:
    with pytest.raises(CrewError) as caught:
        open_database(url)
    assert message in caught.value.message
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_damaged_file_says_what_to_do(tmp_path) -> None:
    (tmp_path / "crew.db").write_bytes(b"not a database " * 100)
    with pytest.raises(CrewError, match="does not work") as caught:
        open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    assert "move it away" in caught.value.hint
