"""Whether a wish is understood to its last word, and the names in it."""

import re

import pytest

from opscrew.answer.understand.request_words import (
    doubt,
    doubt_of_earlier,
    names_said,
    places_said,
    wish_words,
    without,
)

AMOUNT = re.compile(r"\bto (\d+)\b")


@pytest.mark.parametrize(
    "text",
    [
        "restart cart",
        "Please, restart the 'cart' deployment!",
        "go ahead and restart cart right now",
        "no, the one in shop",
        "can you restart cart?",
        "restart cart since it hangs",
        "restart cart, it's stuck",
        "restart cart in the shop namespace",
        "scale shop/cart up to 5",
    ],
)
def test_a_wish_of_known_words_is_clear(text: str) -> None:
    assert doubt(text, {"cart", "shop"}, AMOUNT) == ""


def test_a_choice_counts_only_where_nothing_is_named() -> None:
    assert doubt("restart the other one", ()) == ""
    assert '"other"' in doubt("restart the other cart", {"cart"})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("restart cart tomorrow", '"tomorrow"'),
        ("restart cart and web", '"web"'),
        ("scale cart to 5 and to 6", '"6"'),
        ("scale cart to 5%", '"%"'),
        ("restart the other cart", '"other"'),
        ("restart cart since it hangs, then delete it", '"delete"'),
        ("restart cart\nif it hangs", '"if"'),
        ("restart cärt", '"cärt"'),
        ("restart cart and stop it", 'one wish at a time, please: "restart", "stop"'),
        ("restart it and cart", "one thing at a time"),
        ("restart cart & that", "one thing at a time"),
        ("restart cart?", "reads as a question"),
        ("will you restart cart?", "reads as a question"),
    ],
)
def test_any_other_word_puts_it_in_doubt_and_is_named(text: str, word: str) -> None:
    assert word in doubt(text, {"cart"}, AMOUNT)


def test_a_label_called_all_is_not_the_word_all() -> None:
    assert '"all"' in doubt("silence all of DiskFull", {"DiskFull", "all"})


def test_of_a_wish_that_was_corrected_names_no_longer_count_but_conditions_do() -> None:
    assert doubt_of_earlier("restart crat in web", ["web"]) == ""
    assert '"tomorrow"' in doubt_of_earlier("restart crat tomorrow", ["tomorrow"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("restart cart worker", {"cart-worker"}),
        ("restart database", {"database"}),
        ("restart data-base", {"data-base"}),
        ("restart data base", {"database", "data-base"}),
        ("restart all pods", set()),
        ("restart the deployment all", {"all"}),
        ("restart the app deployment", {"app"}),
        ("restart the app", set()),
        ("scale cart to 5", {"cart"}),
        ("restart cart in prod", {"cart"}),
        ("restart the cluster prod", set()),
        ("restart prod", {"prod"}),
    ],
)
def test_names_that_are_words_or_places_count_only_where_they_are_meant(text: str, said: set[str]) -> None:
    names = {"cart", "cart-worker", "database", "data-base", "all", "app", "5", "prod", "restart"}
    assert names_said(text, names, {"prod"}) == said


def test_a_place_called_as_a_word_of_wishes_counts_only_as_a_place() -> None:
    assert places_said("restart web please", {"please", "app"}) == set()
    assert places_said("restart web in app", {"please", "app"}) == {"app"}


def test_an_amount_is_taken_out_before_names_are_looked_for() -> None:
    assert without("scale cart to 5", AMOUNT).split() == ["scale", "cart"]
    assert without("scale cart to 5", None) == "scale cart to 5"


def test_no_word_both_changes_nothing_and_puts_in_doubt() -> None:
    words = wish_words()
    assert not words.doubting & (words.verbs | words.others)
    assert not words.verbs & words.others
