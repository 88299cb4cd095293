"""The daemon as a real process: over HTTP, with signals, and killed without warning."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from opscrew.settings import NOTHING_CONFIGURED
from opscrew.store.database import open_database
from opscrew.store.runs import latest_runs
from tests.support.daemon import CREW, PATIENCE, PROGRAM, Daemon, until
from tests.support.daemon_crews import notes

BITBUCKET = {"CREW_BITBUCKET__WORKSPACE": "acme", "CREW_BITBUCKET__URL": "http://127.0.0.1:1/2.0"}
SECRET = "webhook-secret-of-this-test"


def open_codes(daemon: Daemon) -> list[str]:
    from opscrew.clock import utc_now
    from opscrew.findings.ledger import Ledger

    engine = open_database(f"sqlite:///{daemon.folder / 'crew.db'}")
    try:
        return [entry.finding.code for entry in Ledger(engine, utc_now).open()]
    finally:
        engine.dispose()


def test_a_crew_that_fails_is_a_finding_until_it_works_again(tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    with Daemon(tmp_path) as daemon:
        until(lambda: open_codes(daemon) == ["CREW_FAILED"], daemon.log)
        status = daemon.get("/api/status").json()
        assert status["runs"][0]["outcome"] == "failed"
        assert "told to fail" in status["runs"][0]["summary"]
        assert status["open_findings"]["warning"] == 1
        assert 'crew_findings{severity="warning"} 1.0' in daemon.get("/metrics").text
        assert "correct-horse" not in daemon.log() + json.dumps(status)
        (tmp_path / "fail").unlink()
        until(lambda: open_codes(daemon) == [], daemon.log)
        assert 'crew_runs_total{crew="ci_watch",outcome="ok"}' in daemon.get("/metrics").text
        assert "looked at" in daemon.get("/").text
        assert daemon.stop() == 0


def test_a_crew_that_overruns_runs_once_and_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "hang").touch()
    with Daemon(tmp_path, {"CREW_STOP_SECONDS": "0.3"}, (*PROGRAM, "--overrun")) as daemon:
        # The interval is a second: by the time the deadline is noticed, several starts were due.
        until(lambda: open_codes(daemon) == ["CREW_OVERRUN"], daemon.log)
        assert notes(tmp_path) == ["begin"]
        assert daemon.get("/api/status").json()["crews"][0]["state"] == "running"
        (tmp_path / "hang").unlink()
        until(lambda: len(latest_runs(open_database(f"sqlite:///{tmp_path / 'crew.db'}"))) >= 2, daemon.log)
        assert "beginbegin" not in "".join(notes(tmp_path))
        until(lambda: open_codes(daemon) == [], daemon.log)
        (tmp_path / "hang").touch()
        until((tmp_path / "hanging").exists, daemon.log)
        assert daemon.stop() == 0
        assert "left running crews behind" in daemon.log()


def test_one_owner_for_each_data_folder_and_a_fast_start_after_kill(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        second = daemon.launch()
        assert second.wait(PATIENCE) == 1
        assert f"in use by process {daemon.process.pid} on " in daemon.log()
        assert daemon.url in daemon.log()
        daemon.process.kill()
        daemon.process.wait()
        daemon.start()
        assert daemon.stop(signal.SIGINT) == 0
        assert (tmp_path / "crew.lock").read_text() == ""


def test_a_signed_webhook_wakes_the_crew(tmp_path: Path) -> None:
    body = json.dumps(
        {
            "repository": {"full_name": "acme/shop"},
            "commit_status": {"state": "FAILED", "refname": "main", "commit": {"hash": "abc"}},
        }
    ).encode()
    good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def post(daemon: Daemon, signature: str, content: bytes = body) -> httpx.Response:
        headers = {"X-Hub-Signature": signature, "X-Event-Key": "repo:commit_status_updated"}
        url = daemon.url + "/webhooks/bitbucket"
        return httpx.post(url, content=content, headers=headers, timeout=PATIENCE, trust_env=False)

    environment = {**BITBUCKET, "CREW_BITBUCKET__WEBHOOK_SECRET": SECRET, "CREW_HTTP__TOKEN": "open sesame please"}
    with Daemon(tmp_path, environment, (*PROGRAM, "--seldom")) as daemon:
        until(lambda: notes(tmp_path) == ["begin", "end "], daemon.log)
        assert post(daemon, "").status_code == 401
        assert post(daemon, good[:-1] + "0").status_code == 401
        assert post(daemon, good, body + b" ").status_code == 401
        assert notes(tmp_path) == ["begin", "end "]
        assert post(daemon, good).status_code == 202
        until(lambda: notes(tmp_path)[2:] == ["begin", "end shop"], daemon.log)
        # While a run is going on, a burst of further ones leads to exactly one more.
        (tmp_path / "hang").touch()
        assert post(daemon, good).status_code == 202
        until(lambda: notes(tmp_path)[4:] == ["begin"], daemon.log)
        assert {post(daemon, good).status_code for _ in range(3)} == {202}
        (tmp_path / "hang").unlink()
        until(lambda: len(notes(tmp_path)) >= 6, daemon.log)
        assert notes(tmp_path)[5] == "end shop,shop,shop,shop"
        until(lambda: notes(tmp_path)[6:] == ["begin", "end "], daemon.log)


def test_webhooks_are_refused_without_a_secret(tmp_path: Path) -> None:
    with Daemon(tmp_path, BITBUCKET) as daemon:
        url = daemon.url + "/webhooks/bitbucket"
        answer = httpx.post(url, content=b"{}", timeout=PATIENCE, trust_env=False)
        assert (answer.status_code, answer.json()["status"]) == (403, "refused")


def test_crew_serve_itself_starts_answers_and_stops(tmp_path: Path) -> None:
    with Daemon(tmp_path, command=CREW) as daemon:
        assert daemon.get("/healthz").json() == {"status": "alive"}
        states = {crew["crew"]: crew["state"] for crew in daemon.get("/api/status").json()["crews"]}
        assert states["ci_watch"] == "off"
        assert NOTHING_CONFIGURED in daemon.get("/").text
        assert daemon.stop() == 0
        assert "crew serves at http://127.0.0.1:" in daemon.log()
        assert NOTHING_CONFIGURED in " ".join(daemon.log().split())
        assert "Traceback" not in daemon.log()


def test_a_json_log_holds_nothing_but_objects(tmp_path: Path) -> None:
    # "stopped" is said only where no run had to be left behind: none is long without the index of documents.
    patient = {"CREW_STOP_SECONDS": "90", "CREW_MEMORY__EMBEDDING": "none"}
    with Daemon(tmp_path, {"CREW_LOG_FORMAT": "json", **patient}, CREW) as daemon:
        assert daemon.stop() == 0
        events = [json.loads(line)["event"] for line in daemon.log().splitlines()]
    assert "crew serves" in events
    assert events[-1] == "stopped"


@pytest.mark.parametrize(
    ("environment", "code", "message"),
    [
        ({"CREW_HTTP__HOST": "0.0.0.0"}, 2, "can be reached by others, and no token is set"),
        ({"CREW_HTTP__HOST": "no.such.host.invalid", "CREW_HTTP__TOKEN": "a token"}, 1, "cannot listen on"),
        ({"CREW_SCHEDULE": "/nowhere.yaml"}, 2, "cannot be read as a schedule"),
        ({"CREW_DATABASE": "postgresql://127.0.0.1:1/x"}, 1, "cannot open the database"),
    ],
)
def test_a_wrong_start_is_one_clear_line(tmp_path: Path, environment: dict[str, str], code: int, message: str) -> None:
    daemon = Daemon(tmp_path, environment, CREW)
    ended = subprocess.run(
        daemon.command, cwd=Path(__file__).parents[2], env=daemon.environment, capture_output=True, timeout=PATIENCE
    )
    assert ended.returncode == code
    assert message in ended.stderr.decode()
    assert len(ended.stderr.splitlines()) <= 2
