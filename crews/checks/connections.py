"""Checks of the outside systems: does each one answer, let us in, and mean the same time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pydantic import SecretStr

from crews.checks.check import Check, Level, Result, off
from crews.runtime.systems import Systems, address_of
from opscrew.settings import ModelSettings, Settings, UrlSettings
from tools.probe import Answer, Door, knock

if TYPE_CHECKING:
    from tools.bitbucket.client import BitbucketClient

PATHS = {
    # A path that needs the same permission as our real questions, so that a missing token shows here.
    "victoriametrics": "/api/v1/query?query=1",
    "victorialogs": "/select/logsql/query?query=*&limit=1",
    "vmalert": "/api/v1/rules",
    "alertmanager": "/api/v2/status",
    "grafana": "/api/org",
}
PATIENCE_SECONDS = 5.0
MOST_REPOSITORIES = 1000
"""Ten requests at most, and only where repositories are named."""


def bitbucket_checks(settings: Settings) -> tuple[Check, ...]:
    """The workspace is asked for, which proves address, token and permission in one request; then names are tried."""
    part = settings.bitbucket
    if part is None:
        return off("bitbucket", "Add bitbucket with a workspace to crew.yaml.")
    if part.token is None:
        missing = Result(Level.FAILED, "no token is set", "Set CREW_BITBUCKET__TOKEN, or CREW_BITBUCKET__TOKEN_FILE.")
        return (Check("bitbucket", lambda _: missing),)

    def look(systems: Systems) -> Result:
        assert systems.bitbucket is not None, "configured, as asked above"
        systems.bitbucket.ping()
        where = f"workspace {part.workspace} at {part.url}"
        unknown = _names_of_nothing(systems.bitbucket, part.repositories)
        if unknown:
            hint = "Write names as they stand in the address, and let the token read the repositories."
            return Result(Level.WARNING, f"{where}: no repository is called {', '.join(unknown)}", hint)
        return Result(Level.OK, f"{where}, {systems.bitbucket.budget.remaining} requests left this hour")

    return (Check("bitbucket", look),)


def _names_of_nothing(client: BitbucketClient, patterns: Sequence[str]) -> list[str]:
    """A repository whose name is written wrongly would be watched by nobody, and nothing else would say so."""
    if tuple(patterns) == ("*",):
        return []
    slugs = [one.slug for one in client.repositories(limit=MOST_REPOSITORIES)]
    if len(slugs) == MOST_REPOSITORIES:
        return []  # there may be more, and among them the ones that are meant
    return [pattern for pattern in patterns if not any(fnmatchcase(slug, pattern) for slug in slugs)]


def kubernetes_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for each cluster."""
    if not settings.kubernetes:
        return off("kubernetes", "Add clusters under kubernetes in crew.yaml.")

    def of(name: str) -> Check:
        def look(systems: Systems) -> Result:
            client = systems.kubernetes(name)
            assert client is not None, "configured, as asked above"
            return Result(Level.OK, f"answers, version {client.version()}")

        return Check(f"kubernetes {name}", look)

    return tuple(of(part.name) for part in settings.kubernetes)


def url_checks(name: str, settings: Settings) -> tuple[Check, ...]:
    """The checks of a system that is reached by URL; ``name`` is a key of ``PATHS``. Clusters may have own stores."""
    part: UrlSettings | None = getattr(settings, name)
    if part is None:
        return off(name, f"Add {name} with its url to crew.yaml.")
    if name not in ("victoriametrics", "victorialogs"):
        return (_url_check(name, name, part),)
    own = {one.name: settings.store(name, one.name) for one in settings.kubernetes}
    return (
        _url_check(name, name, part),
        *(_url_check(f"{name} of {of}", name, one) for of, one in own.items() if one is not None and one != part),
    )


def _url_check(title: str, name: str, part: UrlSettings) -> Check:
    address = address_of(name, part)
    door = Door(
        system=name,
        url=address.url,
        path=PATHS[name],
        user=address.user,
        password=address.password,
        token=address.token,
        timeout_seconds=min(address.timeout_seconds, PATIENCE_SECONDS),
        headers=address.headers,
    )

    def look(_systems: Systems) -> Result:
        answer = knock(door)
        if not _speaks(name, answer):
            hint = f"Is this really {name}? A proxy or a login page may stand in between."
            return Result(Level.FAILED, f"{address.url} answers something else", hint)
        return Result(Level.OK, f"answers at {address.url}", server_time=answer.server_time)

    return Check(title, look)


def google_cloud_checks(settings: Settings) -> tuple[Check, ...]:
    """Whether this machine has credentials at all; what they may do shows when they are used."""
    part = settings.gcp
    if part is None:
        return off("gcp", "Add gcp with projects to crew.yaml.")

    def look(_systems: Systems) -> Result:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError

        try:
            credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform.read-only"])
        except DefaultCredentialsError:
            hint = "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS."
            return Result(Level.FAILED, "this machine has no application default credentials", hint)
        account = getattr(credentials, "service_account_email", None) or "a user account"
        return Result(Level.OK, f"credentials of {account} for {', '.join(part.projects)}")

    return (Check("gcp", look),)


def model_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for each host that is to serve the model. Other providers than Ollama are tried by `crew model try`."""
    part = settings.model
    if part.name == "none":
        return off("model", "Answers are facts only. Set model.name; docs/MODELS.md says which model fits.")
    provider, _, wanted = part.name.partition("/")
    if provider not in ("ollama", "ollama_chat"):
        text = f"{part.name} is not served by Ollama"
        return (Check("model", lambda _: Result(Level.WARNING, text, "`crew model try` asks it something.")),)
    hosts = (part.url, *part.hosts)
    return tuple(_ollama_check(f"model at {url}" if len(hosts) > 1 else "model", url, wanted, part) for url in hosts)


def _ollama_check(name: str, url: str, wanted: str, part: ModelSettings) -> Check:
    def look(_systems: Systems) -> Result:
        from tools.ollama.client import OllamaClient

        with OllamaClient(url, token=_plain(part.token), timeout_seconds=PATIENCE_SECONDS) as client:
            version, names = client.version(), [model.name for model in client.installed()]
        # Ollama completes a name without a tag by ":latest".
        if (wanted if ":" in wanted else f"{wanted}:latest") not in names:
            return Result(Level.FAILED, f"Ollama {version} at {url} has no {wanted}", f"Run `ollama pull {wanted}`.")
        return Result(Level.OK, f"{wanted} on Ollama {version} at {url}")

    return Check(name, look)


def _speaks(name: str, answer: Answer) -> bool:
    """Whether the answer has the shape of that system's. VictoriaLogs sends one object a line, or nothing at all."""
    if name == "victorialogs":
        first = answer.body.split(b"\n", 1)[0]
        return not first or first.startswith(b"{")
    try:
        value = json.loads(answer.body)
    except ValueError:
        # The body is cut at some length; a long list of rules is then no whole JSON any more, but begins as such.
        return answer.body.lstrip().startswith(b'{"status"')
    expected = {"alertmanager": "versionInfo", "grafana": "id"}.get(name, "status")
    return isinstance(value, dict) and expected in value


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
