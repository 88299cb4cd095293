"""How a route gets at the world of the application that it serves.

The routes are made once per process, since FastAPI needs 50 ms for all of them, and serve every sandbox in it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from demo.bitbucket.world import World


async def _world_of(request: Request) -> World:
    world: World = request.app.state.world
    return world


AskedWorld = Annotated[World, Depends(_world_of)]
