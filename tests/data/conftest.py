import io
import sys
import types

import pytest


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write files, by name and content, into an empty working directory; gives the path of the first."""
    monkeypatch.chdir(tmp_path)

    def write(*names_and_contents):
        for name, content in zip(names_and_contents[::2], names_and_contents[1::2], strict=True):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(tmp_path / names_and_contents[0])

    return write


@pytest.fixture
def piped(monkeypatch):
    """Put bytes on standard input."""

    def pipe(data):
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(data)))

    return pipe
