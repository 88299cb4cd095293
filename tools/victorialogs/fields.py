"""Which fields of a store hold namespace, pod, service, text and level: collectors name them differently.

The store is asked which fields it has (the pipe ``field_names``), and ``fields.yaml`` says what the usual names mean.
Where several collectors write into one store, all of their names are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tools.queries import quoted
from tools.victorialogs.failures import failure_filter, failures

FIELDS_FILE = Path(__file__).with_name("fields.yaml")
UNSET = '(_msg:="missing _msg field"* or _msg:="")'
"""What the server writes as the text of an entry that came without one."""

OF_THE_STORE = frozenset({"_msg", "_time", "_stream", "_stream_id"})
"""Fields that every entry has."""

Role = Literal["cluster", "namespace", "pod", "service", "message", "level"]
Names = tuple[str, ...]


class FieldNames(BaseModel):
    """See ``fields.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wrappers: Names
    cluster: Names = Field(min_length=1)
    namespace: Names = Field(min_length=1)
    pod: Names = Field(min_length=1)
    service: Names = Field(min_length=1)
    message: Names = Field(min_length=1)
    level: Mapping[str, Names]


@cache
def field_names() -> FieldNames:
    """The names as shipped. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    names = FieldNames.model_validate(yaml.safe_load(FIELDS_FILE.read_text(encoding="utf-8")))
    unknown = set(names.level) - set(failures().levels)
    if unknown:
        raise ValueError(f"failures.yaml says nothing of the levels of {', '.join(sorted(unknown))}")
    return names


@dataclass(frozen=True)
class LogFields:
    """The fields of one store by what they hold, the best name first. ``levels`` are (field, scale)."""

    cluster: Names = ()
    namespace: Names = ()
    pod: Names = ()
    service: Names = ()
    message: Names = ()
    levels: tuple[tuple[str, str], ...] = ()
    is_unset: bool = True
    """Whether some entries came without a text, so that other fields are looked at for it."""

    @property
    def naming(self) -> Names:
        """All that name where an entry comes from."""
        return (*self.cluster, *self.namespace, *self.pod, *self.service)

    @property
    def texts(self) -> Names:
        """Where the text may be, beside ``_msg``."""
        return self.message if self.is_unset else ()

    def failures(self) -> str:
        """Entries that are failures; see ``failures.yaml``."""
        texts = [("_msg", ""), *((field, UNSET) for field in self.texts)]
        scales = {scale: [field for field, of in self.levels if of == scale] for _, scale in self.levels}
        return failure_filter(texts, scales)

    def begun_traces(self) -> str:
        """Lines with which a trace begins that came line by line."""
        pattern = quoted(failures().trace_begins)
        return _any([f"_msg:~{pattern}", *(f"({UNSET} {quoted(field)}:~{pattern})" for field in self.texts)])

    def shortly(self) -> str:
        """About the same as ``failures``, for people: short enough for an address."""
        grave = [f'{quoted(field)}:~"(?i)^(err|fatal|crit|panic)"' for field, scale in self.levels if scale == "words"]
        return _any([f"_msg:~{quoted(failures().shortly)}", *grave])

    def in_namespace(self, namespace: str) -> str:
        """Everything in a namespace."""
        return _any(f"{quoted(field)}:={quoted(namespace)}" for field in self.namespace)

    def of_pod(self, namespace: str, pod: str) -> str:
        """One pod, whichever collector wrote the entry."""
        return f"({self.in_namespace(namespace)} {_any(f'{quoted(field)}:={quoted(pod)}' for field in self.pod)})"

    def of_workload(self, namespace: str, name: str) -> str:
        """Pods of a Deployment, StatefulSet or DaemonSet: named after it, with a dash and a suffix."""
        pods = _any(f"{quoted(field)}:={quoted(f'{name}-')}*" for field in self.pod)
        return f"({self.in_namespace(namespace)} {pods})"

    def of_anything(self, name: str) -> str:
        """Whatever carries that name, where a question does not say of what kind it is."""
        equal = [f"{quoted(field)}:={quoted(name)}" for field in self.naming]
        return _any([*equal, *(f"{quoted(field)}:={quoted(f'{name}-')}*" for field in self.pod)])

    def of_cluster(self, name: str) -> str:
        """Everything of a cluster, where a field names it."""
        return _any(f"{quoted(field)}:={quoted(name)}" for field in self.cluster)

    def beside(self, values: Mapping[str, str]) -> str:
        """Entries of the same source as one with these values of ``naming``."""
        return (
            " ".join(f"{quoted(field)}:={quoted(values[field])}" for field in self.naming if values.get(field)) or "*"
        )

    def saying(self, word: str) -> str:
        """Entries whose text has the word."""
        return _any([f"_msg:{quoted(word)}", *(f"({UNSET} {quoted(field)}:{quoted(word)})" for field in self.texts)])

    def without_text(self) -> str:
        """Entries whose text no field holds."""
        return " ".join([UNSET, *(f"!{quoted(field)}:*" for field in self.message)])

    def as_text(self) -> str:
        """Pipes that put the text into ``_msg`` where it is elsewhere, and nothing there where it is nowhere."""
        if not self.is_unset:
            return ""
        moved = [f" | format if ({UNSET} {quoted(field)}:*) {quoted(f'<{field}>')} as _msg" for field in self.message]
        return "".join([*moved, f' | format if ({UNSET}) "" as _msg'])


def fields_of(found: Iterable[str], configured: Mapping[Role, Names] | None = None) -> LogFields:
    """``found`` are the names of a store's fields, ``configured`` more names by role, which come first."""
    more, names = configured or {}, field_names()
    by_name: dict[str, list[str]] = {}
    for field in sorted(set(found) - OF_THE_STORE, key=lambda one: (len(one), one)):
        by_name.setdefault(_plain(field), []).append(field)

    def fitting(known: Names) -> Names:
        return tuple(field for name in known for field in by_name.get(name, ()))

    def of(role: Role, known: Names) -> Names:
        return tuple(dict.fromkeys((*more.get(role, ()), *fitting(known))))

    scales = [(field, scale) for scale, known in names.level.items() for field in fitting(known)]
    return LogFields(
        cluster=of("cluster", names.cluster),
        namespace=of("namespace", names.namespace),
        pod=of("pod", names.pod),
        service=of("service", names.service),
        message=of("message", names.message),
        levels=tuple(dict.fromkeys((*((field, "words") for field in more.get("level", ())), *scales))),
    )


def _plain(field: str) -> str:
    """ "resource.attributes.k8s.pod.name" is "k8s_pod_name"."""
    plain = re.sub(r"[^a-z0-9]+", "_", field.lower()).strip("_")
    while (front := next((one for one in field_names().wrappers if plain.startswith(f"{one}_")), "")) and (
        plain not in _all_names()
    ):
        plain = plain.removeprefix(f"{front}_")
    return plain


@cache
def _all_names() -> frozenset[str]:
    names = field_names()
    levels = [one for known in names.level.values() for one in known]
    return frozenset((*names.cluster, *names.namespace, *names.pod, *names.service, *names.message, *levels))


def _any(filters: Iterable[str]) -> str:
    """Of no filters at all nothing: a name that no field can hold is nobody's."""
    joined = " or ".join(filters)
    return f"({joined})" if joined else '(_msg:"" _msg:*)'
