"""What is known of the signature that a re-run rests on: whether its re-runs pass, and whether it is an outage now.

Two crews follow actions, and whichever hears of the end first tells it here, through the executor: before the end is
recorded, so that a crash in between costs a second telling, which counts once, and never the lesson.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from opscrew.actions import queries
from opscrew.ci.rerun.history import record_rescue
from opscrew.ci.rerun.outage import Outage
from opscrew.ci.rerun.outage_history import current_outages
from opscrew.ci.rerun.proposal import KIND
from opscrew.ci.watch.open_failures import standing_in
from opscrew.clock import Clock
from opscrew.model.action import Action, ActionState
from opscrew.store.database import reading

SIGNATURE = "signature"
"""The parameter of a re-run that says what its failure was recognised as: the failure itself is soon forgotten."""

LONGEST_TRY = timedelta(hours=1)
"""A re-run that tries whether an outage is over may hang itself; after this long another one tries."""


HOST = "host"
"""The parameter that says which other machine the failure named, "" where none."""


def with_cause(action: Action, signature: str, host: str) -> Action:
    """The same re-run, from which ``signature`` and ``host`` will be learned, where they are known."""
    known = {name: value for name, value in ((SIGNATURE, signature), (HOST, host)) if value}
    return action.model_copy(update={"parameters": action.parameters | known})


class RescueLearning:
    """Asked by the executor of re-runs before each one, and told how it ended."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def outage(self, action: Action) -> Outage | None:
        """The outage that goes on now and that this re-run would run into."""
        return current_outages(self._engine, self._clock()).get(self._cause(action)[0])

    def held_back_by(self, action: Action) -> Outage | None:
        """The same, unless it has been quiet for so long that this re-run may try whether it is over: one at a time."""
        outage = self.outage(action)
        if outage is None or self._clock() < outage.tried_from or self._another_tries(action, outage):
            return outage
        return None

    def _another_tries(self, action: Action, outage: Outage) -> bool:
        with reading(self._engine).connect() as connection:
            under_way = queries.in_states(connection, (ActionState.SENDING, ActionState.SENT))
        return any(
            one.action.kind == KIND
            and one.action.idempotency_key != action.idempotency_key
            and one.spent is not None
            and one.spent.at > max(outage.last_seen_at, self._clock() - LONGEST_TRY)
            and self._cause(one.action)[0] == outage.signature
            for one in under_way
        )

    def ended(self, action: Action, *, passed: bool) -> None:
        """Counts for the signature that led to it. An outage, whose re-runs fail whatever they are, does not."""
        (signature, host), now = self._cause(action), self._clock()
        if not signature or self.outage(action) is not None:
            return
        repository, number = action.target.scope, action.parameters["build_number"]
        record_rescue(
            self._engine,
            signature,
            repository,
            pipeline_key=f"{repository}#{number}",
            passed=passed,
            at=now,
            host=host,
        )

    def _cause(self, action: Action) -> tuple[str, str]:
        """Signature and host. A person who asks for a re-run names neither; then the failure that still stands does."""
        named = str(action.parameters.get(SIGNATURE, "")), str(action.parameters.get(HOST, ""))
        standing = standing_in(self._engine, action.target.scope).get(action.parameters["target_key"])
        if named[0] or standing is None or standing.pipeline_uuid != action.parameters["pipeline_uuid"]:
            return named
        return standing.signature, str(standing.finding.details.get(HOST, ""))
