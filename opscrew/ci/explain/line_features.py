"""What is known of each kept line, as named numbers: its own kinds, its surroundings, and where it stands in its step.

Every feature is a column that a person can name; line_weights.yaml says how much each counts. All are between 0 and 1
or logarithms of line counts, so that weights can be compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from opscrew.ci.explain.line_kinds import LineKinds, line_kinds
from opscrew.ci.explain.log_lines import HEX_DIGITS, LogLines

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float32]

FAR = 5000
"""A distance in lines for "there is none"; beyond it distances are all the same."""

WINDOWS = ((-1, -1), (-4, -2), (-12, -5), (-40, -13), (1, 1), (2, 4), (5, 12), (13, 40))
"""Surroundings, in kept lines relative to the line itself."""


def features(lines: LogLines) -> tuple[list[str], Numbers]:
    """Feature names and one row of values for each kept line."""
    kinds = line_kinds()
    found = _without_empty_epilogues(kinds, kinds.match(lines.texts))
    roles = _roles(kinds, found)
    columns: dict[str, npt.NDArray[np.generic]] = dict(zip(kinds.names(), found.T, strict=True))
    columns |= {f"role_{name}": flags for name, flags in roles.items()}
    red: Flags = np.array(lines.red, np.bool_)
    columns["red"] = red
    columns |= _surroundings(roles | {"red": red})
    columns |= _paragraph(roles)
    columns |= _step(kinds, found, roles, np.array(lines.numbers) - lines.before, lines.length)
    columns["length"] = _log(np.fromiter(map(len, lines.texts), np.intp, len(lines.texts)))
    columns |= _repetition(lines.texts, roles["strong"])
    # Filled feature by feature and handed out turned: many times as quick as to lay the columns side by side.
    by_feature = np.empty((len(columns), len(lines.texts)), np.float32)
    for place, column in enumerate(columns.values()):
        by_feature[place] = column
    return list(columns), by_feature.T


def _without_empty_epilogues(kinds: LineKinds, found: Flags) -> Flags:
    """A tool's closing words that name the cause are no epilogue: nothing above them says it.

    Maven ("Failed to execute goal ... timed out") and npm (every line is "npm ERR!") tell a failed download only there.
    """
    names = kinds.names()
    says_cause = found[:, names.index("network")] | found[:, names.index("failed_download")]
    kept = found.copy()
    kept[np.ix_(np.flatnonzero(says_cause), np.array(kinds.columns("epilogue")))] = False
    return kept


def _roles(kinds: LineKinds, found: Flags) -> dict[str, Flags]:
    """Flags by role. A strong line names a failure and nothing in it speaks against that. A named one says which: the
    test, the place in a file, or the crash. There are few of those, and they may stand far before the log's end.
    """
    by_role: dict[str, Flags] = {
        role: _any(found[:, kinds.columns(role)]) for role in ("headline", "detail", "noise", "epilogue")
    }
    names = kinds.names()
    by_role["blank"] = found[:, names.index("blank")]
    by_role["marker"] = _any(found[:, [column for column in kinds.columns("marker") if names[column] != "blank"]])
    quiet = by_role["noise"] | by_role["epilogue"] | by_role["marker"]
    test = found[:, names.index("failed_test_name")]
    crash = found[:, names.index("crash_report")]
    label = found[:, names.index("error_label")] | found[:, names.index("error_level")]
    place = found[:, names.index("place_and_message")] & label & ~by_role["noise"]
    return by_role | {"strong": (by_role["headline"] & ~quiet) | test, "named": test | crash | place}


def _any(flags: Flags) -> Flags:
    either: Flags = np.logical_or.reduce(flags, axis=1)
    return either


def _surroundings(roles: dict[str, Flags]) -> dict[str, Numbers]:
    """The share of lines of each role before and after; outside the log there are none."""
    reach = max(abs(bound) for window in WINDOWS for bound in window)
    shares: dict[str, Numbers] = {}
    for role, flags in roles.items():
        running = np.cumsum(np.pad(flags, (reach + 1, reach)), dtype=np.float32)
        for low, high in WINDOWS:
            last = running[reach + 1 + high : reach + 1 + high + len(flags)]
            before = running[reach + low : reach + low + len(flags)]
            shares[f"{role}_{low}_to_{high}"] = (last - before) / np.float32(high - low + 1)
    return shares


def _paragraph(roles: dict[str, Flags]) -> dict[str, Numbers]:
    """Of the lines between two blank lines or markers: how many, how many strong, and the place among them."""
    number = np.cumsum(roles["blank"] | roles["marker"])
    size = np.maximum(np.bincount(number), 1)
    start = np.searchsorted(number, np.arange(len(size)))
    strong = np.bincount(number, weights=roles["strong"])
    noise = np.bincount(number, weights=roles["noise"])
    place = np.arange(len(number)) - start[number]
    return {
        "paragraph_lines": _log(size[number]),
        "paragraph_place": _log(place),
        "paragraph_has_strong": (strong[number] > 0).astype(np.float32),
        "paragraph_strong_share": (strong / size)[number].astype(np.float32),
        "paragraph_noise_share": (noise / size)[number].astype(np.float32),
    }


def _log(count: npt.NDArray[np.generic]) -> Numbers:
    logarithm: Numbers = (np.log1p(np.clip(count.astype(np.float32), 0, FAR)) / np.log1p(FAR)).astype(np.float32)
    return logarithm


def _step(
    kinds: LineKinds, found: Flags, roles: dict[str, Flags], numbers: npt.NDArray[np.int64], length: int
) -> dict[str, Numbers]:
    """Where the line stands between the command that failed and its exit line; without an exit line, the log's end.

    ``numbers`` count from the end of the CI system's setup, ``length`` are the lines up to its teardown.
    """
    names = kinds.names()
    exits = np.flatnonzero(found[:, names.index("command_exit")])
    echoes = np.flatnonzero(found[:, names.index("command_echo")])
    to_exit = _to_next(exits, numbers)
    # The first command's echo belongs to what is left out before the first line.
    since_echo = np.minimum(_since_last(echoes, numbers), numbers)
    failed = np.zeros(len(numbers), np.float32)
    for exit_line in exits:
        begun = echoes[np.searchsorted(echoes, exit_line) - 1] if len(echoes) and echoes[0] < exit_line else 0
        failed[begun : exit_line + 1] = 1
    if not len(exits):
        failed[:] = 0.5
    from_end = length - numbers
    strong = roles["strong"].astype(np.int64)
    strong_places = np.flatnonzero(roles["strong"])
    named_places = np.flatnonzero(roles["named"])
    return {
        "in_failed_command": failed,
        "to_exit": _log(to_exit),
        "exit_known": np.full(len(numbers), float(len(exits) > 0), np.float32),
        "after_last_exit": (np.arange(len(numbers)) > exits[-1]).astype(np.float32) if len(exits) else failed * 0,
        "since_command": _log(since_echo),
        "from_end": _log(from_end),
        "position": (numbers / max(1, length)).astype(np.float32),
        "since_strong": _log(_since_last(strong_places, numbers)),
        "to_strong": _log(_to_next(strong_places, numbers)),
        "since_named": _log(_since_last(named_places, numbers)),
        "to_named": _log(_to_next(named_places, numbers)),
        "named_in_log": np.full(len(numbers), np.log1p(len(named_places)) / np.log1p(FAR), np.float32),
        "named_and_few": (roles["named"] / max(1, len(named_places))).astype(np.float32),
        "strong_before": _log(np.cumsum(strong)),
        "strong_after": _log(strong.sum() - np.cumsum(strong)),
        "failed_strong_before": _log(np.cumsum(strong * (failed > 0.9))),
        "failed_strong_after": _log((strong * (failed > 0.9)).sum() - np.cumsum(strong * (failed > 0.9))),
    }


def _since_last(places: npt.NDArray[np.intp], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Lines since the last of ``places``, ``FAR`` where there is none before."""
    if not len(places):
        return np.full(len(numbers), FAR)
    last = np.searchsorted(places, np.arange(len(numbers)), side="right") - 1
    return np.where(last >= 0, numbers - numbers[places[np.maximum(last, 0)]], FAR)


def _to_next(places: npt.NDArray[np.intp], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Lines to the next of ``places``, ``FAR`` where there is none after."""
    if not len(places):
        return np.full(len(numbers), FAR)
    following = np.searchsorted(places, np.arange(len(numbers)))
    there = following < len(places)
    return np.where(there, numbers[places[np.minimum(following, len(places) - 1)]] - numbers, FAR)


def _repetition(texts: list[str], strong: Flags) -> dict[str, Numbers]:
    """How often the log says the same, digits and hashes apart, and whether this is the first time."""
    keys = "\n".join(texts).encode().translate(None, HEX_DIGITS).split(b"\n")
    hashes = np.fromiter(map(hash, keys), np.int64, len(keys))
    _, first_places, text_of_line, said = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    first = np.zeros(len(keys), np.float32)
    first[first_places] = 1
    times = _log(said[text_of_line])
    return {"times_said": times, "said_first": first, "strong_and_rare": strong * (1 - times)}
