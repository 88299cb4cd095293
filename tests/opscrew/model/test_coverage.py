"""What a look rests on, in words and by rule."""

from opscrew.model.coverage import Basis, Coverage, Gap, in_words, is_hidden
from opscrew.model.subject import Subject

DATA = Subject(system="kubernetes", kind="PersistentVolumeClaim", scope="prod/team", name="data")
WEB = Subject(system="kubernetes", kind="Deployment", scope="prod/team", name="web")


def of_volumes(*names: str, total: int = 0) -> Gap:
    keys = frozenset(f"kubernetes/PersistentVolumeClaim/prod/{name}" for name in names)
    return Gap("mounted volumes", "they have no figures", names, total, subjects=keys)


def test_a_gap_hides_its_own_subjects() -> None:
    assert is_hidden(DATA, [of_volumes("team/data")])
    assert not is_hidden(DATA, [of_volumes("team/other")])
    assert not is_hidden(DATA, [])


def test_a_gap_in_a_kind_hides_what_was_judged_by_that_kind() -> None:
    gap = Gap("Pod", "may not be read", kinds=frozenset({"Pod"}))
    assert is_hidden(WEB, [gap], rests_on=("Pod", "ReplicaSet"))
    assert is_hidden(WEB.model_copy(update={"kind": "Pod"}), [gap])
    assert not is_hidden(WEB, [gap], rests_on=("ReplicaSet",))


def test_a_gap_without_limits_hides_everything() -> None:
    assert is_hidden(WEB, [Gap("CPU throttling", "no answer")])


def test_a_sentence_counts_and_names() -> None:
    nine = of_volumes(*(f"team/d{number}" for number in range(9)), total=10)
    assert str(nine) == (
        "9 of 10 mounted volumes not measured (team/d0, team/d1, team/d2 and 6 more): they have no figures"
    )
    assert in_words([Gap("CPU throttling", "refused (401)")] * 2) == "CPU throttling not measured: refused (401)"
    assert in_words([Gap("volumes", "nobody mounts them", is_expected=True)]) == ""


def test_a_look_is_whole_only_without_gaps() -> None:
    gap = of_volumes("team/data", total=2)
    assert (Coverage(2).basis, Coverage(2).is_whole) == (Basis.MEASURED, True)
    assert (Coverage(1, (gap,)).basis, Coverage(1, (gap,)).is_whole) == (Basis.PARTLY, False)
    assert Coverage(0, (gap,)).basis is Basis.NOT_MEASURED
    assert Coverage(1, (Gap("volumes", "nobody mounts them", is_expected=True),)).is_whole
