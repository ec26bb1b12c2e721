"""POST /subscriptions and GET: the API beside the smallest FastAPI app, each on a stub of AWS.

One process is loaded at a time, and has a core that neither the load nor the stub uses, where the
machine has two. Ours writes its log as it does in production: a line for each request.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

import httpx

from local.journey import DEMO_ORDER as ORDER
from verification.benchmarks.baseline import BASELINE, baseline
from verification.benchmarks.contenders import floor
from verification.benchmarks.intervals import ratio
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.loads import Load, play
from verification.benchmarks.pinning import generator_cores, measured_cores, pin
from verification.benchmarks.rounds import measured
from verification.benchmarks.sizes import Size
from verification.benchmarks.stubbed import Stub, running_stub
from verification.testkit.engines import Engines, requiring_tokens
from verification.testkit.launcher import LaunchedProcess

ROW = "API"
_WORKLOAD = "subscription-api"
OPEN, WITH_TOKENS, WITH_DEFAULTS = "without tokens", "with tokens", "with the defaults"
SMALLEST = "smallest FastAPI app"
VARIANTS = {
    OPEN: {"EVENT_VERSION": "1"},
    WITH_TOKENS: {"EVENT_VERSION": "1"},
    WITH_DEFAULTS: {"EVENT_VERSION": "2"},
}
"""Its settings, beside whether it requires tokens: all but the first do."""

GOAL_CONNECTIONS = 16
"""Connections, for which the goals are."""

_POST, _GET = "POST / smallest FastAPI app with boto3", "GET / smallest FastAPI app with boto3"
API_GOALS: Mapping[tuple[str, str], Goal] = {
    ("POST", OPEN): Goal("at least", 1.2, f"{_POST}, without tokens", "0.81"),
    ("POST", WITH_TOKENS): Goal("at least", 1.2, f"{_POST}, with tokens", ""),
    ("POST", WITH_DEFAULTS): Goal("at least", 1.2, _POST, ""),
    ("GET", OPEN): Goal("at least", 1.0, f"{_GET}, without tokens", "0.89"),
    ("GET", WITH_TOKENS): Goal("at least", 1.0, f"{_GET}, with tokens", ""),
    ("GET", WITH_DEFAULTS): Goal("at least", 1.0, _GET, ""),
}

WARM_UP_REQUESTS = 100
"""Before the first load: by then a process has its connections, on a busy machine too."""

ROUND_SECONDS = 2.0
BODIES = 100
"""Orders that are sent in turn: of as many accounts, for 1 to 10 razors."""

THROUGHPUT, P50, P99, CPU_OF_A_REQUEST, GENERATOR = "rate", "p50", "p99", "CPU", "generator"


@dataclass(frozen=True)
class Loaded:
    """An API that is up, and what loads it, by method."""

    process: LaunchedProcess
    loads: Mapping[str, Load]

    def load(self, method: str, connections: int, seconds: float) -> dict[str, float]:
        """Raises LoadFailed."""
        load = self.loads[method]
        met = play(self.process, load, connections=connections, seconds=seconds)
        return {
            CPU_OF_A_REQUEST: 1e6 * met.cpu,
            THROUGHPUT: met.throughput,
            P50: met.percentile(0.5),
            P99: met.percentile(0.99),
            GENERATOR: met.generator / (met.generator + met.cpu),
        }


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    if size.is_quick:
        loads = {"POST": [GOAL_CONNECTIONS], "GET": [GOAL_CONNECTIONS]}
        return race(engines, loads, size.stub_seconds, seconds=0.25, is_quick=True)
    loads = {"POST": [1, GOAL_CONNECTIONS, 64], "GET": [GOAL_CONNECTIONS]}
    return race(engines, loads, 2 * size.stub_seconds)


def race(
    engines: Engines,
    loads: Mapping[str, Sequence[int]],
    compare_seconds: float,
    *,
    seconds: float = ROUND_SECONDS,
    is_quick: bool = False,
) -> Sequence[BenchmarkLine]:
    """Load all with each method over each number of connections, in rounds of `seconds`.

    A quick race is without the defaults and the code before. Raises LoadFailed.
    """
    with ExitStack() as stack:
        with_tokens = stack.enter_context(requiring_tokens(engines))
        names = [OPEN, WITH_TOKENS, SMALLEST] if is_quick else [*VARIANTS, SMALLEST]
        names += [BASELINE] if baseline() and not is_quick else []
        apis = {name: _loaded(stack, with_tokens, name) for name in names}
        return [
            line
            for method, connections in loads.items()
            for at_once in connections
            for line in _lines(apis, method, at_once, compare_seconds, seconds)
        ]


def _lines(
    apis: Mapping[str, Loaded], method: str, at_once: int, compare_seconds: float, seconds: float
) -> Iterator[BenchmarkLine]:
    found = measured(
        {name: partial(api.load, method, at_once, seconds) for name, api in apis.items()},
        by=THROUGHPUT,
        seconds=compare_seconds,
    )
    load = f"{method}, {at_once} connection{'s' * (at_once > 1)}"
    for name in [each for each in VARIANTS if each in apis]:
        peers = [SMALLEST, *([BASELINE] if name == OPEN and BASELINE in apis else [])]
        yield from _beside(found, f"{load}, {name}", name, peers, _goal(method, at_once, name))
    yield _share(f"{load}: the load generator's share of the CPU", found[GENERATOR][OPEN])


def _beside(
    found: Mapping[str, Mapping[str, Series]],
    what: str,
    name: str,
    peers: Sequence[str],
    goal: Goal | None,
) -> Iterator[BenchmarkLine]:
    shown = ((CPU_OF_A_REQUEST, "µs"), (THROUGHPUT, "requests/s"), (P50, "ms"), (P99, "ms"))
    for measure, unit in shown:
        for peer in peers:
            yield BenchmarkLine(
                ROW,
                what if measure == THROUGHPUT else f"{what}: {measure}",
                unit,
                found[measure][name],
                found[measure][peer],
                goal if (measure, peer) == (THROUGHPUT, SMALLEST) else None,
                with_defaults=name == WITH_DEFAULTS,
                baseline=_before(found[measure], peer),
            )


def _before(of: Mapping[str, Series], peer: str) -> float | None:
    """The same ratio at 071a447."""
    return ratio(of[BASELINE].values, of[peer].values) if BASELINE in of else None


def _goal(method: str, at_once: int, name: str) -> Goal | None:
    return API_GOALS[method, name] if at_once == GOAL_CONNECTIONS else None


def _share(what: str, shares: Series) -> BenchmarkLine:
    percent = Series("generator", tuple(100 * each for each in shares.values))
    return BenchmarkLine(ROW, what, "%", percent, is_timed=True)


def _loaded(stack: ExitStack, with_tokens: Engines, name: str) -> Loaded:
    """Start one on a stub of its own, on a core of its own, and warm it up."""
    stub = stack.enter_context(running_stub(with_tokens.folder))
    pin(stub.process.child.pid, generator_cores())
    process = stack.enter_context(_process(name, stub, with_tokens.api_settings))
    pin(process.child.pid, measured_cores())
    headers = {}
    if name in {WITH_TOKENS, WITH_DEFAULTS} and with_tokens.tokens is not None:
        headers["Authorization"] = f"Bearer {with_tokens.tokens.token()}"
    ids = [_subscribe(process, headers) for _ in range(WARM_UP_REQUESTS)]
    return Loaded(process, _loads(headers, ids[0]))


def _loads(headers: Mapping[str, str], subscription_id: str) -> dict[str, Load]:
    bodies = [
        {**ORDER, "accountNumber": f"{number:08}", "quantity": number % 10 + 1}
        for number in range(BODIES)
    ]
    read = f"/subscriptions/{subscription_id}"
    return {
        "POST": Load("POST", "/subscriptions", 201, headers, bodies),
        "GET": Load("GET", read, 200, headers),
    }


def _process(
    name: str, stub: Stub, api_settings: Mapping[str, str]
) -> AbstractContextManager[LaunchedProcess]:
    log, root = {"LOG_LEVEL": "INFO"}, baseline()
    if name == SMALLEST:
        return _ready(floor(stub.engines, "smallest_api", _WORKLOAD, log, client="boto3"))
    if name == BASELINE and root is not None:
        return stub.engines.running(_WORKLOAD, log, root=root)
    requires = api_settings if name != OPEN else {}
    return replace(stub.engines, api_settings=requires).running(_WORKLOAD, log | VARIANTS[name])


@contextmanager
def _ready(app: AbstractContextManager[LaunchedProcess]) -> Iterator[LaunchedProcess]:
    with app as process:
        process.until_ready()
        yield process


def _subscribe(process: LaunchedProcess, headers: Mapping[str, str]) -> str:
    """Make a subscription, such as the one that is read; its id."""
    url = f"{process.url}/subscriptions"
    answer = httpx.post(url, json=ORDER, headers=headers, trust_env=False)
    return str(answer.raise_for_status().json()["id"])
