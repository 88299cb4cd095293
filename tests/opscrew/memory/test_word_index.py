"""Scores follow BM25 and its bounds."""

import math

from hypothesis import given
from hypothesis import strategies as st

from opscrew.memory.word_index import WordIndex, weighted

WORDS = st.sampled_from(["disk", "full", "node", "pod", "ready", "network", "quota", "restart"])


def test_the_score_is_bm25_of_the_field_by_hand() -> None:
    index = WordIndex([("", "quota"), ("", "node")])
    rarity = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    # One occurrence in a text of average length: (k1 + 1) / (1 + k1) = 1.
    assert index.scores({"quota": 1.0}) == [rarity, 0.0]


def test_a_rare_word_outweighs_a_common_one() -> None:
    index = WordIndex([("", "pod quota"), ("", "pod restart"), ("", "pod network"), ("", "pod")])
    scores = index.scores(weighted("pod quota"))
    assert scores.index(max(scores)) == 0


def test_the_title_counts() -> None:
    index = WordIndex([("disk full", "something else entirely"), ("other", "something else entirely")])
    first, second = index.scores(weighted("disk"))
    assert first > second == 0


def test_an_empty_library_and_an_unknown_word_are_fine() -> None:
    assert WordIndex([]).scores(weighted("disk")) == []
    assert WordIndex([("", ""), ("", "")]).scores(weighted("disk")) == [0.0, 0.0]


@given(st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=6), st.lists(WORDS, max_size=5))
def test_scores_are_never_negative_and_need_a_shared_word(texts: list[list[str]], query: list[str]) -> None:
    index = WordIndex([("", " ".join(text)) for text in texts])
    for text, score in zip(texts, index.scores(weighted(" ".join(query))), strict=True):
        assert score >= 0
        assert (score > 0) == bool(set(text) & set(query))
