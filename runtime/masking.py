"""Takes personal data and secrets out of what is logged or shown.

They are known by the name that they stand under, or by their form. A person's name has no form: in
a text that has no such name beside it, it cannot be found: no log line may carry one in free text.
"""

import re
from typing import Any

MASK = "***"

_FIELDS = frozenset(
    {
        *("accountnumber", "accountname", "accountsortcode", "sortcode", "iban", "bankdetails"),
        *("customerfirstname", "customersurname", "firstname", "surname"),
        *("reference", "mandatereference", "paymentreference"),
        *("authorization", "proxyauthorization", "password", "clientsecret", "accesstoken"),
    }
)
"""Names of fields and headers, in lower case and without what is between their words."""

_FIELD_IN_TEXT = re.compile(
    r"""
    (?P<name> (?<![a-z])
        (?: account[_-]?(?:number|name|sort[_-]?code) | sort[_-]?code | iban
          | bank[_-]?details
          | (?:customer[_-]?)? (?:first[_-]?name|surname)
          | (?:mandate[_-]?|payment[_-]?)? reference
          | (?:proxy[_-]?)? authorization | password | client[_-]?secret | access[_-]?token )
        (?: \\*["']\s*[:=]\s* | \s*=\s* )                     # "name": in JSON of any depth, name=
        (?: [\[{]\s* )* (?: \\*["'][SN]\\*["']\s*:\s* )? )    # DynamoDB's {"S": …}
    (?: (?P<quote>\\*["']) (?: .*?(?<!\\)(?P=quote) | .*\Z ) | [^\s,;&)}\]"']+ )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CREDENTIALS = re.compile(
    r"\b(?:[Bb](?:earer|asic)|DPoP)\s+[\w.~+/-]{16,}=*"
    r"|AWS4-HMAC-SHA256\s[^\r\n\"']*"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JSON Web Token
    r"|whsec_[\w+/=-]+"
)
# An IBAN as it is stored, or in groups of four: ISO 13616 has 15 to 34 characters.
_IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])")
# A sort code, or the 6 to 10 digits of one without dashes or of an account number, standing alone:
# not inside an id, a date, a time or a decimal.
_DIGITS = re.compile(r"(?<![\w-])(?<!\d[.:])(?:\d{2}-\d{2}-\d{2}|\d{6,10})(?![\w-])(?![.:]\d)")


def mask(text: str) -> str:
    """Replace whatever in a text may be an account number, an IBAN, a sort code or a credential.

    What stands beside the name of such a field, or of a person's name, is replaced as well.
    """
    text = _IBAN.sub(MASK, _CREDENTIALS.sub(MASK, text))
    if "=" in text or '"' in text or "'" in text:
        text = _FIELD_IN_TEXT.sub(_field, text)
    return _DIGITS.sub(MASK, text)


def masked(value: Any, name: str = "") -> Any:
    """Mask a value that stands under a name: texts, and lists and dicts at any depth.

    What JSON has no form for becomes its text.
    """
    if is_secret(name):
        return MASK
    match value:
        case str():
            return mask(value)
        case None | bool() | int() | float():
            return value
        case dict():
            return {mask(str(inner)): masked(each, str(inner)) for inner, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(each) for each in value]
    return mask(str(value))


def is_secret(name: str) -> bool:
    """Whether a field of this name, in whichever spelling, holds what is masked."""
    return name.replace("_", "").replace("-", "").lower() in _FIELDS


def _field(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    return f"{found['name']}{quote}{MASK}{quote}"
