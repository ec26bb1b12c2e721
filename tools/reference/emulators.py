"""docs/reference/emulators.md: what each emulator fakes of AWS, from the table that tests hold."""

from local.probes import EMULATORS
from tools.reference.markdown import table
from verification.testkit.emulators import FAKED, Fact

HEAD = """# Emulators

*What of AWS is not real on this machine?* `make docs` writes this page from
`verification/testkit/emulators.py`, and a test compares them. `make conformance AWS=ministack` and
`AWS=localstack` hold each engine to it: what is faked must fail as it says here, and everything
else that `tests/integration/conformance` assumes of AWS must be true. [Run it on your
machine](../running.md#another-emulator) has the results.

"""


def page() -> str:
    return HEAD + table(["on AWS", *EMULATORS], map(_row, FAKED.values())) + "\n"


def _row(fact: Fact) -> list[str]:
    fakes = [fact.faked.get(emulator) for emulator in EMULATORS]
    return [fact.on_aws, *(fake.instead if fake else "the same" for fake in fakes)]
