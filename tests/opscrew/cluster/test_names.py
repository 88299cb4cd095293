"""The names of what there is in a cluster: kept, changed, and forgotten only where they were looked for."""

from __future__ import annotations

from opscrew.cluster.names import CHANGED_AT_ONCE, NAMED_KINDS, known_places, remember, subject_of

CART, DB, NODE = ("Deployment", "shop", "cart"), ("StatefulSet", "shop", "db"), ("Node", "", "node-1")


def test_what_was_seen_is_known_until_it_is_gone(database) -> None:
    remember(database, "prod", [CART, DB, NODE], NAMED_KINDS)
    remember(database, "test", [CART], NAMED_KINDS)
    assert known_places(database, "prod") == {CART, DB, NODE}
    remember(database, "prod", [DB, NODE], NAMED_KINDS)
    assert known_places(database, "prod") == {DB, NODE}
    assert known_places(database, "test") == {CART}
    assert known_places(database, "other") == set()


def test_what_could_not_be_read_is_not_forgotten(database) -> None:
    remember(database, "prod", [CART, DB], NAMED_KINDS)
    remember(database, "prod", [], ["StatefulSet"])
    assert known_places(database, "prod") == {CART}


def test_many_names_at_once(database) -> None:
    many = {("Deployment", f"ns-{n % 7}", f"app-{n}") for n in range(3 * CHANGED_AT_ONCE + 5)}
    remember(database, "prod", many, NAMED_KINDS)
    assert known_places(database, "prod") == many
    remember(database, "prod", [], NAMED_KINDS)
    assert known_places(database, "prod") == set()


def test_a_place_in_the_models_words() -> None:
    assert str(subject_of("prod", CART)) == "Deployment prod/shop/cart"
    assert (subject_of("prod", NODE).scope, subject_of("prod", NODE).name) == ("prod", "node-1")
