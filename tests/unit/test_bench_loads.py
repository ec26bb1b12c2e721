"""What locust writes of a load, as the API's row of the benchmark reads it."""

import json
from typing import Any

import pytest

from verification.benchmarks.loads import LONGEST, LoadFailed, TooShort, met_within, read


def written(**changed: Any) -> str:
    """locust's JSON of 101 answers in 2 seconds, a hundred fast and the last one slow."""
    entry = {
        "name": "/subscriptions",
        "method": "POST",
        "start_time": 1000.5,
        "last_request_timestamp": 1002.5,
        "num_requests": 101,
        "num_failures": 0,
        "response_times": {"310": 1, "20": 99, "3": 1},
    }
    return json.dumps([entry | changed])


def test_throughput_is_that_between_the_first_answer_and_the_last() -> None:
    """locust's clock starts with the first answer, which therefore took none of the time."""
    assert read(written()).throughput == 50


def test_percentiles_count_every_answer() -> None:
    """The histogram's keys are texts, in any order; they are compared as milliseconds."""
    met = read(written())
    assert (met.milliseconds(0), met.milliseconds(0.5), met.milliseconds(1)) == (3, 20, 310)


def test_one_failure_fails_the_load() -> None:
    """A server that refuses is fast: its throughput says nothing."""
    with pytest.raises(LoadFailed, match="num_failures"):
        read(written(num_failures=1))


@pytest.mark.parametrize("text", ["[]", written(num_requests=1, last_request_timestamp=1000.5)])
def test_a_load_without_two_answers_is_played_for_longer(text: str) -> None:
    """There is no time between the first and the last; on a busy machine a start takes seconds."""
    played = []

    def play(seconds: int) -> str:
        played.append(seconds)
        return written() if seconds >= 20 else text

    assert met_within(play, 5).throughput == 50
    assert played == [5, 10, 20]
    with pytest.raises(TooShort):
        met_within(lambda _: text, LONGEST)
