"""What VictoriaMetrics says about running systems: use, traffic, errors, for what the question names.

Objects need not be known to the crew before: whatever the question names is looked for among the labels of the series
that come back. Where it names nothing, those with the highest values are told. A cluster that was not asked, a store
that answered in part, and figures of which there are no series at all are gaps: no answer is whole without them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from crews.ask.gather.collector import Request
from crews.ask.gather.metric_places import Place, places, unasked
from opscrew.answer.packet import Fact, gap_fact
from opscrew.answer.understand.name_places import cued_words
from opscrew.answer.understand.subjects import spoken_names
from opscrew.answer.write.measures import Course, Measure, Unit, course, in_unit, measures_asked
from opscrew.answer.write.templates import in_words
from opscrew.model.coverage import Basis, Gap
from tools.errors import UpstreamError
from tools.queries import matchers
from tools.victoriametrics.client import Curve, cluster_labels, duration, named_query
from tools.victoriametrics.records import Range, Series

POINTS = 60
"""Of one series: enough to see a peak, little enough for two hundred workloads in one answer."""

LEAST_STEP, LEAST_WINDOW = timedelta(minutes=1), timedelta(minutes=5)
"""A rate needs two scrapes, which are seldom further apart than a minute; five minutes bridge a missed one."""

COUNTED, LOOKS = "restarts", 500
"""A unit of which people want to know how many there were in all, and how often a counter is looked at for that."""

USUAL_SPAN = timedelta(hours=1)
NAMED, TOP = 4, 3
"""Series told of each query: of what the question names, and else of the highest."""

OBJECT_LABELS = ("workload", "persistentvolumeclaim", "node", "instance", "service", "app", "job", "namespace")
"""The most exact first; the first that a series has is its name for people."""


@dataclass(frozen=True)
class Asked:
    """One query over one cluster's series."""

    measure: Measure
    unit: Unit
    query: str
    place: Place

    @property
    def is_counted(self) -> bool:
        """Whether people want to know how many there were in all, and not how many at which time."""
        return self.unit == COUNTED


@dataclass(frozen=True)
class Told:
    """One series in short."""

    asked: Asked
    labels: Mapping[str, str]
    course: Course


def collect(request: Request) -> Sequence[Fact]:
    """A few lines for each figure that was asked for. Raises the first ``UpstreamError`` where nothing was answered."""
    start, end, step = span(request)
    asked = list(_asked(request))
    with ThreadPoolExecutor(max_workers=6, thread_name_prefix="metrics") as pool:
        answers = list(pool.map(lambda one: _answer(one, start, end, step), asked))
    problems = [one for one in answers if isinstance(one, UpstreamError)]
    if problems and len(problems) == len(answers):
        raise problems[0]
    answered = [(one, found) for one, found in zip(asked, answers, strict=True) if not isinstance(found, UpstreamError)]
    facts = [fact for one, found in answered for fact in _facts(one, found.series, request, (start, end))]
    gaps = dict.fromkeys([*unasked(request), *_gaps(asked, answers, request, is_found=bool(facts))])
    return [*facts, *(gap_fact("victoriametrics", gap, request.now) for gap in gaps)]


def span(request: Request) -> tuple[datetime, datetime, timedelta]:
    """Start, end and step. Without a time in the question: the last hour."""
    named = request.understood.range
    start, end = (request.start, request.end) if named is not None and not named.is_now else (None, request.now)
    end = min(end, request.now)
    start = start if start is not None and start < end else end - USUAL_SPAN
    return start, end, max((end - start) / POINTS, LEAST_STEP)


def _asked(request: Request) -> Iterator[Asked]:
    start, end, step = span(request)
    for place in places(request):
        for measure in measures_asked(request.spoken):
            for name, unit in measure.queries.items():
                window = end - start if unit == COUNTED else max(step, LEAST_WINDOW)
                every = _looks(start, end) if unit == COUNTED else _every(step)
                curve = Curve(step, every, max(every, LEAST_WINDOW))
                yield Asked(measure, unit, named_query(name, duration(window), place.labels, curve=curve), place)


def _looks(start: datetime, end: datetime) -> timedelta:
    """How often a counter is looked at, in full seconds."""
    return timedelta(seconds=int(max((end - start) / LOOKS, LEAST_STEP).total_seconds()))


def _next_look(end: datetime, every: timedelta) -> datetime:
    """The store looks at multiples of the time between two looks; the last before ``end`` misses what came since."""
    return datetime.fromtimestamp(-(-end.timestamp() // every.total_seconds()) * every.total_seconds(), UTC)


def _every(step: timedelta) -> timedelta:
    """How often to look between two points of a curve: often enough that of pods which follow each other few are seen
    at the same time, seldom enough that a month is answered in time."""
    return min(max(step / 12, LEAST_STEP), timedelta(minutes=15))


def _gaps(
    asked: Sequence[Asked], answers: Sequence[Range | UpstreamError], request: Request, *, is_found: bool
) -> Iterator[Gap]:
    """Of each figure and cluster: refused, answered in part, or of no series at all; and whether none is of the
    subject, which is a gap only where no cluster knows it."""
    of: dict[str, list[Range | UpstreamError]] = defaultdict(list)
    labels: dict[str, Mapping[str, str]] = {}
    for one, answer in zip(asked, answers, strict=True):
        what = one.measure.title + (f" of cluster {one.place.cluster}" if one.place.cluster else "")
        of[what].append(answer)
        labels[what] = one.place.labels
    series = 0
    for what, found in of.items():
        refused = [one for one in found if isinstance(one, UpstreamError)]
        whole = [one for one in found if isinstance(one, Range)]
        if refused:
            yield Gap(what, str(refused[0]), basis=Basis.PARTLY if whole else Basis.NOT_MEASURED)
        if any(one.partial for one in whole):
            yield Gap(what, "the metrics store answered in part", basis=Basis.PARTLY)
        count = sum(len(one.series) for one in whole)
        if not count and not refused:
            yield Gap(what, _why_nothing(labels[what]))
        series += count
    if series and not is_found:
        titles = in_words(list(dict.fromkeys(one.measure.title for one in asked)))
        asked_for = request.understood.subject or "what the question names"
        yield Gap(titles, f"none of {series} series is of {asked_for}")


def _why_nothing(labels: Mapping[str, str]) -> str:
    return "there are no series of it in that time" + (f" with {{{matchers(labels)}}}" if labels else "")


def _answer(asked: Asked, start: datetime, end: datetime, step: timedelta) -> Range | UpstreamError:
    try:
        if not asked.is_counted:
            return asked.place.client.range(asked.query, start, end, step)
        total = asked.place.client.instant(asked.query, _next_look(end, _looks(start, end)))
    except UpstreamError as problem:
        return problem
    series = (Series(one.labels, ((end.timestamp(), one.value),)) for one in total.samples)
    return Range(tuple(series), total.partial)


def _facts(asked: Asked, series: Sequence[Series], request: Request, when: tuple[datetime, datetime]) -> list[Fact]:
    told = [Told(asked, one.labels, found) for one in series if (found := course(one.points)) is not None]
    named = _named(told, request)
    about = named or ([] if _is_of_something(request) else told)
    if asked.is_counted and about and not named:
        about = [one for one in about if one.course.last] or about[:1]
    highest = _each_once(sorted(about, key=lambda one: -one.course.highest))[: NAMED if named else TOP]
    link = _link(asked, when)
    weight = 9.5 if named else 7.5
    return [
        Fact(_source(asked), _line(one, request, when), one.course.last_at, link, weight - 0.1 * place)
        for place, one in enumerate(highest)
    ]


def _each_once(told: Sequence[Told]) -> list[Told]:
    """The first of each name: two jobs that scrape one service tell the same of it."""
    return list({_name(one): one for one in reversed(told)}.values())[::-1]


def _is_of_something(request: Request) -> bool:
    """Whether the question names an object, known or not: the figures of others are then no answer."""
    return bool(request.understood.subjects or request.understood.near or cued_words(request.question))


def _named(told: Sequence[Told], request: Request) -> list[Told]:
    """Those of what the question names. The more exact kind of name decides: "checkout" is taken for the workload, and
    for the namespace where no workload of that name has such figures."""
    values = (_bare(one.labels[label]) for one in told for label in OBJECT_LABELS if one.labels.get(label))
    found = spoken_names(request.question, values)
    found |= {one.name for one in request.understood.subjects}
    for label in OBJECT_LABELS:
        fitting = [one for one in told if _bare(one.labels.get(label, "")) in found]
        if fitting:
            return fitting
    return []


def _bare(value: str) -> str:
    """The host of host:port."""
    host, colon, port = value.rpartition(":")
    return host if colon and port.isdecimal() else value


def _line(told: Told, request: Request, when: tuple[datetime, datetime]) -> str:
    unit, found = told.asked.unit, told.course
    values = (
        f"{in_unit(found.last, unit)} until {request.when(found.last_at)}"
        if told.asked.is_counted
        else (
            f"{in_unit(found.last, unit)} at {request.when(found.last_at)}, mean {in_unit(found.mean, unit)}, "
            f"highest {in_unit(found.highest, unit)} at {request.when(found.highest_at)}"
        )
    )
    place = f", cluster {told.asked.place.cluster}," if told.asked.place.cluster else ""
    return f"{told.asked.measure.title} of {_name(told)}{place} since {request.when(when[0])}: {values}"


def _name(told: Told) -> str:
    label = next((one for one in OBJECT_LABELS if told.labels.get(one)), "")
    if not label:
        return "everything together"
    name = f"{label} {_bare(told.labels[label])}"
    if told.labels.get("mountpoint"):
        name += f" {told.labels['mountpoint']}"
    namespace = told.labels.get("namespace", "")
    if namespace and label not in ("namespace", "node", "instance"):
        name += f" in namespace {namespace}"
    # Of a store that holds several clusters: whose it is, unless that was asked for.
    others = [f"{key} {told.labels[key]}" for key in cluster_labels() if told.labels.get(key)]
    known = {f"{key} {value}" for key, value in told.asked.place.labels.items()}
    return ", ".join([name, *(one for one in others if one not in known)])


def _source(asked: Asked) -> str:
    return f"victoriametrics {asked.place.cluster}".strip()


def _link(asked: Asked, when: tuple[datetime, datetime]) -> str:
    """VictoriaMetrics' own page with the query filled in, where a person sees the curve."""
    seconds = int((when[1] - when[0]).total_seconds())
    until = f"{when[1].astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{asked.place.page}/vmui/#/?g0.expr={quote(asked.query)}&g0.range_input={seconds}s&g0.end_input={until}"
