"""All settings, read once and never again.

What they are is here; ``settings_file.py`` reads them, and the frozen result is handed on. A part that is absent
(``None``) is switched off, and answers say so.

Order, strongest first: environment (``CREW_BITBUCKET__URL``), secret files (``CREW_BITBUCKET__TOKEN_FILE``),
``crew.yaml``. Secrets are refused in ``crew.yaml``: files get committed, shown and backed up.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import platformdirs
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from opscrew.settings_environment import Environment
from opscrew.settings_mistakes import did_you_mean
from opscrew.settings_notify import NotifySettings
from opscrew.settings_secrets import Secret, Token, secrets_in, without_blank
from opscrew.settings_stores import KubernetesSettings as KubernetesSettings
from opscrew.settings_stores import LogStoreSettings, Part, StoreSettings, check_stores, store_of
from opscrew.settings_stores import UrlSettings as UrlSettings
from opscrew.web_address import WebAddress, Workspace


def _off_as_written(value: Any) -> Any:
    """YAML reads a bare ``off`` as false; a person who writes it means the mode."""
    return "off" if value is False else value


PolicyMode = Annotated[Literal["auto", "approve", "off"], BeforeValidator(_off_as_written)]

SYSTEMS = (
    "bitbucket",
    "kubernetes",
    "victoriametrics",
    "victorialogs",
    "vmalert",
    "alertmanager",
    "grafana",
    "gcp",
)
"""The parts that name an outside system to watch."""

NOTHING_CONFIGURED = "Nothing is configured, so nothing is watched."
HOW_TO_CONFIGURE = "`crew init` writes a crew.yaml to fill in; run crew in its folder, or name it with --config."
"""Said by the doctor, the daemon and its page alike: a crew that watches nothing looks like one that finds nothing."""

STARTER_FILE = Path(__file__).with_name("starter.yaml")
"""What `crew init` writes. A test holds it and the classes below together."""


class BitbucketSettings(Part):
    """``token`` with ``user`` is sent as Basic (API token), without as Bearer (access token)."""

    url: WebAddress = "https://api.bitbucket.org/2.0"
    workspace: Workspace
    repositories: tuple[str, ...] = ("*",)
    user: str = ""
    token: Token = None
    webhook_secret: Secret = None
    requests_per_hour: int = Field(default=900, ge=1)
    """Our own ceiling, below Bitbucket's 1,000 so that people using the same account still get answers."""
    keep_history_days: int = Field(default=400, ge=31, le=36_500)
    """How far back pipelines and steps are read and kept to be counted: a year and a month, to compare with."""


class GoogleCloudSettings(Part):
    """``billing_export`` is project.dataset.table of the detailed export in BigQuery."""

    projects: tuple[str, ...]
    billing_export: str | None = None


class ModelSettings(Part):
    """``name: none`` means facts only. ``hosts`` lists further Ollama URLs that serve the same model."""

    name: str = "none"
    url: WebAddress = "http://127.0.0.1:11434"
    hosts: tuple[WebAddress, ...] = ()
    context_tokens: int = Field(default=8192, ge=2048)
    keep_alive: str = "30m"
    temperature: float = Field(default=0.1, ge=0, le=2)
    token: Token = None


class MemorySettings(Part):
    """``embedding`` is all-MiniLM-L6-v2, a sentence-transformers model that is on disk (its folder, or a name that
    Hugging Face's cache has), or none for words alone."""

    embedding: str = "all-MiniLM-L6-v2"
    keep_conversations_days: int = Field(default=365, ge=1, le=36_500)
    keep_episodes_days: int = Field(default=730, ge=1, le=36_500)
    keep_drafts_days: int = Field(default=180, ge=31, le=36_500)
    """Above the 30 days for which an alert group is kept, or its draft would be made anew."""


class HttpSettings(Part):
    """Where ``crew serve`` listens. Loopback by default; a proxy with TLS stands in front otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(default=8780, ge=0, le=65535)
    token: Secret = None
    """Bearer token that callers of the API must show. Webhooks have their own secrets."""
    hosts: tuple[str, ...] = ()
    """Further names by which callers reach us, as a proxy or a container network gives them; ``"*"`` allows any."""


class McpSettings(Part):
    """``urls`` are addresses of MCP servers that run elsewhere, by name; ``without`` names unwanted ones."""

    servers: Path | None = None
    """A list of your own in place of ``tools/mcp/servers.yaml``."""
    urls: dict[str, WebAddress] = Field(default_factory=dict)
    without: tuple[str, ...] = ()
    tokens: Annotated[dict[str, SecretStr], AfterValidator(without_blank)] = Field(default_factory=dict)
    """Bearer tokens that we show, by name of the server; as JSON in ``CREW_MCP__TOKENS`` or its ``_FILE``."""
    token: Secret = None
    """Bearer token that callers of `crew mcp serve` must show over HTTP."""


class MaintenanceSettings(Part):
    """A time in which alerts with these labels (``*`` is a wildcard) are expected. All given conditions count."""

    name: str
    hours: str = Field(default="", pattern=r"^(\d{1,2}:\d{2}-\d{1,2}:\d{2})?$")
    """``"22:00-02:00"`` in ``timezone``; empty means the whole day."""
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    begins: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)


class AlertSettings(Part):
    """What is known about alerts beside the systems that raise them."""

    webhook_token: Secret = None
    """Bearer token (or Basic password) that Alertmanager and Grafana show at our webhooks. Without it both are shut."""
    maintenance: tuple[MaintenanceSettings, ...] = ()


class BudgetSettings(Part):
    """How much may be done before people are asked. Counted over a sliding window, which reaches back a day."""

    per_hour: int = Field(default=20, ge=0)
    per_repository_hour: int = Field(default=5, ge=0)
    per_commit: int = Field(default=1, ge=0)
    cooldown_minutes: int = Field(default=10, ge=0, le=24 * 60)
    approval_hours: float = Field(default=12, gt=0, le=366 * 24)


class Settings(BaseSettings):
    """The whole configuration. The names of the parts are fixed; see ``docs/SETTINGS.md``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="CREW_",
        env_nested_delimiter="__",
        env_nested_max_split=1,
        env_ignore_empty=True,  # docker compose passes on what is not set as empty
    )

    environment_source: ClassVar[type[Environment]] = Environment

    bitbucket: BitbucketSettings | None = None
    kubernetes: tuple[KubernetesSettings, ...] = ()
    victoriametrics: StoreSettings | None = Field(default=None, validate_default=True)
    victorialogs: LogStoreSettings | None = Field(default=None, validate_default=True)
    vmalert: UrlSettings | None = None
    alertmanager: UrlSettings | None = None
    grafana: UrlSettings | None = None
    gcp: GoogleCloudSettings | None = None
    model: ModelSettings = ModelSettings()
    memory: MemorySettings = MemorySettings()
    http: HttpSettings = HttpSettings()
    mcp: McpSettings = McpSettings()
    alerts: AlertSettings = AlertSettings()
    notify: NotifySettings = NotifySettings()
    policy: dict[str, PolicyMode | dict[str, PolicyMode]] = Field(default_factory=dict)
    """Per action kind: a mode, or modes by scope pattern (``{"acme/*": auto, "acme/infra": off}``)."""
    budget: BudgetSettings = BudgetSettings()
    quiet_hours: str = ""
    """``"22:00-06:00"`` in ``timezone``: nothing is done by itself then, it waits for approval instead."""
    dry_run: bool = False
    database: str = ""
    """SQLAlchemy URL; empty means SQLite in the data folder. A password belongs in ``CREW_DATABASE_FILE``."""
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("crew", appauthor=False)))
    cluster_noise: Path | None = None
    """Rules of your own about what not to be told; see ``opscrew/cluster/report/noise.yaml`` for the shape."""
    schedule: Path | None = None
    """A schedule of your own in place of ``tasks/schedule.yaml``."""
    stop_seconds: float = Field(default=20, ge=0, le=3600)
    """How long a stopping daemon waits for crews that are at work. Kubernetes kills after 30 s."""
    timezone: str = "UTC"
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    _spare_secrets: dict[str, SecretStr] = PrivateAttr(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)  # quicker by far than the list of all zones
        except (ValueError, OSError, ZoneInfoNotFoundError):
            near = difflib.get_close_matches(name, available_timezones(), n=1)
            raise ValueError(f"no such time zone{did_you_mean(near)}") from None
        return name

    @field_validator("victoriametrics", "victorialogs", mode="before")
    @classmethod
    def _of_an_address(cls, store: Any) -> Any:
        """Whoever builds settings may give an address alone."""
        return dict(store) if type(store) is UrlSettings else store

    @field_validator("victoriametrics", "victorialogs")
    @classmethod
    def _fits_the_clusters(cls, store: StoreSettings | None, info: ValidationInfo) -> StoreSettings | None:
        check_stores(store, str(info.field_name), info.data.get("kubernetes", ()))
        return store

    @field_validator("data_dir", mode="before")
    @classmethod
    def _is_named(cls, folder: Any) -> Any:
        if isinstance(folder, str) and not folder.strip():
            raise ValueError("is empty")  # it would mean the working folder, which nobody wants by leaving it blank
        return folder

    @field_validator("data_dir")
    @classmethod
    def _home_is_expanded(cls, folder: Path) -> Path:
        return folder.expanduser()

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which people read times, schedules run and quiet hours are meant."""
        return ZoneInfo(self.timezone)

    def secrets(self) -> list[str]:
        """Every secret that is set, as plain text, for whoever must keep them out of sight."""
        of_database = urlsplit(self.database or "").password
        known = [*secrets_in(self), *self._spare_secrets.values()]
        plain = [secret.get_secret_value() for secret in known]
        return [*plain, *self.notify.secrets(), *([of_database] if of_database else [])]

    @property
    def spare_secrets(self) -> tuple[str, ...]:
        """Names such as ``bitbucket.token`` of secrets in the environment for parts that are not configured."""
        return tuple(self._spare_secrets)

    def with_spare_secrets(self, spare: Mapping[str, Mapping[str, Any]]) -> Settings:
        """Notes the secrets of parts that are not configured, by part and name: they are reported, and kept secret."""
        for part, secrets in spare.items():
            for name, value in secrets.items():
                self._spare_secrets[f"{part}.{name}"] = SecretStr(str(value))
        return self

    def store(self, system: str, cluster: str = "") -> StoreSettings | None:
        """What holds the metrics (victoriametrics) or logs (victorialogs) of a cluster; the common store by default."""
        common: StoreSettings | None = getattr(self, system)
        part = next((one for one in self.kubernetes if one.name == cluster), None)
        if common is None or part is None:
            return common
        return store_of(common, cluster, getattr(part, system))

    @property
    def watches_nothing(self) -> bool:
        """Whether no outside system is configured, so that there is nothing to look at."""
        return not any(getattr(self, name) for name in SYSTEMS)

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data_dir / 'crew.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # No .env file: it would be a second configuration file that nobody named.
        named = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else ()
        return (cls.environment_source(settings_cls, named), init_settings)
