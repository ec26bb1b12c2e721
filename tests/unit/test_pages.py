"""How the tests read a page: what is a file, a change, a command, and what it prints."""

from pathlib import Path

import pytest

from tests.pages import Block, apply_diff, blocks, masked, shown_lines

DIFF = """--- a/one.py
+++ b/one.py
@@ -1,3 +1,3 @@
 first
-second
+other

"""


def a_folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "one.py").write_text(text)
    return tmp_path


def test_a_block_is_named_by_the_path_that_stands_before_it(tmp_path: Path) -> None:
    """Code further up names nothing: only what ends the line before the block."""
    page = tmp_path / "page.md"
    page.write_text("`a.py`:\n\n```python\nx = 1\n```\n\nSee `b.py`: it\n\n```sh\nls\n```\n")
    assert blocks(page) == [Block("python", "x = 1\n", "a.py"), Block("sh", "ls\n", None)]


def test_a_diff_finds_its_place_wherever_it_is(tmp_path: Path) -> None:
    """Line numbers may be stale; an empty line needs no trailing space."""
    folder = a_folder(tmp_path, "before\nfirst\nsecond\n\nafter\n")
    apply_diff(Block("diff", DIFF, None), folder)
    assert (folder / "one.py").read_text() == "before\nfirst\nother\n\nafter\n"


@pytest.mark.parametrize("text", ["first\nthird\n\n", "first\nsecond\n\nfirst\nsecond\n\n"])
def test_a_diff_without_one_clear_place_is_refused(tmp_path: Path, text: str) -> None:
    """The file has changed since, or a reader could not tell where it belongs."""
    with pytest.raises(AssertionError, match=r"one\.py: [02] places"):
        apply_diff(Block("diff", DIFF, None), a_folder(tmp_path, text))


def test_what_is_another_each_time_is_masked() -> None:
    """Times, our event ids and the width of columns; other ids are compared."""
    line = "2026-11-23T21:36:48.728Z   x  01a20a57-1445-745a-988f-4b68f0b1f35f 7 s"
    assert masked(line) == "T x E 7 s"
    assert masked("91c424bd-60b1-5ea3-823c-70bf4a4995e2").startswith("91c424bd")


def test_an_ellipsis_stands_for_anything() -> None:
    """Alone in a line or within one: what is beside it has to be there."""
    block = Block("text", "one\n…\ntwo … three\n", None)
    assert list(shown_lines(block)) == ["one", "two", "three"]
