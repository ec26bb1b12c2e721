"""Our app with one service more, whose health no alarm watches: `python -m tests.unwatched`."""

from infra import app, stacks
from infra.resources import Domain
from infra.topology import WORKLOADS
from infra.workloads import Workload


def with_an_idler(domain: Domain) -> tuple[Workload, ...]:
    """It serves no path, consumes no queue and relays no outbox."""
    idler = Workload("idler", domain.name, ("idler",), uses=(), port=9999, colour=31)
    return (*(each for each in WORKLOADS if each.domain == domain.name), idler)


if __name__ == "__main__":
    stacks.workloads_of = with_an_idler  # type: ignore[attr-defined]
    raise SystemExit(app.main())
