"""The steps that an action may take, as one table, so that no code path can invent another."""

from __future__ import annotations

from opscrew.model.action import ActionState as State

TRANSITIONS: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.APPROVED, State.DENIED, State.EXPIRED, State.REFUSED}),
    # Back to waiting when, between approval by policy and sending, budget ran out or quiet hours began.
    State.APPROVED: frozenset(
        {State.SENDING, State.WAITING, State.DENIED, State.EXPIRED, State.REFUSED, State.DRY_RUN}
    ),
    # Back to approved only when the system said that it took nothing, or was asked long enough and shows nothing.
    State.SENDING: frozenset({State.SENT, State.FAILED, State.APPROVED}),
    State.SENT: frozenset({State.SUCCEEDED, State.FAILED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.DENIED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REFUSED: frozenset(),
    State.DRY_RUN: frozenset(),
}
"""For each state the states that may follow. Anything else is a mistake in the program."""


OPEN_STATES = tuple(state for state in State if not state.final)
"""States from which something may still happen."""


class IllegalTransitionError(Exception):
    """A step that the table does not list."""


def check_transition(old: State, new: State) -> None:
    """Raises ``IllegalTransitionError`` unless ``new`` may follow ``old``."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransitionError(f"an action that is {old} cannot become {new}")
