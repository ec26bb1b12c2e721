"""The command that erases again in a restored database: which ids, and what is said of each."""

import pytest

from contracts.causes import Cause
from runtime.errors import Misconfigured
from runtime.process.erasures import run_erasures
from runtime.settings import ErasureSettings, load


@pytest.mark.parametrize("given", ["a,b,c", "a b c", "a, b,\n c\n"])
def test_ids_are_separated_by_commas_or_white_space(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """As a command prints them, or as a person writes them."""
    monkeypatch.setenv("ERASE_IDS", given)
    assert load(ErasureSettings).ids == ["a", "b", "c"]


@pytest.mark.parametrize("given", ["", " ", ",", "a,,b", "a,", "x" * 129])
def test_a_list_with_a_hole_in_it_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """Before any is erased: it may lack some."""
    monkeypatch.setenv("ERASE_IDS", given)
    with pytest.raises(Misconfigured, match="ERASE_IDS"):
        load(ErasureSettings)


def test_each_is_erased_for_a_cause_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log has each, also one of which there is nothing."""
    monkeypatch.setenv("ERASE_IDS", "there,missing")
    causes: dict[str, Cause] = {}

    def erase(aggregate_id: str, cause: Cause) -> bool:
        causes[aggregate_id] = cause
        return aggregate_id == "there"

    run_erasures("payment-erase", ErasureSettings, lambda settings, tracer: erase)
    assert list(causes) == ["there", "missing"]
    assert len({each.correlation_id for each in causes.values()}) == 2
    assert all(each.correlation_id.startswith("payment-erase-") for each in causes.values())
    erased, nothing = capsys.readouterr().out.splitlines()
    assert '"erased"' in erased
    assert '"there"' in erased
    assert '"nothing to erase"' in nothing
    assert '"missing"' in nothing


def test_one_that_fails_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it raised: run it again, which erases no other twice."""
    monkeypatch.setenv("ERASE_IDS", "a,b")

    def erase(aggregate_id: str, cause: Cause) -> bool:
        raise LookupError(aggregate_id)

    with pytest.raises(LookupError, match="a"):
        run_erasures("payment-erase", ErasureSettings, lambda settings, tracer: erase)
