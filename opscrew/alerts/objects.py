"""What an alert is about: an object of Kubernetes, or whatever else its labels name, in the words that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from opscrew.alerts.labels import exporter_kind, label_rules, own_labels
from opscrew.alerts.sentences import text_of
from opscrew.model.subject import Subject

MOST_NAMED = 5
"""Objects and values of one message; the others are counted."""
MOST_PAIRS = 3
NAMESPACE = "Namespace"


class Labelled(Protocol):
    """An alert, known or just told."""

    @property
    def labels(self) -> Mapping[str, str]: ...

    @property
    def annotations(self) -> Mapping[str, str]: ...


def own_labels_of(alert: Labelled) -> dict[str, str]:
    """See ``own_labels``."""
    return own_labels(alert.labels, text_of(alert.annotations))


def subject_of(alert: Labelled, cluster: str = "") -> Subject | None:
    """The Kubernetes object that the alert is about, its namespace where it names no more, or None.

    ``cluster`` is used where no label names one.
    """
    own, text = own_labels_of(alert), text_of(alert.annotations)
    where, namespace = own.get("cluster") or cluster, own.get("namespace", "")
    # Some rules join a pod onto what is about its node: the sentence says which of them is meant.
    node, pod = own.get("node", ""), own.get("pod", "")
    node_is_meant = bool(node) and node in text and pod not in text
    kind, name = own.get("kind", "") or own.get("customresource_kind", ""), own.get("name", "")
    if namespace and name and kind[:1].isupper():  # operators tell of their objects so
        return Subject(system="kubernetes", kind=kind, scope="/".join(filter(None, (where, namespace))), name=name)
    for one in label_rules().kinds:
        name = own.get(one.label, "")
        inner = "" if one.scope == "cluster" else namespace
        if not name or (not inner and one.scope == "namespace") or (one.label == "pod" and node_is_meant):
            continue
        return Subject(system="kubernetes", kind=one.kind, scope="/".join(filter(None, (where, inner))), name=name)
    return Subject(system="kubernetes", kind=NAMESPACE, scope=where, name=namespace) if namespace else None


def place_of(subject: Subject) -> str:
    """Where its neighbours are: cluster and namespace."""
    return f"{subject.scope}/{subject.name}" if subject.kind == NAMESPACE else subject.scope


def is_exporter(subject: Subject) -> bool:
    """Whether it speaks of others: nothing is ever repaired there because of what it says."""
    return subject.kind != "Node" and bool(exporter_kind(subject.name))


def object_words(alert: Labelled) -> str:
    """The object by name: "Deployment shop/web", "host db1, path /", "namespace shop"; empty where nothing is named."""
    return ", ".join(f"{what} {name}" for what, name in _pairs(alert))


def objects_of(alerts: Sequence[Labelled]) -> list[str]:
    """Each object once, in the order of the alerts."""
    return list(dict.fromkeys(words for alert in alerts if (words := object_words(alert))))


def objects_in_short(alerts: Sequence[Labelled], most: int = MOST_NAMED) -> str:
    """By what they are: "Pod shop/a, shop/b and 58 more"; "job node; instance web-0, web-1"."""
    if len(words := objects_of(alerts)) == 1:
        return words[0]
    names: dict[str, dict[str, bool]] = {}
    for alert in alerts:
        for what, name in _pairs(alert):
            names.setdefault(what, {})[name] = True
    return "; ".join(f"{what} {listed(list(values), most)}" for what, values in names.items())


def _pairs(alert: Labelled) -> list[tuple[str, str]]:
    subject = subject_of(alert)
    if subject is not None and subject.kind != NAMESPACE:
        return [(subject.kind, "/".join(filter(None, (subject.scope, subject.name))))]
    own = own_labels_of(alert)
    rules = label_rules()
    objects = [one.label for one in rules.kinds]  # such as a deployment without a namespace
    left = sorted(own.keys() - {"cluster", "namespace"})
    ordered = dict.fromkeys(name for name in (*objects, *rules.naming, *left) if name in own)
    pairs = [(name, own[name]) for name in ordered if rules.may_name(name, own[name])][:MOST_PAIRS]
    if pairs:
        return pairs
    # Nothing is named: who told it may lead a person there.
    teller = next((name for name in ("pod", "instance", "service", "job") if alert.labels.get(name)), "")
    pairs = [("namespace", subject.name)] if subject is not None else []
    return [*pairs, (f"told by {teller}", alert.labels[teller])] if teller else pairs


def differing(alerts: Sequence[Labelled]) -> list[str]:
    """What tells alerts of one object apart: "mountpoint /a, /b". Empty where their objects do."""
    labels = [own_labels_of(alert) for alert in alerts]
    may_name = label_rules().may_name
    names = sorted({name for one in labels for name, value in one.items() if may_name(name, value)})
    told = []
    for name in names:
        values = list(dict.fromkeys(one.get(name, "") for one in labels))
        if len(values) > 1:
            told.append(f"{name} {listed([value for value in values if value])}")
    return told[:MOST_PAIRS]


def listed(names: Sequence[str], most: int = MOST_NAMED) -> str:
    """The first ones, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
