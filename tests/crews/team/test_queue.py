"""Turns go by priority, then by arrival, one per host."""

from __future__ import annotations

import threading
import time

from crews.team.queue import HostQueue, Priority


def test_a_free_host_is_given_at_once_and_the_one_used_last_comes_first() -> None:
    queue = HostQueue(["a", "b"])
    with (
        queue.turn(Priority.PERSON, 60, lambda: False) as first,
        queue.turn(Priority.PERSON, 60, lambda: False) as second,
    ):
        assert (first, second) == ("a", "b")
    with queue.turn(Priority.PERSON, 60, lambda: False) as again:
        assert again == "a"


def test_waiting_ends_with_none_when_time_is_up_or_the_caller_has_gone() -> None:
    queue = HostQueue(["a"])
    with queue.turn(Priority.PERSON, 60, lambda: False):
        started = time.monotonic()
        with queue.turn(Priority.PERSON, 0.2, lambda: False) as late:
            assert late is None
        assert 0.15 < time.monotonic() - started < 20
        with queue.turn(Priority.PERSON, 60, lambda: True) as gone:
            assert gone is None
        assert queue.waiting == 0
    with queue.turn(Priority.PERSON, 60, lambda: False) as host:
        assert host == "a"


def test_people_overtake_background_work_but_not_each_other() -> None:
    queue = HostQueue(["a"])
    order: list[str] = []

    def work(name: str, priority: Priority) -> None:
        with queue.turn(priority, 60, lambda: False) as host:
            assert host == "a"
            order.append(name)

    with queue.turn(Priority.PERSON, 60, lambda: False):
        threads = []
        for name, priority in [
            ("background 1", Priority.BACKGROUND),
            ("background 2", Priority.BACKGROUND),
            ("person 1", Priority.PERSON),
            ("person 2", Priority.PERSON),
        ]:
            threads.append(threading.Thread(target=work, args=(name, priority)))
            threads[-1].start()
            while queue.waiting < len(threads):
                time.sleep(0.005)
    for thread in threads:
        thread.join(60)
    assert order == ["person 1", "person 2", "background 1", "background 2"]
