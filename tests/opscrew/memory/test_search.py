"""Filters, boosts, relevance and excerpts."""

from datetime import UTC, datetime, timedelta

from opscrew.memory.documents import Document, opening
from opscrew.memory.ranking import MEANING_SHARE, boost, fuse, stretched
from opscrew.memory.search import Search
from opscrew.memory.vectors import MemoryVectors
from tests.support.embedders import WordEmbedder

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
DISK = Document("runbook/DISK", "Disk is full", "## Meaning\n\nNo space left on the disk.", "runbook", "kubernetes")
CI = Document("runbook/CI", "Build cannot download", "## Meaning\n\nThe registry refuses.", "runbook", "bitbucket")


def account(identity: str, days: float, proven: bool | None) -> Document:
    text = "The disk of search was full and writes were refused."
    happened = NOW - timedelta(days=days)
    return Document(identity, "Search disk full", text, "episode", "kubernetes", happened_at=happened, proven=proven)


def test_system_and_kind_filter() -> None:
    search = Search([DISK, CI, account("episode/a", 3, None)])
    assert [hit.document.id for hit in search.find("disk full", NOW, system="bitbucket")] == []
    assert [hit.document.id for hit in search.find("disk full", NOW, kind="episode")] == ["episode/a"]


def test_among_equals_the_newer_and_the_proven_come_first() -> None:
    search = Search([account("episode/old", 400, None), account("episode/new", 1, None), CI])
    assert [hit.document.id for hit in search.find("disk full", NOW)][:2] == ["episode/new", "episode/old"]
    search = Search([account("episode/failed", 5, False), account("episode/helped", 5, True), CI])
    assert search.find("disk full", NOW)[0].document.id == "episode/helped"


def test_the_boost_never_lifts_another_subject_over_the_right_one() -> None:
    fresh = Document(
        "episode/x", "Build cannot download", "The registry refuses.", "episode", happened_at=NOW, proven=True
    )
    assert Search([DISK, fresh]).find("disk full", NOW)[0].document is DISK
    assert 1 < boost(fresh, NOW) <= 1.1 + 1e-9
    assert boost(DISK, NOW) == 1


def test_a_question_from_another_field_is_not_relevant() -> None:
    search = Search([DISK, CI])
    assert search.find("disk full", NOW)[0].relevant
    assert not any(hit.relevant for hit in search.find("a recipe for cake with no sugar left", NOW))
    assert search.find("wxyz", NOW) == []


def test_the_excerpt_is_the_section_that_answers() -> None:
    text = "## Meaning\n\nA volume.\n\n## Mitigation\n\nEnlarge the claim with kubectl patch."
    hit = Search([Document("d", "Volume", text), CI]).find("how do I enlarge the claim", NOW)[0]
    assert "kubectl patch" in hit.excerpt


def test_the_code_of_a_finding_finds_its_runbook() -> None:
    coded = Document("runbook/POD_CRASH_LOOPING", "Pod ends at each start", "text", code="POD_CRASH_LOOPING")
    assert Search([DISK, coded]).find("CrashLooping", NOW)[0].document is coded


def test_expressions_are_ranked_by_words_even_with_vectors() -> None:
    class Loud(WordEmbedder):
        def embed(self, texts):  # an expression must not get here
            assert "disk_full_ratio > 1" not in texts
            return super().embed(texts)

    vectors = MemoryVectors(Loud())
    vectors.update([piece for document in (DISK, CI) for piece in opening(document)])
    assert Search([DISK, CI], vectors).ranked("disk_full_ratio > 1")[0] == DISK.id


def test_fusion_is_bounded_and_ignores_what_says_nothing() -> None:
    assert fuse([3.0, 1.0, 2.0], None) == [1.0, 0.0, 0.5]
    assert fuse([0.0, 0.0], [0.1, 0.9]) == [0.0, MEANING_SHARE]
    assert stretched([]) == []
