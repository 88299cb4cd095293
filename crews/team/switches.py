"""Prepares the process for crewai and litellm. Call ``set_switches`` first, then import them.

``opscrew/library_switches.py`` holds what must not be sent. Here is what these two insist on storing: crewai makes a
key for credentials and a folder of settings under HOME while it is imported, and lock files in the system's folder for
temporary files. HOME is the person's, and may be read-only, as in a container; all of it belongs into the data folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opscrew.library_switches import set_library_switches

STORAGE = "CREWAI_STORAGE_DIR"


def set_switches(data_dir: Path) -> None:
    """Must run before the first import of crewai or litellm. ``data_dir`` receives what crewai insists on storing."""
    set_library_switches()
    folder = data_dir / "crewai"
    if os.environ.get(STORAGE) != str(folder):
        _store_below(folder)
        os.environ[STORAGE] = str(folder)
    quiet_libraries()


def _store_below(folder: Path) -> None:
    """crewai has a setting for its databases alone. The rest is named in these three places of ``crewai_core``, which
    ``tests/test_nothing_leaves.py`` watches."""
    if os.path.expanduser("~") == "~":  # noqa: PTH111  an account without a home: crewai_core asks for one on import
        os.environ["HOME"] = str(folder)
    import portalocker
    from crewai_core import lock_store, settings, token_manager

    def credentials() -> Path:
        kept = folder / "credentials"
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        return kept

    def lock(name: str, *, timeout: float) -> AbstractContextManager[Any]:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return portalocker.Lock(str(folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"), timeout=timeout)

    settings.DEFAULT_CONFIG_PATH = folder / "settings.json"
    token_manager.TokenManager._get_secure_storage_path = staticmethod(credentials)  # type: ignore[method-assign]
    lock_store.set_lock_backend(lock)


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
