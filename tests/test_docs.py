import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from h2olite.settings.parameters import declared
from h2olite_cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)")


def script(name):
    """The module of a script in docs/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE, GENERATE_R, EXAMPLES = script("generate"), script("generate_r"), script("examples")
GENERATED = GENERATE.PAGES | GENERATE_R.PAGES


@pytest.mark.parametrize("name", GENERATED)
def test_generated_page_equals_what_is_on_disk(name):
    assert (ROOT / "docs" / name).read_text() == GENERATED[name](), "run python docs/generate.py"


@pytest.mark.parametrize("page", EXAMPLES.PAGES, ids=lambda page: page.name)
def test_examples_print_what_the_page_shows(page):
    shown = page.read_text()
    printed = EXAMPLES.with_fresh_outputs(shown)
    advice = "run python docs/examples.py"
    assert NUMBER.sub("0", printed).split() == NUMBER.sub("0", shown).split(), advice
    # Other processors add up in another order, so that trained numbers differ a little.
    numbers = [np.array(NUMBER.findall(text), float) for text in (printed, shown)]
    np.testing.assert_allclose(*numbers, rtol=0.1, atol=0.02, err_msg=advice)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target, section in LINK.findall(page.read_text()):
        path = page.parent / target
        assert path.exists(), target
        if section:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            assert section in {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}


def test_every_parameter_and_command_has_its_place_in_the_reference():
    parameters, commands = ((ROOT / "docs" / name).read_text() for name in ("parameters.md", "cli.md"))
    assert [name for name in declared() if f"\n| `{name}` |" not in parameters] == []
    assert [name for name in COMMANDS if f"\n## h2olite {name}\n" not in commands] == []


def test_every_page_is_listed_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text()
    assert [page.name for page in PAGES[1:] if page.name != "index.md" and f"({page.name})" not in index] == []


def test_every_parameter_has_a_test_that_proves_its_effect():
    assert [name for name, tests in GENERATE.proofs().items() if not tests] == []
