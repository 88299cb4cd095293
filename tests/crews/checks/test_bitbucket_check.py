"""What `crew doctor` says of a Bitbucket that answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from crews.checks.check import Level
from crews.checks.connections import bitbucket_checks
from tests.support.sandboxes import bitbucket_watch


@pytest.mark.parametrize(
    ("names", "level", "words"),
    [
        (["*"], Level.OK, "requests left this hour"),
        (["shop", "pay*"], Level.OK, "requests left this hour"),
        (["shop", "Payments", "infra-*"], Level.WARNING, "no repository is called Payments, infra-*"),
    ],
)
def test_names_that_no_repository_has_are_told(tmp_path: Path, names: list[str], level: Level, words: str) -> None:
    with bitbucket_watch(tmp_path) as watch:
        watch.world.add_repository("shop")
        watch.world.add_repository("payments")
        settings = watch.context.settings
        part = settings.bitbucket.model_copy(update={"repositories": tuple(names)})
        (check,) = bitbucket_checks(settings.model_copy(update={"bitbucket": part}))
        result = check.look(watch.context.systems)
    assert result.level is level
    assert words in result.text
