import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["parameters.md", "cli.md"])
def test_generated_page_equals_what_is_on_disk(generate, name):
    assert (DOCS / name).read_text() == generate.PAGES[name](), "run python docs/generate.py"
