"""Words of a private dialect, and the plain words of AWS, of the pattern and of Python for them."""

import re
from collections.abc import Iterator, Mapping

PLAIN: Mapping[str, str] = {
    r"tells?|told|telling|untold": "says, shows, reports, informs; of a stream: delivers",
    r"durable hands": "accepted by EventBridge or by a queue",
    r"in hand": "in flight, received",
    r"at hand": "available",
    r"anew": "again, new",
    r"mends?|mended|mending": "fix, repair",
    r"whoever|whomever|whosever": "the process, account or user that …",
    r"somebody|someone|nobody|anybody|anyone|everybody|everyone": "name who, or use the passive",
    r"stands?|stood|standings?": "is, is in; stuck, frozen, stopped",
    r"the bell": "change feed",
    r"how dear|dear|dearer": "cost, expensive",
    r"needs? (?:a person|you)": "needs attention",
    r"of ours": "our",
    r"so many": "N, a number of",
    r"(?<!dead\s)letters?": "dead letters, messages in the DLQ",
    r"culprits?": "the failed entry",
    r"mischief": "injected fault",
    r"sightings?": "observed event",
    r"gathers?|gathered|gathering": "linger, wait for more entries",
    r"half-fail\w*|by half": "partial failure, fails partially",
    r"reckon\w*": "compute",
    r"befalls?|befell": "happens to",
    r"strange": "unrecognized",
    r"(?:its|the|their) books": "audit",
    r"likewise": "the same",
    r"nowhere": "not found",
    r"set(?:s|ting)? aside": "dead-letter",
    r"is no (?:moment|number|text)": "is not a valid …",
    r"a machine's eyes|for a person|wakes a person": "readable; needs attention",
}
"""Stems that readers do not meet, and what is said instead."""


def findings(text: str, name: str) -> Iterator[str]:
    """Each use of a stem, as `file:line: word: the plain one`."""
    for stem, plain in PLAIN.items():
        pattern = rf"(?<![\w-])(?:{stem})(?![\w-])".replace(" ", r"\s+")
        for found in re.finditer(pattern, text, re.IGNORECASE):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: {' '.join(found[0].split())!r}: say {plain}"
