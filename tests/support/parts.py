"""Finds the real servers that `make parts` built, and says why one is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CREW_PARTS", Path.home() / ".cache" / "crew-parts"))


def part(folder: str, program: str, script: str) -> Path:
    """The program's path, or a skip whose reason is what the build script said.

    ``folder`` is name and version ("victoria-v1.150.0"), ``script`` the name of the script in tests/real/parts.
    """
    found = FOLDER / folder / program
    if found.is_file():
        return found
    note = FOLDER / f"{script}.missing"
    reason = note.read_text(encoding="utf-8").strip() if note.is_file() else "not built; run `make parts`"
    pytest.skip(f"{program}: {reason}")


def need_control_plane(*, full: bool = False, kwok: bool = False) -> None:
    """Skips with the reason where a program of ``control_plane`` of the same arguments is not there."""
    for program in ("kube-apiserver", *(("kube-controller-manager", "kube-scheduler") if full else ())):
        part("kubernetes-v1.34.4", program, "kubernetes")
    if kwok:
        part("kwok-v0.8.0", "kwok", "kwok")
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed (Debian: apt-get install etcd-server)")
