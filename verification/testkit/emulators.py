"""What emulators of AWS fake: each fact that tests/integration/conformance finds otherwise there.

A test of that suite (and of the end-to-end tests that `make conformance` adds) asserts one fact
about AWS, and is called as its row here. Declared as faked,
it has to fail, and to say `shows` where it does: a fake that works by now, or fails in another way,
fails the run. docs/reference/emulators.md shows this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from local.probes import EMULATORS, Emulator


@dataclass(frozen=True)
class Fake:
    """What an emulator does instead; `shows` is a part of the failure by which that is known."""

    instead: str
    shows: str


@dataclass(frozen=True)
class Fact:
    """What is so on AWS, and by emulator what is faked of it."""

    on_aws: str
    faked: Mapping[Emulator, Fake]


_START_REPLAY = Fake(
    "StartReplay fails once the archive has an event: it takes the events' times, which it keeps as"
    " texts, for moments",
    shows="InternalError",
)
_ON_LOCALSTACK: Mapping[Emulator, Fake] = {"LocalStack": _START_REPLAY}
_NO_TASKS = Fake("the operation is not there", shows="InvalidAction")
_NO_LINES = Fake("accepts the target and writes nothing: local.tap does", "no line was written")
_NO_RULE = Fake("fills archives without a rule", shows="no rule fills the archive")

FAKED: Mapping[str, Fact] = {
    "an_archive_is_filled_by_a_managed_rule": Fact(
        "an archive is filled by a rule on its bus that AWS manages",
        {
            "MiniStack": _NO_RULE,
            "LocalStack": Fake(
                "the rule is there, and nothing says that it is managed: infra.local leaves every"
                " rule alone that is not its own",
                shows="nothing says that it is managed",
            ),
        },
    ),
    "a_managed_rule_cannot_be_deleted_by_accident": Fact(
        "a managed rule is deleted only by force",
        {
            "MiniStack": _NO_RULE,
            "LocalStack": Fake("deletes it, and the archive stays empty", shows="DID NOT RAISE"),
        },
    ),
    "a_replay_brings_what_the_archive_has_of_its_range": Fact(
        "a replay brings the events of its range once more, with its name", _ON_LOCALSTACK
    ),
    "a_replay_brings_nothing_from_outside_its_range": Fact(
        "a replay brings no other events, and completes without any", _ON_LOCALSTACK
    ),
    "an_archive_keeps_what_its_pattern_takes": Fact(
        "an archive has the events of its pattern alone", _ON_LOCALSTACK
    ),
    "a_replay_says_which_event_was_the_last": Fact(
        "a replay says up to which event it is",
        {
            "MiniStack": Fake("does not say it", "it does not say which event was the last"),
            "LocalStack": _START_REPLAY,
        },
    ),
    "a_replay_goes_only_to_the_rules_that_it_names": Fact(
        "a replay goes to the rules that it names, and to no other",
        {
            "MiniStack": Fake(
                "sends it to every rule: `streamed replay` refuses --rule",
                shows="a rule that it does not name got it",
            ),
            "LocalStack": _START_REPLAY,
        },
    ),
    "the_books_balance_after_three_lives_and_a_replay_changes_nothing": Fact(
        "`streamed replay` brings what was on a bus once more, and no state changes",
        {"LocalStack": replace(_START_REPLAY, shows="StartReplay failed, and left a replay")},
    ),
    "a_log_target_writes_each_event_as_one_line": Fact(
        "a rule writes each event to a log group as one line", {"MiniStack": _NO_LINES}
    ),
    "a_log_line_has_the_time_of_its_event": Fact(
        "a log line's time is that of its event",
        {
            "MiniStack": _NO_LINES,
            "LocalStack": Fake("it is when the line was written", "the line has another time"),
        },
    ),
    "an_event_keeps_the_time_that_it_was_given": Fact(
        "an event has the time that PutEvents gave it",
        {"MiniStack": Fake("it is when it was put", "the event has another time")},
    ),
    "an_entry_with_malformed_detail_is_refused_alone": Fact(
        "PutEvents refuses an entry whose detail is no JSON",
        {"MiniStack": Fake("accepts it", "malformed detail was accepted")},
    ),
    "an_event_goes_on_to_a_bus_of_another_account": Fact(
        "a rule sends events to a bus of another account",
        {"MiniStack": Fake("drops them silently", "nothing came to the other account")},
    ),
    "what_a_target_does_not_take_is_in_its_dead_letter_queue": Fact(
        "what a target does not take is retried, and then in its dead-letter queue",
        {each: Fake("drops it", "nothing is in the dead-letter queue") for each in EMULATORS},
    ),
    "a_queue_gets_nothing_that_its_policy_does_not_allow": Fact(
        "a queue's policy decides what is delivered to it",
        {
            each: Fake("delivers whatever it says", "it was delivered without permission")
            for each in EMULATORS
        },
    ),
    "a_sealed_key_with_a_flipped_bit_is_not_opened": Fact(
        "KMS refuses a ciphertext that was changed",
        {"MiniStack": Fake("opens it", shows="DID NOT RAISE")},
    ),
    "a_move_task_brings_dead_letters_back": Fact(
        "StartMessageMoveTask brings dead letters back", {"MiniStack": _NO_TASKS}
    ),
    "a_dead_letter_queue_knows_its_sources": Fact(
        "ListDeadLetterSourceQueues names the queues of a dead-letter queue",
        {"MiniStack": _NO_TASKS},
    ),
}
"""By the name of its test, without `test_`."""
