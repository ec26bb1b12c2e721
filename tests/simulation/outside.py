"""Carries out a plan: clients ask, operators replay and redrive, misfortune strikes."""

from collections.abc import Callable, Mapping
from typing import Any

from runtime.errors import Conflict, Unavailable
from services.payment.model import PaymentNotFound
from services.subscription.model import StillActive, SubscriptionNotFound
from tests.simulation.places import Places
from tests.simulation.plans import (
    Act,
    Cancel,
    Curse,
    End,
    Erase,
    Kill,
    Outage,
    Poison,
    Redrive,
    Replay,
    Subscribe,
)
from tests.simulation.poisoning import Poisons
from tests.simulation.redriving import Redriver
from tests.simulation.requests import cancel, end, erase, subscribe, subscription_id
from tests.simulation.serving import Services
from tests.simulation.simulated_processes import Process
from tests.simulation.wires import Weather

RETRY_AFTER = 1.5
"""Seconds until a client that got no answer, or an error, asks again; each time as long again."""


TOO_EARLY = (PaymentNotFound, SubscriptionNotFound, StillActive)
"""What a client is refused with that asks for something before its time."""


_REQUESTS: Mapping[type[Act], tuple[str, str, Callable[[Any, Any], object]]] = {
    Subscribe: ("subscription-api", "subscriptions", subscribe),
    Cancel: ("payment-api", "payments", cancel),
    End: ("subscription-api", "subscriptions", end),
    Erase: ("subscription-api", "subscriptions", erase),
}
"""Which API is asked, in which domain, and how."""


class Outside:
    """Carries out acts. `answered` are the requests that were: the system has promised them."""

    def __init__(
        self,
        weather: Weather,
        places: Places,
        services: Services,
        processes: Mapping[str, Process],
    ) -> None:
        self._weather, self._scheduler, self._places = weather, weather.scheduler, places
        self._services, self._processes = services, processes
        self.answered: list[Act] = []
        self.waiting = 0
        """Clients and outages that are not at their end."""
        self.poisons = Poisons(places)
        self._redriver = Redriver(places, self.poisons)
        self.redrive = self._redriver.redrive

    def carry_out(self, act: Act) -> None:
        self.waiting -= 1
        story = self._weather.story
        if story.is_told:
            story.tell("outside", str(act))
        match act:
            case Subscribe() | Cancel() | End() | Erase():
                self._request(*_REQUESTS[type(act)], act)
            case Poison():
                self.poisons.inject(act)
            case Outage():
                self._outage(act)
            case Curse():
                self._curse(act)
            case Kill():
                self._processes[act.process].kill(act.seconds)
            case Replay():
                self._replay(act.bus)
            case Redrive():
                self.redrive(is_cut_short=act.is_cut_short)

    def _replay(self, bus: str) -> None:
        """From the archive; a Custom Event Bus has its own, and an erasure's is Classic's too."""
        places = self._places
        if places.custom is not None:
            places.custom.replay(bus)
        if bus in places.buses.archives:
            places.buses.replay(bus, "replay")

    def _request(
        self, name: str, domain: str, ask: Callable[[Any, Any], object], act: Any, tries: int = 1
    ) -> None:
        """Ask, and ask again until there is an answer or no patience."""
        process = self._processes[name]
        answers: list[bool] = []

        def serve() -> None:
            try:
                ask(self._services.handlers(process, domain), act)
                answers.append(True)
            except (Unavailable, Conflict, *TOO_EARLY):
                answers.append(False)
            except Exception:
                if not process.may_fail:
                    raise
                answers.append(False)

        def ended() -> None:
            self.waiting -= 1
            if answers == [True]:
                self.answered.append(act)
                return
            if tries < act.patience:
                self.waiting += 1
                self._scheduler.after(RETRY_AFTER * tries, again)

        def again() -> None:
            self.waiting -= 1
            self._request(name, domain, ask, act, tries + 1)

        self.waiting += 1
        if process.is_up:
            process.spawn(serve, ended=ended)
        else:
            ended()

    def _outage(self, act: Outage) -> None:
        self._weather.away[act.service] = act.fate
        self.waiting += 1

        def end() -> None:
            self.waiting -= 1
            self._weather.away.pop(act.service, None)
            if self._weather.story.is_told:
                self._weather.story.tell("outside", f"{act.service} is back")

        self._scheduler.after(act.seconds, end)

    def _curse(self, act: Curse) -> None:
        cursed, name = self._places.cursed[act.domain], subscription_id(act.number)
        cursed.add(name)
        self._scheduler.after(act.seconds, lambda: cursed.discard(name))
