"""Which alerts fire at this moment, asked of Alertmanager, Grafana and vmalert; and which fired in a time that is over.

The ledger knows what the crew made of alerts; this is what the systems themselves say, also before the crew has looked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from crews.alert_triage.polling import alert_sources, gaps_of
from crews.ask.gather.collector import Request
from crews.ask.gather.metric_places import may_be_ours, stores
from opscrew.alerts.alert import Alert
from opscrew.alerts.clusters import cluster_of
from opscrew.alerts.kinds import kind_of
from opscrew.alerts.labels import label_rules, own_labels
from opscrew.alerts.objects import object_words, own_labels_of
from opscrew.alerts.store import UNGROUPED
from opscrew.alerts.telling import said_of
from opscrew.answer.packet import Fact, gap_fact
from opscrew.answer.understand.subjects import spoken_names
from opscrew.model.coverage import Basis, Gap
from opscrew.model.finding import Severity
from tools.errors import UpstreamError
from tools.victoriametrics.client import named_query

MOST = 10
EVER = "30d"
"""How far back the series that rules write are looked for, before their absence counts as nobody writing them."""

PRESENT = timedelta(minutes=5)
"""A question about a time that ends earlier than this ago is about the past."""

NAMING = {
    "alertname",
    "namespace",
    *(one.label for one in label_rules().kinds),
    *label_rules().naming,
}
"""Labels whose values people say when they ask about an alert. A severity is no name."""

Answered = tuple[str, Sequence[Alert] | UpstreamError]


def collect(request: Request) -> Sequence[Fact]:
    """Counts first, then the gravest. Raises ``UpstreamError`` where no source answered."""
    if request.understood.range is not None and request.end < request.now - PRESENT:
        return _past(request)
    sources = alert_sources(request.context)
    with ThreadPoolExecutor(max_workers=len(sources), thread_name_prefix="alerts") as pool:
        answers: list[Answered] = list(pool.map(_ask, sources))
    silent = [(name, answer) for name, answer in answers if isinstance(answer, UpstreamError)]
    if len(silent) == len(answers):
        raise silent[0][1]
    gaps = [Gap(f"alerts of {name}", f"it does not say what fires: {problem}") for name, problem in silent]
    told = [answer for answer in answers if answer not in silent]
    gaps += [gap for name, _ in told for gap in gaps_of(request.context, name)]
    return [*_present(told, request), *(gap_fact("alert sources", gap, request.now) for gap in gaps)]


def _ask(source: tuple[str, Callable[[], Sequence[Alert]]]) -> Answered:
    name, ask = source
    try:
        return name, ask()
    except UpstreamError as problem:
        return name, problem


def _present(answers: Sequence[Answered], request: Request) -> list[Fact]:
    """Each alert once, from the first source that told it: Alertmanager also knows what is silenced."""
    found: dict[str, Alert] = {}
    for _, told in answers:
        for alert in told if not isinstance(told, UpstreamError) else ():
            # A heartbeat that fires says that nothing is wrong.
            if kind_of(alert.labels, alert.annotations, alert.url) not in UNGROUPED:
                found.setdefault(alert.fingerprint, alert)
    about = _about(found.values(), request)
    facts = [Fact(" and ".join(name for name, _ in answers), _counts(about, request), request.now, weight=9.5)]
    ordered = sorted(about, key=lambda one: (one.silenced is True, -one.severity.rank, one.starts_at, one.name))
    for place, alert in enumerate(ordered[:MOST]):
        facts.append(Fact(alert.source, _line(alert, request), alert.starts_at, alert.url, 9 - 0.1 * place))
    return facts


def _about(alerts: Collection[Alert], request: Request) -> list[Alert]:
    """Those whose labels hold what the question names; all where it names nothing. An alert without a label for its
    cluster may be of any."""
    clusters = {one.name for one in request.understood.subjects if one.kind == "cluster"}
    names = {one.name for one in request.understood.subjects if one.kind not in ("pipeline", "branch", "cluster")}
    values = (value for one in alerts for name, value in own_labels_of(one).items() if name in NAMING)
    names |= spoken_names(request.question, values) - clusters
    return [
        alert
        for alert in alerts
        if (not clusters or cluster_of(alert, request.context.settings.kubernetes)[0] in {"", *clusters})
        and all(_holds(alert, name) for name in names)
    ]


def _holds(alert: Alert, name: str) -> bool:
    """A workload's pods carry its name with a dash."""
    return any(value == name or value.startswith(f"{name}-") for value in own_labels_of(alert).values())


def _counts(alerts: Sequence[Alert], request: Request) -> str:
    about = f" about {request.understood.subject}" if request.understood.subject else ""
    loud = [one for one in alerts if one.silenced is not True]
    by_severity = Counter(one.severity for one in loud)
    split = ", ".join(f"{by_severity[one]} {one.value}" for one in reversed(Severity) if by_severity[one])
    quiet = len(alerts) - len(loud)
    text = f"{len(loud)} alert{'' if len(loud) == 1 else 's'}{about} firing now" + (f" ({split})" if split else "")
    return text + (f", and {quiet} silenced" if quiet else "")


def _line(alert: Alert, request: Request) -> str:
    said = said_of(alert)
    words = object_words(alert)
    where = f" on {words}" if words else ""
    summary = f": {said.rstrip('.')}" if said else ""
    silenced = "; silenced" if alert.silenced else ""
    return (
        f"{alert.name}{where}{summary}; firing since {request.when(alert.starts_at)}; {alert.severity.value}{silenced}"
    )


def _past(request: Request) -> list[Fact]:
    """From the series that rules leave behind. Without a metrics store the ledger alone must answer."""
    metrics = stores(request)
    start = request.start
    if not metrics or start is None:
        gap = Gap("alerts of that time", "only a metrics store remembers them, and none is configured")
        return [gap_fact("alert sources", gap, request.now)]
    window = f"{max(int((request.end - start).total_seconds()), 60)}s"
    answers = [one.instant(named_query("alerts_fired", window), request.end) for one in metrics]
    samples = [one for answer in answers for one in answer.samples if may_be_ours(one.labels, request)]
    source, when = "victoriametrics", f"from {request.when(start)} to {request.when(request.end)}"
    if not samples and not any(one.instant(named_query("alerts_fired", EVER), request.end).samples for one in metrics):
        gap = Gap("alerts of that time", f"there is no series ALERTS of the {EVER} before its end: no rules write any")
        return [gap_fact(source, gap, request.now)]
    asked = [one for one in request.understood.subjects if one.kind not in ("pipeline", "branch", "cluster")]
    fitting = [one for one in samples if all(subject.name in one.labels.values() for subject in asked)]
    names = {one.labels.get("alertname", "") for one in fitting}
    facts = [Fact(source, f"{len(names)} different alerts fired {when}", request.end, weight=9.5)]
    if any(answer.partial for answer in answers):
        gap = Gap("alerts of that time", "the metrics store answered in part", basis=Basis.PARTLY)
        facts.append(gap_fact(source, gap, request.now))
    for place, one in enumerate(sorted(fitting, key=lambda sample: -sample.value)[:MOST]):
        labels = one.labels
        namespace = own_labels(labels).get("namespace", "")
        where = f" in namespace {namespace}" if namespace else ""
        grave = f"; {labels['severity']}" if labels.get("severity") else ""
        text = f"{labels.get('alertname', 'an alert')}{where} fired {when}, {one.value:.0f} series of it{grave}"
        facts.append(Fact(source, text, request.end, weight=9 - 0.1 * place))
    return facts
