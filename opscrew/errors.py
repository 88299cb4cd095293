"""Errors that a person can act on: shown as one line, with what to do next."""

from __future__ import annotations


class CrewError(Exception):
    """Something the person at the terminal can mend. Exit code 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFoundError(CrewError):
    """What was named does not exist, whatever kind of thing it is. Exit code 1: the command itself was well written."""


class UsageError(CrewError):
    """The command or its configuration was written wrongly. Exit code 2."""
