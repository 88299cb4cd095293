"""The planner's memory: exact over a restart, and no hint is lost while a crew is at work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from opscrew.ci.watch.poll_bucket import Poller
from opscrew.ci.watch.poll_states import forget, load_poller, load_states, save
from opscrew.ci.watch.polling import PollState, after_hint, after_look

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def test_what_is_saved_is_read_again(database: Engine) -> None:
    states = [
        PollState("a", NOW, NOW - timedelta(hours=1), True, None, NOW, 0),
        PollState("b", failures=3),
    ]
    assert load_poller(database, "acme") is None
    bucket = Poller(3.5, NOW, NOW, NOW - timedelta(days=1), ((NOW - timedelta(minutes=9), 40), (NOW, 3)))
    save(database, "acme", states, bucket)
    save(database, "other", [PollState("a")], Poller(1, NOW))
    assert load_states(database, "acme") == {"a": states[0], "b": states[1]}
    assert load_poller(database, "acme") == bucket
    save(database, "acme", [PollState("b")], Poller(2, NOW))
    assert load_states(database, "acme") == {"a": states[0], "b": PollState("b")}
    forget(database, "acme", ["a"])
    assert set(load_states(database, "acme")) == {"b"}
    assert set(load_states(database, "other")) == {"a"}


def test_a_hint_that_arrives_during_a_look_is_kept(database: Engine) -> None:
    before = PollState("a", polled_at=NOW - timedelta(hours=1))
    save(database, "acme", [before], Poller(1, NOW))
    looked = after_look(before, NOW, is_running=False, latest=None)
    save(database, "acme", [after_hint(before, NOW + timedelta(seconds=1))], Poller(1, NOW))
    save(database, "acme", [looked], Poller(1, NOW))
    assert load_states(database, "acme")["a"].hinted_at == NOW + timedelta(seconds=1)


def test_a_hint_that_was_looked_at_is_gone(database: Engine) -> None:
    save(database, "acme", [after_hint(PollState("new"), NOW)], Poller(1, NOW))
    state = load_states(database, "acme")["new"]
    assert state.hinted_at == NOW
    looked = after_look(state, NOW + timedelta(seconds=2), is_running=True, latest=None)
    save(database, "acme", [looked], Poller(1, NOW))
    assert load_states(database, "acme")["new"] == looked


def test_two_processes_that_save_at_once_do_not_collide(database: Engine) -> None:
    states = [PollState(f"r{number}", polled_at=NOW) for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            list(pool.map(lambda turn: save(database, "acme", states, Poller(turn, NOW)), range(8)))
            forget(database, "acme", [state.repository for state in states])
    assert load_poller(database, "acme") is not None
