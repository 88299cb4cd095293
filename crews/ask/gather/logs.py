"""What VictoriaLogs holds about failures: how many lines, from where, what they say, and the latest of them.

Where the question names an object, it is looked for among the clusters, namespaces, pods and services that wrote
lines, so that it need not be known to the crew before. A name that no line has is said, and never answered with the
errors of others; a zero stands beside the number of lines that were looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from urllib.parse import quote

from crews.ask.gather.collector import Request
from crews.ask.gather.log_names import asked_names, like, places, writer
from opscrew.answer.packet import Fact, gap_fact
from opscrew.model.coverage import Gap
from tools.errors import UpstreamError
from tools.victorialogs.client import Period, VictoriaLogsClient
from tools.victorialogs.failures import begins_trace, is_failure
from tools.victorialogs.fields import LogFields
from tools.victorialogs.records import Group, Tally
from tools.victorialogs.traces import gist, outcome

USUAL_SPAN, BEFORE = timedelta(hours=1), timedelta(days=1)
GROUPS = 1000
PATTERNS, LINES, TOLD_GROUPS = 6, 3, 5
TRACES, TRACE_LINES, TRACE_LASTS = 5, 120, timedelta(seconds=5)
"""Traces that came line by line are read to their end: so many of the latest, so many lines, so long."""


@dataclass(frozen=True)
class Look:
    """One question to one store. ``where`` is the filter of what it is about, ``failing`` that of error lines."""

    request: Request
    logs: VictoriaLogsClient
    fields: LogFields
    period: Period
    failing: str
    page: str
    where: str = "*"

    @property
    def when(self) -> str:
        return f"from {self.request.when(self.period.start)} to {self.request.when(self.period.end)}"

    @property
    def errors(self) -> str:
        return f"{self.where} {self.failing}"

    def tally(self) -> tuple[Tally, ...]:
        return self.logs.tally(self.where, self.period, self.fields, self.failing, limit=GROUPS)

    def fact(self, text: str, weight: float, source: str = "victorialogs") -> Fact:
        return Fact(source, text, self.period.end, _link(self), weight=weight)


def collect(request: Request) -> Sequence[Fact]:
    """Of each store that may hold what is asked for. Raises the first ``UpstreamError`` where none answered."""
    stores = _stores(request)
    with ThreadPoolExecutor(max_workers=len(stores), thread_name_prefix="logs") as pool:
        answers = list(pool.map(lambda cluster: _answer(request, cluster), stores))
    problems = [one for one in answers if isinstance(one, UpstreamError)]
    if len(problems) == len(answers):
        raise problems[0]
    facts: list[Fact] = []
    for cluster, answer in zip(stores, answers, strict=True):
        if isinstance(answer, UpstreamError):
            facts.append(gap_fact("victorialogs", Gap(f"logs of cluster {cluster}", str(answer)), request.now))
        else:
            facts += [_of_cluster(one, cluster) for one in answer]
    return facts


def _of_cluster(fact: Fact, cluster: str) -> Fact:
    """Counts of two stores may be the same words, so they name whose they are; a line that was written is left as it
    is, and its source says where it is from."""
    if not cluster:
        return fact
    text = f"cluster {cluster}: {fact.text}" if fact.source == "victorialogs" else fact.text
    return replace(fact, text=text, source=fact.source.replace("victorialogs", f"victorialogs {cluster}", 1))


def _stores(request: Request) -> list[str]:
    """Clusters with a store of their own by name, and "" for the common one where it may hold what is meant."""
    settings = request.context.settings
    own = {
        part.name for part in settings.kubernetes if settings.store("victorialogs", part.name) != settings.victorialogs
    }
    asked = [part.name if part.name in own else "" for part in request.clusters] or [""]
    named = any(one.kind == "cluster" for one in request.understood.subjects)
    return list(dict.fromkeys(asked if asked and named else [*asked, ""]))


def _answer(request: Request, cluster: str) -> Sequence[Fact] | UpstreamError:
    try:
        return _look_into(request, cluster)
    except UpstreamError as problem:
        return problem


def _look_into(request: Request, cluster: str) -> Sequence[Fact]:
    logs, part = request.context.systems.logs_of(cluster), request.context.settings.store("victorialogs", cluster)
    assert logs is not None, "only asked where VictoriaLogs is configured"
    assert part is not None, "the client was made of it"
    period = span(request)
    fields = logs.fields(period)
    look = Look(request, logs, fields, period, fields.failures(), part.url.rstrip("/"))
    everything = logs.count_by("*", period, fields.naming, limit=GROUPS)
    if not sum(one.count for one in everything):
        return [_empty(look)]
    names, unheard = asked_names(request, everything, fields)
    unheard = [name for name in unheard if name != cluster]  # a store of its own holds nothing else
    facts = [fact for name in unheard for fact in _unheard(look, name, everything)]
    where = places(names, everything, fields)
    things = [name for name in names if name not in where]
    if unheard and not things:
        return facts  # the errors of its namespace are those of others
    if names:
        parts = [f"({' or '.join(fields.of_anything(name) for name in some)})" for some in (where, things) if some]
        look = replace(look, where=" ".join(parts))
    return [*facts, *_facts(look, f" of {', '.join(names)}" if names else "")]


def span(request: Request) -> Period:
    """The time of the question; the last hour where it names none."""
    named = request.understood.range
    if named is None or named.is_now or request.start is None or request.start >= request.now:
        return Period(request.now - USUAL_SPAN, request.now)
    return Period(request.start, min(request.end, request.now))


def _empty(look: Look) -> Fact:
    """A store that holds nothing is not a quiet one."""
    before = look.logs.count("*", Period(look.period.start - BEFORE, look.period.start))
    than = f"{before:,} in the 24 hours before" if before else "and none in the 24 hours before"
    why = "nothing is collected, or it is kept under another tenant (AccountID and ProjectID)"
    return look.fact(f"the store holds no log lines at all {look.when}, {than}: {why}", 9.5)


def _unheard(look: Look, name: str, everything: Sequence[Group]) -> list[Fact]:
    """Of a name that no line seems to have; tallies of a big store are cut, so it is asked for once more."""
    fields, where = look.fields, look.fields.of_anything(name)
    if look.logs.count(where, look.period):
        return _facts(replace(look, where=where), f" of {name}")
    kinds = [kind for kind in ("cluster", "namespace", "pod", "service") if getattr(fields, kind)]
    if not kinds:
        hint = "no field of them is known to hold pod or service; victorialogs.fields in crew.yaml may name one"
        return [look.fact(f"log lines of {name} cannot be told from others: {hint}", 9.5)]
    near = like(name, everything, fields)
    also = f"; names like it are {', '.join(near)}" if near else ""
    others = f"{sum(one.count for one in everything):,} lines are of others"
    found = [look.fact(f"no log line {look.when} is of a {' or '.join(kinds)} called {name}, {others}{also}", 9.5)]
    saying = replace(look, where=fields.saying(name))
    if said := look.logs.count(saying.errors, look.period):
        found.append(saying.fact(f"{said:,} error lines of others {look.when} have the word {name} in them", 8.9))
    return found


def _facts(look: Look, about: str) -> list[Fact]:
    ends = _ends_of_traces(look)
    if ends and all(is_failure(end) for end in ends):
        # The line that says what went wrong is counted by itself.
        look = replace(look, failing=f"({look.failing} !{look.fields.begun_traces()})")
    tallies = look.tally()
    total, failures = sum(one.total for one in tallies), sum(one.failures for one in tallies)
    if len(tallies) == GROUPS:
        total, failures = look.logs.count(look.where, look.period), look.logs.count(look.errors, look.period)
    if not failures:
        return [look.fact(f"no error lines{about} {look.when}: 0 of {total:,} lines", 9.5)]
    facts = [look.fact(f"{failures:,} error lines{about} {look.when}, of {total:,} lines", 9.5)]
    writers: Counter[str] = Counter()
    for one in tallies:
        writers[writer(one.values, look.fields)] += one.failures
    most = ", ".join(f"{name} ({count:,})" for name, count in writers.most_common(TOLD_GROUPS) if count)
    return [*facts, look.fact(f"error lines come from {most}", 9), *_texts(look, ends)]


def _texts(look: Look, ends: Sequence[str]) -> list[Fact]:
    """What the error lines say."""
    logs, fields, facts = look.logs, look.fields, []
    for place, one in enumerate(logs.patterns(look.errors, look.period, limit=PATTERNS, where=fields)):
        if not (ends and begins_trace(one.text)):
            text = f"{one.count:,} times: {gist(one.text)}"
            facts.append(look.fact(text, 8.5 - 0.1 * place, "victorialogs patterns"))
    uncounted = [end for end in ends if not is_failure(end)]
    facts += [look.fact(f"a trace ends with: {end}", 8.4) for end in dict.fromkeys(uncounted)]
    unset = f"{look.where} {fields.without_text()}"
    if (
        fields.is_unset
        and logs.count(unset, look.period)
        and (textless := logs.count(f"{unset} {look.failing}", look.period))
    ):
        why = "the store was not told which field holds it (_msg_field), and victorialogs.fields names none"
        facts.append(look.fact(f"{textless:,} of them have no text: {why}", 8))
    lines = logs.lines(look.errors, look.period, fields=fields.naming, limit=LINES, where=fields).lines
    for place, line in enumerate(lines):
        if line.message and not (ends and begins_trace(line.message)):
            fact = look.fact(
                gist(line.message), 7 - 0.1 * place, f"victorialogs {_source(line.fields, fields)}".strip()
            )
            facts.append(replace(fact, time=line.at or look.period.end))
    return facts


def _ends_of_traces(look: Look) -> list[str]:
    """What went wrong, of the latest traces whose lines came one by one: their first lines do not say it."""
    logs, fields, found = look.logs, look.fields, []
    begun = logs.lines(
        f"{look.where} {fields.begun_traces()}", look.period, fields=fields.naming, limit=TRACES, where=fields
    )
    for line in begun.lines:
        if line.at is not None:
            after = Period(line.at, line.at + TRACE_LASTS)
            rest = logs.lines(
                fields.beside(line.fields), after, limit=TRACE_LINES, order="first_lines", where=fields
            ).lines
            found.append(outcome([line.message, *(one.message for one in rest if one.message != line.message)]))
    return [end for end in found if end]


def _source(values: Mapping[str, str], fields: LogFields) -> str:
    return next((values[field] for field in (*fields.pod, *fields.service) if values.get(field)), "")


def _link(look: Look) -> str:
    """VictoriaLogs' own page with about the same query filled in; the whole one is longer than an address may be."""
    seconds = int((look.period.end - look.period.start).total_seconds())
    until = f"{look.period.end.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    page = f"{look.page}/select/vmui/#/"
    query = f"{look.where} {look.fields.shortly()}"
    return f"{page}?query={quote(query)}&g0.range_input={seconds}s&g0.end_input={until}"
