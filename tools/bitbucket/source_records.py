"""Repositories, people, commits and pull requests, as Bitbucket tells of them. See ``records.py``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, model_validator

from tools.bitbucket.shapes import Answer, flat_pull_request, text_at


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A few old fields come without a zone; Bitbucket means UTC."""


class Person(Answer):
    """An account. ``nickname`` is not unique; ``uuid`` is."""

    uuid: str = ""
    display_name: str = ""
    nickname: str = ""
    type: str = "user"

    @property
    def name(self) -> str:
        """What people call them."""
        return self.display_name or self.nickname or self.uuid or "unknown"


class Repository(Answer):
    """``full_name`` is "workspace/slug"."""

    uuid: str = ""
    full_name: str = ""
    name: str = ""
    language: str = ""
    main_branch: str = ""
    updated_on: Moment | None = None
    url: str = ""

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {
            **data,
            "url": data.get("url") or text_at(data, "links", "html", "href"),
            "main_branch": data.get("main_branch") or text_at(data, "mainbranch", "name"),
        }

    @property
    def slug(self) -> str:
        """The part of the address that names the repository; ``name`` may hold blanks and capitals."""
        return self.full_name.rpartition("/")[2] or self.name


class Commit(Answer):
    """``author`` is the raw "Name <mail>" line of git."""

    hash: str
    message: str = ""
    date: Moment | None = None
    author: str = ""
    parents: tuple[str, ...] = ()
    url: str = ""

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        parents = data.get("parents") or ()
        return {
            **data,
            "author": text_at(data, "author", "raw") or text_at(data, "author"),
            "parents": tuple(one if isinstance(one, str) else text_at(one, "hash") for one in parents),
            "url": data.get("url") or text_at(data, "links", "html", "href"),
        }


class PullRequest(Answer):
    """``state``: OPEN, MERGED, DECLINED, SUPERSEDED."""

    id: int
    title: str = ""
    state: str = ""
    author: Person | None = None
    source: str = ""
    destination: str = ""
    source_commit: str = ""
    destination_commit: str = ""
    url: str = ""

    _flat = model_validator(mode="before")(flat_pull_request)


class CommitStatus(Answer):
    """``state``: SUCCESSFUL, FAILED, INPROGRESS, STOPPED. Pipelines and other build systems both write these."""

    key: str = ""
    name: str = ""
    state: str = ""
    description: str = ""
    refname: str = ""
    url: str = ""
    updated_on: Moment | None = None
