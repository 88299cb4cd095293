"""What every help text has: an example, the terminal's width, and no words of Python."""

from __future__ import annotations

from typer.core import TyperArgument

WIDEST = 120
"""Columns. Help follows the terminal up to here; longer lines are hard to read."""


def example(*commands: str) -> str:
    """The last lines of a command's help, each command on a line of its own (``\\b`` keeps it from being wrapped)."""
    first, *others = commands
    return "\n".join(["\b", f"Example: {first}", *(f"         {other}" for other in others)])


def without_types() -> None:
    """Typer writes the Python type behind every argument (``QUESTION <list[str]>``) and has no option against it."""
    TyperArgument.display_type_rich = lambda _self, ctx: None  # type: ignore[method-assign, assignment]
