"""Who loads an API: `locust -f users.py --host URL SubscribingUser`, or `ReadingUser`.

Each user has one connection, and asks again as soon as it is answered. Any answer but the one that
a user came for is a failure.
"""

import os
from itertools import count

from locust import FastHttpUser, task

from local.journey import DEMO_ORDER as ORDER

_numbers = count(1)


class SubscribingUser(FastHttpUser):
    """Subscribes, with another body each time."""

    @task
    def subscribe(self) -> None:
        number = next(_numbers)
        body = {**ORDER, "accountNumber": f"{number:08}", "quantity": number % 10 + 1}
        with self.client.post("/subscriptions", json=body, catch_response=True) as answer:
            if answer.status_code != 201:  # noqa: PLR2004 (Created)
                answer.failure(f"{answer.status_code}: {answer.text}")


class ReadingUser(FastHttpUser):
    """Reads one subscription again and again: the one that SUBSCRIPTION_ID names."""

    @task
    def read(self) -> None:
        path = f"/subscriptions/{os.environ['SUBSCRIPTION_ID']}"
        with self.client.get(path, catch_response=True) as answer:
            if answer.status_code != 200:  # noqa: PLR2004 (OK)
                answer.failure(f"{answer.status_code}: {answer.text}")
