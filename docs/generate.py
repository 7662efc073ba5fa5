"""Write parameters.md, cli.md and h2o-py.md beside this file, from the code: `python docs/generate.py`.

It also writes what R users read, by generate_r.py.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import click

from h2olite.settings.parameters import GROUPS, declared
from h2olite_cli.main import COMMANDS, main
from h2olite_cli.params import allowed, kind, shown_default

PARAMETERS_INTRODUCTION = """# Parameters

This page lists every parameter of `h2olite.deeplearning(...)`. Each parameter is also an option of `h2olite train` and
a key of a `--params` file. For example, `l1` is `--l1`, `stopping_rounds` is `--stopping-rounds` or
`--stopping_rounds`, and `standardize` is `--standardize` or `--no-standardize`.

Names, types and defaults are those of H2O's `h2o.deeplearning`. Parameters that H2O does not have are marked, and so is
the one default that differs.

The value on the command line, or of the keyword argument, overrides the value in the parameter file. The parameter file
overrides the default. Letter case, `_` and `-` do not matter in the values of an enum.
"""

PROOFS_INTRODUCTION = """## Proofs

These tests show the effect of each parameter, not only that it is accepted.

| name | tests |
|---|---|"""

COMMANDS_INTRODUCTION = """# Command line

Commands are run by `h2olite COMMAND [ARGS]`, or by `python -m h2olite_cli COMMAND [ARGS]`. Results go to standard
output. Messages, progress and errors go to standard error.

The exit code is 0 if all went well, 1 for an error in data, parameters or files, and 2 for wrong usage. It is 130 and
143 after SIGINT and SIGTERM ([all exit codes](batch.md#streams-exit-codes-and-signals)).
"""


def parameters_page() -> str:
    """The page on every parameter, by group."""
    sections = [PARAMETERS_INTRODUCTION]
    for group, title in GROUPS.items():
        rows = [
            f"| `{parameter.name}` | {kind(parameter)} | {_code(shown_default(parameter))} "
            f"| {' '.join(allowed(parameter))} | {_own(parameter.own)}{parameter.help} |"
            for parameter in declared().values()
            if parameter.group == group
        ]
        header = "| name | type | default | values | meaning |\n|---|---|---|---|---|"
        sections.append(
            f"## {title}\n\n" + "\n".join([header, *(row.replace("|w|", "\\|w\\|") for row in rows)]) + "\n"
        )
    rows = [f"| `{name}` | {', '.join(tests)} |" for name, tests in proofs().items()]
    return "\n".join([*sections, PROOFS_INTRODUCTION, *rows, ""])


def proofs() -> dict[str, list[str]]:
    """Links to the tests marked to prove each parameter."""
    found: dict[str, list[str]] = {name: [] for name in declared()}
    tests = Path(__file__).parent.parent / "tests"
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for name in _proved(node):
                    found[name].append(f"[{node.name}](../tests/{path.relative_to(tests).as_posix()})")
    return found


def _proved(test: ast.FunctionDef) -> Iterator[str]:
    """The parameters in a test's ``@pytest.mark.proves(...)``."""
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.proves":
            yield from (ast.literal_eval(argument) for argument in decorator.args)


def commands_page() -> str:
    """The page on every command: its help, as the terminal shows it."""
    parent = _context(main, "h2olite")
    pages = [f"## h2olite\n\n```text\n{main.get_help(parent)}\n```\n"]
    for name in COMMANDS:
        command = main.get_command(parent, name)
        assert command is not None
        pages.append(f"## h2olite {name}\n\n```text\n{command.get_help(_context(command, name, parent))}\n```\n")
    return "\n".join([COMMANDS_INTRODUCTION, *pages])


def h2o_py_page() -> str:
    """The page on the names of h2o-py."""
    spec = importlib.util.spec_from_file_location("h2o_py", Path(__file__).parent / "h2o_py.py")
    assert spec is not None
    assert spec.loader is not None
    names = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(names)
    return names.page()


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """A context in which the help has the usual width of a terminal."""
    return command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=80)


def _code(default: str) -> str:
    """The default in code style, unless it is a word of ours."""
    return default if default in ("not set", "on", "off") else f"`{default}`"


def _own(own: bool) -> str:
    return "Not in H2O. " if own else ""


PAGES = {"parameters.md": parameters_page, "cli.md": commands_page, "h2o-py.md": h2o_py_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (Path(__file__).parent / file).write_text(page(), encoding="utf-8")
    importlib.import_module("generate_r").write()
