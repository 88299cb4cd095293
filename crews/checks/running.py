"""Runs every check at once, each with a deadline, and compares the clocks that answered with ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from crews.checks import connections, contents, machine, mcp_servers, notify, rights
from crews.checks.check import Check, CheckFamily, Level, Result
from crews.runtime.systems import Systems
from opscrew.errors import CrewError
from opscrew.redaction import redact
from tools.errors import UpstreamError

DEADLINE_SECONDS = 10.0
"""For all checks together, since they run side by side. A person waits for this."""

CLOCK_SKEW_SECONDS = 30.0
"""Date headers count whole seconds and answers take time; beyond this, one of the clocks is wrong."""

FAMILIES: tuple[CheckFamily, ...] = (
    CheckFamily("machine", machine.machine_checks),
    CheckFamily("bitbucket", connections.bitbucket_checks),
    CheckFamily("kubernetes", connections.kubernetes_checks),
    *(
        CheckFamily(name, lambda settings, name=name: connections.url_checks(name, settings))  # type: ignore[misc]
        for name in connections.PATHS
    ),
    CheckFamily("series", contents.series_checks),
    CheckFamily("log fields", contents.log_checks),
    CheckFamily("rights", rights.rights_checks),
    CheckFamily("gcp", connections.google_cloud_checks),
    CheckFamily("model", connections.model_checks),
    CheckFamily("mcp", mcp_servers.mcp_checks),
    CheckFamily("notify", notify.notify_checks),
)
"""Every kind of check, in the order in which results are shown."""


@dataclass(frozen=True)
class Outcome:
    """One line of `crew doctor`."""

    name: str
    result: Result
    seconds: float


def run_checks(systems: Systems) -> Iterator[Outcome]:
    """The outcome of every check in the order of ``FAMILIES``, then the comparison of clocks. Never raises."""
    checks = [check for family in FAMILIES for check in family.checks(systems.settings)]
    pool = ThreadPoolExecutor(max_workers=len(checks))
    try:
        running = [(check, pool.submit(_outcome, check, systems)) for check in checks]
        wait([future for _, future in running], timeout=DEADLINE_SECONDS)
        outcomes = [_ended(check, future) for check, future in running]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    yield from outcomes
    yield _clocks(outcomes)


def _outcome(check: Check, systems: Systems) -> tuple[Result, float, float]:
    """The result, how long it took, and our clock at the end."""
    started = time.monotonic()
    try:
        result = check.look(systems)
    except (UpstreamError, CrewError) as problem:
        url = getattr(problem, "url", "")
        result = Result(Level.FAILED, _one_line(f"{problem.message} ({url})" if url else problem.message), problem.hint)
    except Exception as problem:  # noqa: BLE001  one broken check must not hide what the others found
        what = f"the check itself failed: {type(problem).__name__}: {problem}"
        result = Result(Level.FAILED, _one_line(what), "Please report it.")
    return result, time.monotonic() - started, systems.clock().timestamp()


def _ended(check: Check, future: Future[tuple[Result, float, float]]) -> Outcome:
    if not future.done():
        words = f"no answer within {DEADLINE_SECONDS:g} s"
        late = Result(Level.FAILED, words, "Is it overloaded, or swallowed by a firewall?")
        return Outcome(check.name, late, DEADLINE_SECONDS)
    result, seconds, our_time = future.result()
    if result.server_time is not None:
        skew = our_time - result.server_time.timestamp()
        if abs(skew) > CLOCK_SKEW_SECONDS + seconds:
            way = "ahead of" if skew > 0 else "behind"
            text = f"{result.text}; our clock is {abs(skew):,.0f} s {way} its clock"
            hint = "Let both machines take their time from NTP: limits, alerts and forecasts depend on it."
            result = Result(Level.WARNING, text, hint, result.server_time)
    return Outcome(check.name, result, seconds)


def _clocks(outcomes: list[Outcome]) -> Outcome:
    compared = [outcome for outcome in outcomes if outcome.result.server_time is not None]
    wrong = [outcome.name for outcome in compared if outcome.result.level is Level.WARNING]
    if not compared:
        return Outcome("clock", Result(Level.OFF, "no system told its time, so ours was not compared"), 0)
    if wrong:
        hint = "Check this machine's clock first: `timedatectl` shows whether NTP is active."
        return Outcome("clock", Result(Level.WARNING, f"differs from {', '.join(wrong)}", hint), 0)
    return Outcome("clock", Result(Level.OK, f"agrees with {', '.join(outcome.name for outcome in compared)}"), 0)


def _one_line(text: str) -> str:
    return " ".join(redact(text).split())
