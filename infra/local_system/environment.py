"""The environment of what runs on one machine: samples for AWS, and loopback behind no proxy."""

import os
from collections.abc import MutableMapping

REGION = "eu-west-1"
"""Fixed: MiniStack keeps a state for each region, and a changed shell must not hide it."""

_OUR_OWN = frozenset({"AWS_PORT", "AWS_CLIENT"})

SAMPLE_ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def avoid_aws(environ: MutableMapping[str, str]) -> None:
    """Replace everything about AWS by samples, for a process that calls the emulator and no more.

    What are settings of this system stay.
    """
    for name in [each for each in environ if each.startswith("AWS_") and each not in _OUR_OWN]:
        del environ[name]
    environ.update(SAMPLE_ENVIRONMENT)
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in environ.get(name, "").split(",") if host]
        environ[name] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
