"""What is printed: whatever stands in a message, on whatever terminal, into whatever pipe."""

import io
import json
import os

import pytest

from operations.output import Output, table

NASTY = ["[/]", "[bold]x", "a:boom:b", "half\ud800pair", "caf\u00e9"]


def written(encoding: str) -> tuple[io.TextIOWrapper, io.BytesIO]:
    data = io.BytesIO()
    return io.TextIOWrapper(data, encoding=encoding, write_through=True), data


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_printed_as_it_is_wherever_it_stands(text: str, encoding: str) -> None:
    """An id is no markup and no picture, and what an encoding lacks is written as an escape."""
    stream, data = written(encoding)
    output = Output(stdout=stream, stderr=stream)
    cells = table("id", title=f"title {text}")
    cells.add_row(text)

    output.show({}, cells, text)
    output.line(text)
    output.complain(text)

    shown = text.encode(encoding, errors="backslashreplace").decode(encoding)
    assert data.getvalue().decode(encoding).count(shown) == 5


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_document_is_json_in_every_encoding(encoding: str) -> None:
    """A program reads what was in the message, half a surrogate pair too."""
    stream, data = written(encoding)

    Output(as_json=True, stdout=stream, stderr=stream).show(NASTY)

    assert json.loads(data.getvalue()) == NASTY


@pytest.mark.parametrize("as_json", [False, True])
def test_a_reader_that_went_away_ends_a_command(as_json: bool) -> None:
    """`streamed ... | head` is an output that cannot be written, with --json and without."""
    reader, writer = os.pipe()
    os.close(reader)

    with open(writer, "w", buffering=1) as pipe:  # noqa: PTH123 (a descriptor)
        output = Output(as_json=as_json, stdout=pipe)
        with pytest.raises(BrokenPipeError):
            output.show({}, "text")
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)
