"""A deterministic simulation of the whole system: what breaks a promise is found, and found again.

The code is the real one: the services' handlers and inboxes, runtime.messages and runtime.deletions
(what a consumer's threads do), the relays' tail, window, engine, sweeper, mapped stream, rounds and
forwarder, EventBus, FifoQueue and DeadLetterQueue. What they stand between is in memory: databases
with their outboxes and streams (feeds.py), SQS and EventBridge as the topology has them
(tests/memory_queues.py, tests/memory_buses.py; the conformance suite holds them to real clients).

    scheduling.py  tasks (greenlets) that take turns, and a clock that jumps when all of them wait
    processes.py   processes that can be killed at any call and start again with nothing in memory
    wires.py       each call of a process waits its turn and meets its fate
    wired.py       the ends of the system through such wires, with the interfaces the code wants
    fates.py       what may befall a call, and the choices a seed makes
    plans.py       who asks for what, and what goes wrong when; cursing.py, rows that alone fail
    places.py      all that is durable, and EventBridge's deliveries
    custom_places.py   the same on Custom Event Buses, which half of the histories have
                   (tests/memory_custom_buses.py; no real client was there to hold it to)
    serving.py, relaying.py, lambdas.py   the processes, put together as their main modules do
    outside.py     clients that ask again (requests.py), outages, kills, replays, operators
                   (redriving.py), poison (poisoning.py)
    ledger.py      sees what no process sees, and objects the moment that a promise is broken
    promises.py    P1 to P6, looked at when all has settled
    history.py     one history from its seed to its end; shrinking.py makes a bad one short
    running.py, __main__.py   many of them: `make simulate SEEDS=200000`, `make simulate SEED=123`

A history ends with all faults off: it has to settle by itself within a bounded number of turns,
once more after an operator has redriven what was dead-lettered.

**Nothing in it is left to chance.** Time is the scheduler's, ids are counted, choices and the
jitter of the code's back-off come from generators that the seed sets. A choice is known by who made
which call of its own for the how-manieth time, so that others can be taken away from a history
while it keeps its meaning.

**What is not simulated:** the wire formats of DynamoDB and MongoDB and their conditions (the store
suite and the integration tests have those), shards that split, HTTP, graceful stops, and more than
one instance of a process.
"""
