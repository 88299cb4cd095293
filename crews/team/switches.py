"""Environment switches that crewai and litellm read while they are imported. Set them first, then import.

Without them crewai looks up a telemetry host, asks on a terminal whether a trace may be shared, and both libraries read
any ``.env`` in the working folder; litellm downloads a price list. Nothing of that belongs into a program that
promises to stay on its own machines. What a person has set of these for other programs does not count here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

SWITCHES = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "OTEL_SDK_DISABLED": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",  # any other mode reads a .env file
    "PYTHON_DOTENV_DISABLED": "true",
    "HF_HUB_OFFLINE": "1",
    "ANONYMIZED_TELEMETRY": "False",  # chromadb, which crewai imports
    "CREWAI_TOOLS_ALLOW_UNSAFE_PATHS": "false",  # a tool that reads files stays below the working folder
}


def set_switches(data_dir: Path) -> None:
    """Must run before the first import of crewai or litellm. ``data_dir`` receives what crewai insists on storing."""
    os.environ.update(SWITCHES)
    os.environ["CREWAI_STORAGE_DIR"] = str(data_dir / "crewai")
    # crewai makes a folder under HOME while it is imported and fails where it cannot, as in a read-only container.
    home = os.path.expanduser("~")  # noqa: PTH111  Path raises where an account has no home at all
    if not os.access(home, os.W_OK):
        data_dir.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(data_dir)
    quiet_libraries()


def reach_directly(addresses: Iterable[str]) -> None:
    """Past a proxy that the environment names: it would read every question, and no proxy knows this machine."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    hosts = [*given.split(","), *(urlsplit(address).hostname or "" for address in addresses)]
    for variable in ("no_proxy", "NO_PROXY"):
        os.environ[variable] = ",".join(host for host in dict.fromkeys(hosts) if host)


def quiet_libraries() -> None:
    """Our own results carry every failure in plain words; the libraries would print theirs between answers, and tell of
    their settings while they are imported. LiteLLM sets its levels anew then, so this is called once more after it."""
    for name in ("crewai", "crewai_core", "LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
