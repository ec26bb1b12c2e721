"""Names of groups and of duplicates, as SQS FIFO queues and Custom Event Buses both take them."""

import hashlib
import re

_NO_IDENTIFIER = re.compile("[^!-~]|.{129}", re.DOTALL)
"""What a group or deduplication id may not be: 128 letters, digits and punctuation, says SQS.

A Custom Event Bus takes any 128 characters, and its groups go on to FIFO queues.
"""


def identifier(text: str) -> str:
    """Name a group or a duplicate; what would not be taken as a name is named by its digest."""
    return digest(text) if _NO_IDENTIFIER.search(text) or not text else text


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
