"""What is read out of an expression: every metric and label in it, and nothing else."""

import pytest

from tests.promql import Selector, read


@pytest.mark.parametrize(
    ("expression", "metrics"),
    [
        ("up", ["up"]),
        ("up == 0", ["up"]),
        ("max(outbox_oldest_age_seconds)", ["outbox_oldest_age_seconds"]),
        ("rate(a_total[5m])", ["a_total"]),
        ("rate(a_total[$__rate_interval])", ["a_total"]),
        ("100 * sum(a) / sum(b) or vector(0)", ["a", "b"]),
        ("a unless on (queue) b", ["a", "b"]),
        ("a and changes(a[5m]) > 0", ["a", "a"]),
        ("histogram_quantile(0.99, sum by (le) (rate(a_bucket[1m])))", ["a_bucket"]),
        ("sum(rate(a[1m])) by (job)", ["a"]),
        ('count(up{job=~"apis|consumers"} == 0) or vector(0)', ["up"]),
        ("a offset 5m", ["a"]),
        ("a > bool 1e3", ["a"]),
    ],
)
def test_metrics_are_told_from_functions_and_keywords(expression: str, metrics: list[str]) -> None:
    """Ranges, numbers and a dashboard's variables are no metrics either."""
    assert [selector.metric for selector in read(expression).selectors] == metrics


def test_matchers_are_read_with_their_values() -> None:
    """Also where a value looks like the language itself."""
    query = read('sum(a{queue="b",state=~"x|y",route!~"/(c) by (d)"}) > e{process="f"}')
    assert query.selectors == (
        Selector(
            "a", (("queue", "=", "b"), ("state", "=~", "x|y"), ("route", "!~", "/(c) by (d)"))
        ),
        Selector("e", (("process", "=", "f"),)),
    )
    assert query.selectors[0].labels == {"queue", "state", "route"}


@pytest.mark.parametrize(
    ("expression", "grouped"),
    [
        ("sum by (queue, le) (a)", {"queue", "le"}),
        ("sum(a) by (queue)", {"queue"}),
        ("sum without (instance) (a)", {"instance"}),
        ("a unless on (queue) b", {"queue"}),
        ("a unless on () b", set()),
        ("a * on (x) group_left (y) b", {"x", "y"}),
        ("sum(a)", set()),
    ],
)
def test_labels_that_are_grouped_by_are_read(expression: str, grouped: set[str]) -> None:
    """Of aggregations, before and behind, and of what matches two sides."""
    assert read(expression).grouped == grouped


@pytest.mark.parametrize("expression", ['a{b="c"', "sum by (a", "rate(a[5m)"])
def test_what_does_not_end_is_refused(expression: str) -> None:
    """A half-read expression would let a wrong name pass."""
    with pytest.raises(ValueError, match="no "):
        read(expression)
