"""A shop to ask about: a Bitbucket sandbox after a busy hour, a cluster in trouble, figures, logs and alerts.

Every system answers over a real socket, a moment late as one in another building does, and can be told to hang. The
crew has looked at all of them before, so that its records are as full as on a working day.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import asking_cluster, asking_signals
from crews.runtime.context import CrewContext
from crews.runtime.registry import find_crew
from crews.runtime.running import run_crew
from crews.runtime.systems import Systems
from demo.bitbucket.app import create_app
from demo.bitbucket.hour import MINUTES, furnish, play
from demo.bitbucket.world import TOKEN, World
from demo.clock import FastClock
from demo.serving import serve
from opscrew.metrics import Metrics
from opscrew.settings import BitbucketSettings, KubernetesSettings, Settings, UrlSettings
from opscrew.store.database import open_database
from tests.support.kubernetes_api import ApiHandler, kubernetes_api

LATE_SECONDS = 0.08
"""Before each answer: a usual way to a service in the cloud and back."""

SYSTEMS = ("bitbucket", "kubernetes", "victoriametrics", "victorialogs", "alertmanager")


class Pace:
    """How long each system takes to answer. One that hangs is let go when the world ends."""

    def __init__(self) -> None:
        self.hanging: set[str] = set()
        self.late_seconds = 0.0
        self._ended = threading.Event()

    def wait(self, system: str) -> None:
        """Blocks as long as ``system`` takes."""
        self._ended.wait(120 if system in self.hanging else self.late_seconds)

    def end(self) -> None:
        self._ended.set()


@dataclass(frozen=True)
class AskingWorld:
    """``context`` is the crew's; ``settings`` lead another process to the same systems."""

    context: CrewContext
    pace: Pace

    @property
    def settings(self) -> Settings:
        return self.context.settings


@contextmanager
def asking_world(folder: Path, **settings: Any) -> Iterator[AskingWorld]:
    """The hour that is over ended just now, so that "today" and "since noon" find something at any time of day."""
    clock = FastClock(datetime.now(UTC), speed=0)
    clock.forward(minutes=-MINUTES)
    bitbucket = World(clock)
    furnish(bitbucket)
    for slug in ("cart-api", "billing-service"):
        bitbucket.add_repository(slug, "go")
    with ExitStack() as stack:
        pace = Pace()
        built = Settings(**(_systems(stack, folder, bitbucket, pace) | {"data_dir": folder} | settings))
        engine = open_database(built.database_url)
        stack.callback(engine.dispose)
        stack.callback(pace.end)
        metrics = Metrics()
        systems = stack.enter_context(Systems(built, clock, metrics))
        context = CrewContext(settings=built, engine=engine, clock=clock, metrics=metrics, systems=systems)
        _live_through(context, bitbucket, clock)
        pace.late_seconds = LATE_SECONDS
        yield AskingWorld(context, pace)


def _systems(stack: ExitStack, folder: Path, bitbucket: World, pace: Pace) -> dict[str, Any]:
    api = stack.enter_context(kubernetes_api())
    api.objects |= asking_cluster.objects(datetime.now(UTC))
    _slow_cluster(api.faults, list(api.objects), pace)
    signals = {name: stack.enter_context(asking_signals.served(name, pace.wait)) for name in SYSTEMS[2:]}
    url = stack.enter_context(serve(_Late(create_app(bitbucket), pace)))
    part = BitbucketSettings(url=f"{url}/2.0", workspace="acme", token=TOKEN, requests_per_hour=100_000)
    return {
        "bitbucket": part,
        "kubernetes": (KubernetesSettings(name="prod", kubeconfig=api.kubeconfig(folder)),),
        "timezone": "Europe/Berlin",
        "policy": {"rerun_pipeline": {"*": "auto", "acme/payments": "approve"}},
        **{name: UrlSettings(url=address) for name, address in signals.items()},
    }


def _live_through(context: CrewContext, bitbucket: World, clock: FastClock) -> None:
    """An hour, minute by minute, with the CI watch; then one look by each of the others."""
    watch = _crew("ci_watch")
    for minute in range(MINUTES):
        if play(bitbucket, minute) or minute % 3 == 0:
            watch(context)
        clock.forward(minutes=1)
    for name in ("ci_watch", "cluster_health", "alert_triage", "remembering"):
        _crew(name)(context)


def _crew(name: str) -> Callable[[CrewContext], object]:
    crew = find_crew(name)
    assert crew is not None
    return lambda context: run_crew(crew, context)


def _slow_cluster(faults: dict[str, list[Any]], paths: list[str], pace: Pace) -> None:
    """The stand-in takes a fault from a list with each request; this list never ends."""

    class Always(list[Any]):
        def pop(self, place: Any = -1) -> Any:
            return self[place]

    def late(handler: ApiHandler, query: dict[str, str]) -> bool:
        pace.wait("kubernetes")
        return False

    faults |= {path: Always([late]) for path in paths}


class _Late:
    """Stands before the Bitbucket sandbox."""

    def __init__(self, app: Any, pace: Pace) -> None:
        self._app, self._pace = app, pace

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            import asyncio

            await asyncio.to_thread(self._pace.wait, "bitbucket")
        await self._app(scope, receive, send)
