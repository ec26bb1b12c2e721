"""Bank details on the wire: what is sealed in version 2 of SubscriptionCreated, and for what.

`bankDetails` there is a sealed text (runtime/sealing.py) with a JSON object, whose schema is
`schemas/BankDetails.v1.json`. Its reader compares `subscriptionId` with the event's, and refuses a
`version` that it does not know; the version of the message around it is in its first byte.
"""

from collections.abc import Mapping

from contracts.names import Source

SEALED_FOR: Mapping[str, str] = {"purpose": "bank-details", "source": str(Source.SUBSCRIPTIONS)}
"""The encryption context. The key's policy names it as well."""
