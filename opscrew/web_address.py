"""What a setting may hold that names another program's address, or a place within it."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def mistake_in(address: str) -> str:
    """What is wrong with it, without repeating it, since it may hold a password; empty when nothing is."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # parsed when it is asked for
    except ValueError as problem:
        return f"is no web address: {problem}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is no web address; write it as in http://host:8000/path"
    if parts.username or parts.password:
        return "holds a user or a password, which are shown in messages; give the token by its own setting"
    return ""


def _checked(address: str) -> str:
    mistake = mistake_in(address)
    if mistake:
        raise ValueError(mistake)
    return address


def _workspace(name: str) -> str:
    name = name.strip()
    if not WORKSPACE.fullmatch(name):
        raise ValueError("is no workspace; write the name that stands in its address, bitbucket.org/<workspace>")
    return name


WORKSPACE = re.compile(r"(?!\.{1,2}$)[\w.-]{1,128}|\{[0-9a-f-]{36}\}", re.ASCII)
"""A name, or a UUID in braces, which the API takes as well."""

Workspace = Annotated[str, AfterValidator(_workspace)]
WebAddress = Annotated[str, AfterValidator(_checked)]
