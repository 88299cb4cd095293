"""What the settings hold as a secret leaves no text, whatever it looks like."""

from __future__ import annotations

from pydantic import SecretStr

from opscrew.known_secrets import cleaner
from opscrew.redaction import MASK
from opscrew.settings import BitbucketSettings, McpSettings, Settings, UrlSettings


def test_every_secret_of_the_settings_goes_wherever_it_stands() -> None:
    settings = Settings(
        bitbucket=BitbucketSettings(workspace="acme", token=SecretStr("plain-words")),
        grafana=UrlSettings(url="http://g", password=SecretStr("plain-words-longer"), token=SecretStr("abc")),
        mcp=McpSettings(tokens={"atlassian": SecretStr("another one")}),
        database="postgresql://crew:in-an-address@db/crew",
    )
    clean = cleaner(settings)
    for secret in ("plain-words", "plain-words-longer", "another one", "in-an-address"):
        assert clean(f"401: {secret} is wrong") == f"401: {MASK} is wrong"
    assert clean("abc is no secret") == "abc is no secret"
    assert clean("password=correct-horse") == f"password={MASK}"


def test_settings_without_secrets_leave_texts_as_they_are() -> None:
    assert cleaner(Settings())("some words") == "some words"
