"""/docs names no file but the service's own; tests/browser/test_docs.py opens it."""

import re
from collections.abc import Mapping

import httpx
import pytest

from tests.system import NAMES, Name


@pytest.mark.parametrize("name", NAMES)
def test_the_page_needs_only_its_own_service(apis: Mapping[Name, httpx.Client], name: Name) -> None:
    """Every file that it names is the service's own, and the policy allows no other."""
    page = apis[name].get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 4
    for file in files:
        answer = apis[name].get(file)
        assert answer.status_code == 200, file
        assert answer.content, file
    assert "http" not in page.text
