"""What VictoriaLogs holds about failures: how many lines, from where, what they say, and the latest of them.

Where the question names an object, it is looked for among the namespaces, pods and services that wrote error lines, so
that it need not be known to the crew before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, timedelta
from urllib.parse import quote

from crews.collectors.collector import Request
from opscrew.answer.packet import Fact
from opscrew.answer.subjects import spoken_names
from tools.victorialogs.client import Period, VictoriaLogsClient, named_filter
from tools.victorialogs.records import Group, LogLine

USUAL_SPAN = timedelta(hours=1)
GROUPS = 500
PATTERNS, LINES, TOLD_GROUPS = 6, 3, 5

NAMESPACES = ("kubernetes.pod_namespace", "namespace")
PODS = ("kubernetes.pod_name", "pod")
SERVICES = ("service", "app")
"""Fields as the usual collectors name them; of each group the first that a line has counts."""


def collect(request: Request) -> Sequence[Fact]:
    """Raises ``UpstreamError``."""
    logs = request.context.systems.victorialogs
    assert logs is not None, "only asked where VictoriaLogs is configured"
    period = span(request)
    errors = named_filter("errors")
    groups = logs.count_by(errors, period, (*NAMESPACES, *PODS, *SERVICES), limit=GROUPS)
    names = _names(groups, request)
    if request.understood.subjects and not names:
        return _nothing_of(logs, request, period)
    if names:
        errors = f"{errors} ({' or '.join(_anything(name) for name in names)})"
        groups = tuple(one for one in groups if any(name in _labels(one) for name in names))
    return _facts(logs, request, errors, period, groups, names)


def span(request: Request) -> Period:
    """The time of the question; the last hour where it names none."""
    named = request.understood.range
    if named is None or named.is_now or request.start is None or request.start >= request.now:
        return Period(request.now - USUAL_SPAN, request.now)
    return Period(request.start, min(request.end, request.now))


def _names(groups: Sequence[Group], request: Request) -> list[str]:
    """Of what wrote errors, those that the question names."""
    wrote = sorted({label for one in groups for label in _labels(one)})
    said = spoken_names(request.question, wrote)
    return sorted(said | {one.name for one in request.understood.subjects if one.name in wrote})


def _anything(name: str) -> str:
    return named_filter("anything", name=name, prefix=f"{name}-")


def _labels(group: Group) -> set[str]:
    """Namespace, pod, workload and service of it."""
    found = {value for value in group.values.values() if value}
    for field in PODS:
        parts = group.values.get(field, "").split("-")
        # Every beginning of a pod's name may be its workload's: cart-7f9c-x2k4q is of cart.
        found |= {"-".join(parts[:count]) for count in range(1, len(parts))}
    return found - {""}


def _facts(
    logs: VictoriaLogsClient, request: Request, errors: str, period: Period, groups: Sequence[Group], names: list[str]
) -> list[Fact]:
    total = logs.count(errors, period)
    about = f" of {', '.join(names)}" if names else ""
    when = f"from {request.when(period.start)} to {request.when(period.end)}"
    link = _link(request, errors, period)
    facts = [Fact("victorialogs", f"{total} error lines{about} {when}", period.end, link, weight=9.5)]
    if not total:
        return facts
    writers: Counter[str] = Counter()
    for group in groups:
        writers[_writer(group)] += group.count
    most = ", ".join(f"{name} ({count})" for name, count in writers.most_common(TOLD_GROUPS))
    facts.append(Fact("victorialogs", f"error lines come from {most}", period.end, link, weight=9))
    for place, one in enumerate(logs.patterns(errors, period, limit=PATTERNS)):
        text = f"{one.count} times: {one.text}"
        facts.append(Fact("victorialogs patterns", text, period.end, link, weight=8.5 - 0.1 * place))
    for place, line in enumerate(logs.lines(errors, period, fields=(*PODS, *SERVICES), limit=LINES).lines):
        at = line.at or period.end
        facts.append(Fact(f"victorialogs {_source(line)}".strip(), line.message, at, link, weight=7 - 0.1 * place))
    return facts


def _nothing_of(logs: VictoriaLogsClient, request: Request, period: Period) -> list[Fact]:
    """No error line is of what was asked for. Whether it wrote anything at all tells silence from health."""
    facts = []
    when = f"from {request.when(period.start)} to {request.when(period.end)}"
    for subject in request.understood.subjects[:3]:
        lines = _anything(subject.name)
        total = logs.count(lines, period)
        text = f"no error lines of {subject.name} {when}, {total} lines in all"
        facts.append(Fact("victorialogs", text, period.end, _link(request, lines, period), weight=9))
    return facts


def _writer(group: Group) -> str:
    values = group.values
    for fields in (PODS, SERVICES, NAMESPACES):
        if name := next((values[field] for field in fields if values.get(field)), ""):
            return name
    return "unnamed sources"


def _source(line: LogLine) -> str:
    return next((line.fields[field] for field in (*PODS, *SERVICES) if line.fields.get(field)), "")


def _link(request: Request, query: str, period: Period) -> str:
    """VictoriaLogs' own page with the query filled in."""
    part = request.context.settings.victorialogs
    assert part is not None, "see collect"
    seconds = int((period.end - period.start).total_seconds())
    until = f"{period.end.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    page = f"{part.url.rstrip('/')}/select/vmui/#/"
    return f"{page}?query={quote(query)}&g0.range_input={seconds}s&g0.end_input={until}"
