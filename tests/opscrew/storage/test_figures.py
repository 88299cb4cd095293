"""Which series are a volume's, and when there is a reason instead of a figure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opscrew.storage.figures import Figures, Reading, is_a_table, pick
from opscrew.storage.volume import GIB
from tests.support.volumes import NOW, claim

CLUSTERS = ("cluster", "k8s_cluster")


def series(labels: dict[str, str], age: float = 30, **gib: float) -> list[Reading]:
    """The figures of one series in GiB, so many seconds old."""
    at = NOW - timedelta(seconds=age)
    return [Reading(f"{name}_bytes", labels, value * GIB, at) for name, value in gib.items()]


def picked(*readings: list[Reading], **of: object) -> Figures | str:
    return pick([one for many in readings for one in many], claim(**of), CLUSTERS)


def used(found: Figures | str) -> float:
    assert isinstance(found, Figures), found
    return found.used / GIB


FULL, HALF = {"used": 99, "capacity": 100, "available": 1}, {"used": 50, "capacity": 100, "available": 50}


def test_all_figures_are_of_the_newest_series() -> None:
    found = picked(series({"node": "a"}, 700, **FULL), series({"node": "b"}, 10, **HALF))
    assert isinstance(found, Figures)
    assert (found.used / GIB, found.available / GIB, found.labels) == (50, 50, {"node": "b"})


def test_copies_within_a_scrape_agree() -> None:
    a, b = series({"replica": "a"}, 60, used=50, capacity=100), series({"replica": "b"}, 5, used=52, capacity=100)
    assert used(picked(a, b)) == 52


@pytest.mark.parametrize("label", CLUSTERS)
def test_labels_of_several_clusters_are_a_reason_though_the_figures_agree(label: str) -> None:
    found = picked(series({label: "prod"}, **HALF), series({label: "stage"}, **HALF))
    assert found == (
        f"series of several clusters have its name ({label} prod and stage), "
        "and metrics_labels do not tell which is ours"
    )


def test_a_series_without_the_label_is_of_the_same_cluster_where_the_figures_agree() -> None:
    assert used(picked(series({"cluster": "prod"}, **HALF), series({}, 5, **HALF))) == 50
    assert "they may be of several clusters" in str(picked(series({"cluster": "prod"}, **HALF), series({}, 5, **FULL)))


def test_a_chain_of_small_differences_is_a_difference() -> None:
    steps = [series({"node": str(number)}, used=50 + 4 * number, capacity=100) for number in range(3)]
    assert "its series disagree (node 0 and 1)" in str(picked(*steps))


def test_the_node_that_has_the_volume_knows_best_and_others_nodes_are_of_another_cluster() -> None:
    ours, other = series({"node": "a"}, 60, **FULL), series({"node": "x"}, 5, **HALF)
    assert used(picked(ours, other, nodes=frozenset({"a"}))) == 99
    assert "its series disagree" in str(picked(ours, other))
    both = [*ours, *other]
    assert used(pick(both, claim(), CLUSTERS, {"a", "b"})) == 99
    assert pick(other, claim(), CLUSTERS, {"a", "b"}) == (
        "only a node of another cluster reports a volume of its name (x)"
    )
    assert used(pick(series({"instance": "10.0.0.1:10250"}, **HALF), claim(), CLUSTERS, {"a"})) == 50


def test_what_is_older_than_the_claim_is_of_another_one() -> None:
    old = series({}, 300, **FULL)
    young = {"created_at": NOW - timedelta(seconds=200)}
    assert "older than itself" in str(picked(old, **young))
    assert used(picked(old, series({}, 100, **HALF), **young)) == 50


def test_no_series_is_no_reason_of_its_own_and_a_block_device_has_no_figures() -> None:
    assert picked() == ""
    assert picked(series({}, used=0, capacity=100, available=0), mode="Block") == ""
    assert picked(series({}, used=5)) == ""


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ({"capacity": 100, "available": 5}, 95),
        ({"used": 0, "capacity": 100, "available": 5}, 95),
        ({"used": float("nan"), "capacity": 100, "available": 5}, 95),
        ({"used": 90, "available": 5}, 90),
        ({"used": 101, "capacity": 100, "available": -1}, 101),
    ],
)
def test_use_is_derived_where_its_complement_is_kept(kept: dict[str, float], expected: float) -> None:
    assert used(picked(series({}, **kept))) == expected


def test_what_root_may_use_is_no_smaller_file_system() -> None:
    found = picked(series({}, used=60, available=35))
    assert isinstance(found, Figures)
    assert found.capacity == 100 * GIB


def test_more_used_and_available_than_there_is_is_no_figure() -> None:
    assert "contradict each other" in str(picked(series({}, used=99, capacity=100, available=80)))


def inodes(**counts: float) -> tuple[float, float]:
    more = [Reading(name, {}, value, NOW - timedelta(seconds=30)) for name, value in counts.items()]
    found = picked(series({}, **HALF), more)
    assert isinstance(found, Figures)
    return found.inodes, found.inodes_used


def test_inodes_from_their_complements_and_none_without_a_limit() -> None:
    assert inodes(inodes=1000, inodes_free=900) == (1000, 100)
    assert inodes(inodes_used=100, inodes_free=900) == (1000, 100)
    assert inodes(inodes=33_288, inodes_used=33_290, inodes_free=2.0**64) == (0, 0)
    assert inodes(inodes=2.0**64, inodes_used=5) == (0, 0)
    assert inodes(inodes=1000) == (0, 0)


def test_a_table_that_is_full_had_room_once_or_has_whole_groups() -> None:
    assert is_a_table(1001, (900, 1001), most_free=101)
    assert is_a_table(6_553_600, (6_553_600,), most_free=0)
    assert not is_a_table(33_290, (33_290,), most_free=0)
    assert not is_a_table(33_296, (33_290, 33_296), most_free=0)
