"""/api/breaking: stop processes, have the buses refuse, send poison; off unless asked for."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field, StrictBool

from console.faults.orders import Breaking
from console.faults.poison import PoisonKind
from contracts.envelope import ReadModel
from operations.environment import Environment


class _Wish(ReadModel):
    model_config = ConfigDict(extra="forbid")


class Run(_Wish):
    """`kill`: it gets no time to finish what is in flight."""

    run: StrictBool
    kill: StrictBool = False


class RefuseEvents(_Wish):
    refuse: StrictBool


class Poison(_Wish):
    queue: Annotated[str, Field(min_length=1, max_length=256)]
    kind: PoisonKind


def router(environment: Environment, socket: str | None) -> APIRouter:
    breaking = Breaking(environment, socket)
    routes = APIRouter(prefix="/api/breaking")

    @routes.get("")
    def state() -> dict[str, Any]:
        return breaking.state()

    @routes.post("/processes/{name}")
    def run(name: str, wish: Run) -> dict[str, Any]:
        return breaking.run(name, run=wish.run, kill=wish.kill)

    @routes.post("/bus")
    def refuse(wish: RefuseEvents) -> dict[str, Any]:
        return breaking.refuse(refuse=wish.refuse)

    @routes.post("/poison")
    def poison(wish: Poison) -> dict[str, Any]:
        return breaking.poison(wish.queue, wish.kind)

    return routes
