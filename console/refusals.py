"""Which problem each error of the console's is to the page: their types are stable."""

from botocore.exceptions import BotoCoreError, ClientError

from console.dead_letters.actions import NotThere
from console.dead_letters.previews import StalePreview
from console.dead_letters.queue_locks import Busy
from console.faults.orders import BreakingOff
from console.follow.journey import JourneyNotFound
from console.live.hub import Full
from console.replays.replays import UnknownReplay
from console.requests.attempts import TryingOff
from infra.local_system.fault_protocol import NotBroken
from operations.errors import NoSuchName, NothingChosen, OperatorError
from operations.replay.replay import TooManyReplays
from runtime.errors import Misconfigured
from runtime.http.problem_kinds import NOT_FOUND, UNAVAILABLE, Kind

AWS_REFUSED = Kind(502, "refused-by-aws", "AWS refused it")

KINDS: dict[type[Exception], Kind] = {
    NoSuchName: NOT_FOUND,
    NotThere: NOT_FOUND,
    UnknownReplay: NOT_FOUND,
    JourneyNotFound: NOT_FOUND,
    BreakingOff: Kind(403, "breaking-off", "Nothing can be broken here"),
    TryingOff: Kind(403, "trying-off", "Nothing can be tried here"),
    NotBroken: Kind(409, "not-broken", "What runs the system did not do it"),
    StalePreview: Kind(409, "stale-preview", "Preview it again"),
    NothingChosen: Kind(409, "nothing-chosen", "There is nothing to do"),
    Busy: Kind(409, "busy", "Another request is using the queue"),
    TooManyReplays: Kind(409, "too-many-replays", "Ten replays run already"),
    OperatorError: Kind(400, "cannot-be-done", "This cannot be done"),
    Misconfigured: UNAVAILABLE,
    Full: UNAVAILABLE,
    ClientError: AWS_REFUSED,
    BotoCoreError: AWS_REFUSED,
}
"""The first that fits is it, so a family comes after its members."""
