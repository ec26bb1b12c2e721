"""What gets into the image: nothing of verification, nor of the tests or the tools."""

import re
import subprocess

from infra.local_system.settings import ROOT

PRODUCT = {
    "console",
    "contracts",
    "infra",
    "local",
    "operations",
    "relay",
    "runtime",
    "services",
    "streamed",
}


def copied() -> set[str]:
    """What the Dockerfile copies from the checkout."""
    lines = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    return {name for line in lines for name in line.split()}


def sent() -> set[str]:
    """What the builder gets of the checkout: the rest is left out by the pattern `*`."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    return {line.removeprefix("!") for line in patterns if line.startswith("!")}


def test_the_image_is_made_of_the_product_alone() -> None:
    """The folders that are copied are those that are sent, and no others."""
    assert copied() == sent() == PRODUCT | {"requirements.lock"}


def test_no_file_of_the_image_is_for_verification() -> None:
    """By the list of files that the image gets: none is a test, none starts a load or a fault."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *sorted(copied())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = listed.stdout.splitlines()
    assert "services/stock/main.py" in files
    unwanted = re.compile(r"(^|/)(verification|tests?|test_\w+\.py|conftest\.py)(/|$)")
    assert not [file for file in files if unwanted.search(file)]
    imports = re.compile(r"^\s*(from|import) (verification|tests)\b", re.MULTILINE)
    python = [file for file in files if file.endswith(".py") and (ROOT / file).exists()]
    assert not [file for file in python if imports.search((ROOT / file).read_text())]


def test_a_month_later_the_image_is_another_one() -> None:
    """Of the same code: the system's security updates are those of the month."""
    from aws_cdk import App, Stack  # noqa: PLC0415 (seconds, and a Node process)
    from constructs import Construct  # noqa: PLC0415

    from infra.aws.grounds import image  # noqa: PLC0415

    stack = Stack(App(), "stack")
    hashes = [
        image(Construct(stack, name), month).asset_hash
        for name, month in (("a", "2026-11"), ("b", "2026-12"), ("c", "2026-12"))
    ]
    assert hashes[0] != hashes[1] == hashes[2]


def test_the_images_updates_are_those_of_the_month_that_is_named() -> None:
    """The layer names it, so that no builder takes one of before; and leaves no package lists."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    (layer,) = re.findall(r"^ARG PATCHED\nRUN ((?:.*\\\n)*.*)$", dockerfile, re.MULTILINE)
    assert layer.startswith(': "${PATCHED}" && apt-get update')
    assert "apt-get upgrade" in layer
    assert layer.endswith("rm -rf /var/lib/apt/lists/*")
