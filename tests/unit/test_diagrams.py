"""Diagrams and tables in the docs are what the topology says."""

import re
from pathlib import Path

import pytest

from contracts.names import EventType
from infra.graph import graph_of
from infra.local_system.settings import ROOT
from infra.topology import TOPOLOGY
from tools.diagrams.__main__ import rendered
from tools.diagrams.blocks import BadBlock, blocks
from tools.diagrams.overview import overview
from tools.diagrams.pictures import domain, everything
from tools.diagrams.sequences import sequence


def named(page: str) -> list[str]:
    """Which blocks a page has."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^<!-- ((?:diagram|table): .+?) -->$", text, re.MULTILINE)


def test_a_block_is_written_and_the_rest_left_alone(tmp_path: Path) -> None:
    """Between its two lines, whatever was there."""
    (tmp_path / "README.md").write_text("nothing to draw\n")
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("before\n<!-- diagram: overview -->\nold\n<!-- /diagram -->\nafter\n")
    found = rendered(tmp_path)
    assert found[tmp_path / "README.md"] == "nothing to draw\n"
    assert found[page].startswith("before\n<!-- diagram: overview -->\n```mermaid\nflowchart LR\n")
    assert found[page].endswith("\n```\n<!-- /diagram -->\nafter\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "<!-- diagram: ovreview -->\n<!-- /diagram -->\n",
            "nothing is called 'diagram: ovreview'",
        ),
        ("<!-- diagram: overview -->\n", "a block has no end"),
        ("<!-- diagram: overview -->\n<!-- /table -->\n", "a block has no end"),
    ],
)
def test_a_block_that_cannot_be_written_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """By its name and its file, with what there is to choose from."""
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(BadBlock, match=f"README.md: {said}"):
        rendered(tmp_path)


def test_every_picture_has_its_place() -> None:
    """The overview with its queues in architecture, all else in the reference."""
    places = (
        "docs/architecture.md",
        *(f"docs/reference/{n}.md" for n in ("topology", "events")),
    )
    assert {name for place in places for name in named(place)} == set(blocks())
    assert named("docs/architecture.md") == ["diagram: overview with queues"]


def test_the_whole_picture_has_every_node_and_every_edge() -> None:
    """Nothing is left out of it."""
    graph, picture = graph_of(), everything()
    assert all(f'"{node.name}"' in picture for node in graph.nodes)
    arrows = picture.count("-->") + picture.count("-.->")
    assert arrows == len(graph.edges)


@pytest.mark.parametrize("name", [each.name for each in TOPOLOGY.domains])
def test_a_domains_picture_has_all_that_it_owns(name: str) -> None:
    """Its processes, rules, queues and dead-letter queues."""
    picture = domain(name)
    for node in graph_of().nodes:
        if node.domain == name:
            assert f'"{node.name}"' in picture


def test_the_overview_leaves_rules_and_dead_letters_out() -> None:
    """It stays small: outboxes, buses, and the events between them."""
    picture = overview()
    assert "Rule" not in picture
    assert "dlq" not in picture
    assert 'n_bus_payments_event_bus -->|"PaymentCancelled"| n_bus_stock_event_bus' in picture
    assert "stock-payment-cancelled" not in picture
    assert "stock-payment-cancelled" in overview(detailed=True)


def test_the_way_of_an_event_over_a_queue_is_told_in_order() -> None:
    """By hand: PaymentCancelled, from its commit to the two services that handle it."""
    event = EventType.PAYMENT_CANCELLED
    way = sequence(event)
    for name, short in [
        line.split(" as ")[::-1] for line in way.splitlines() if "participant" in line
    ]:
        way = way.replace(f"{short.split()[-1]}->>", f"{name}->>")
        way = way.replace(f"->>{short.split()[-1]}:", f"->>{name}:")
    arrows = [line.strip() for line in way.splitlines() if "->>" in line]
    assert arrows == [
        f"payments: API or consumer->>payments.outbox: state and {event}, in one transaction",
        "payments.outbox->>payments-change-stream: its stream",
        "payments-change-stream->>payment-events.fifo: the record",
        "payments-change-stream->>payments.outbox: delete the row",
        "payment-events.fifo->>payments-forward: in order",
        "payments-forward->>payments-event-bus: PutEvents",
        "payments-event-bus->>stock-event-bus: PaymentsToStockRule",
        "stock-event-bus->>stock-payment-cancelled: PaymentCancelledRule",
        "stock-payment-cancelled->>stock-consumer: at least once",
        "payments-event-bus->>subscriptions-event-bus: PaymentsToSubscriptionsRule",
        "subscriptions-event-bus->>subscriptions-payment-cancelled: CancelSubscriptionRule",
        "subscriptions-payment-cancelled->>subscription-consumer: at least once",
    ]


def test_a_table_of_fields_names_types_and_meanings() -> None:
    """Choices, nulls and the event's own name."""
    table = blocks()["table: fields of SubscriptionCancelled"]()
    assert "| `status` | `active` or `cancelled` or `erased` | active, then perhaps " in table
    assert "| `cancelledReason` | string or null | The same as reason. |" in table
    assert "| `event` | `SubscriptionCancelled` | What happened: the detail-type. |" in table


def test_a_table_of_rules_names_dead_letter_queues() -> None:
    """On its own bus and on those that it is sent on to."""
    table = blocks()["table: rules of SubscriptionCreated"]()
    row = "| `CreatePaymentRule` | `payments-event-bus` | queue `payments-subscription-created` |"
    assert f"{row} `create-payment-subscription-dlq` |" in table
    assert "queue of" not in table
