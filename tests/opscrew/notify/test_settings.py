"""Where people are told: what is refused in the settings, and what is kept out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from opscrew import settings_file
from opscrew.errors import UsageError
from opscrew.settings import Settings
from opscrew.settings_notify import NotifySettings

URL = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"


def load(folder: Path, text: str) -> Settings:
    path = folder / "crew.yaml"
    path.write_text(text, encoding="utf-8")
    return settings_file.load(path)


def test_an_address_in_the_file_is_refused_and_not_shown(tmp_path) -> None:
    with pytest.raises(UsageError) as problem:
        load(tmp_path, f'notify: {{channels: [{{name: team, url: "{URL}"}}]}}')
    assert "url is a secret" in problem.value.message
    assert "TIiajkdn" not in problem.value.message + problem.value.hint


def test_addresses_from_the_environment_belong_to_channels(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CREW_NOTIFY__URLS", f'{{"team": "{URL}"}}')
    settings = load(tmp_path, "notify: {channels: [{name: team}]}")
    assert settings.notify.url_of(settings.notify.channels[0]) == URL
    with pytest.raises(UsageError, match="team, and no channel"):
        load(tmp_path, "notify: {channels: [{name: other}]}")


def test_an_address_and_its_parts_are_kept_out_of_sight(tmp_path) -> None:
    (tmp_path / "team.url").write_text(URL + "\n")
    settings = load(tmp_path, f"notify: {{channels: [{{name: team, url_file: {tmp_path}/team.url}}]}}")
    assert {URL, "TIiajkdnlazkcOXrIdevi7FQ", "A1BRTD4JD"} <= set(settings.secrets())
    assert "TIiajkdn" not in repr(settings) + str(settings.model_dump())


def test_a_host_is_no_secret_and_a_password_is(tmp_path) -> None:
    (tmp_path / "mail.url").write_text("mailtos://crew:hunter2-hunter2@mail.example.com?to=team@example.com")
    settings = load(tmp_path, f"notify: {{channels: [{{name: mail, url_file: {tmp_path}/mail.url}}]}}")
    assert "hunter2-hunter2" in settings.secrets()
    assert "mail.example.com" not in settings.secrets()


@pytest.mark.parametrize(
    "channel",
    [
        {"name": "Team Chat"},
        {"name": "team", "quiet_hours": "always"},
        {"name": "team", "quiet_hours": "22:00-26:00"},
        {"name": "team", "quiet_hours": "22:00-22:00"},
        {"name": "team", "digest_at": "25:00"},
        {"name": "team", "severity": "high"},
        {"name": "team", "kinds": ["everything"]},
        {"name": "team", "severities": ["info"]},
    ],
)
def test_what_means_nothing_is_refused(channel) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        NotifySettings.model_validate({"channels": [channel]})


def test_a_file_that_is_not_there_stops_nothing_else(tmp_path) -> None:
    settings = load(tmp_path, f"notify: {{channels: [{{name: team, url_file: {tmp_path}/none}}]}}")
    (channel,) = settings.notify.channels
    assert settings.notify.url_of(channel) == ""
    assert "No such file" in settings.notify.problem_of(channel)
