"""Run the examples of the README and of the pages here, and write what they print below them.

``python docs/examples.py`` needs h2olite and rewrites the pages. Examples are the blocks marked ``console``, in which
what follows ``$`` is run by a shell, and ``pycon``, in which ``>>>`` is run by Python. A block marked by a language and
a name, as in ``sh nightly.sh``, is written to a file of that name. Each page has a folder of its own with a copy of
datasets/, in which its examples run one after the other.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{page}.md"
        for page in (
            "quickstart",
            "tables",
            "python",
            "selection",
            "autoencoders",
            "explaining",
            "regularisation",
            "continuing",
            "serving",
            "batch",
            "interchange",
        )
    ),
]

BLOCK = re.compile(r"(?<=^```)(console|pycon|\w+ [\w.]+)\n(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*\n)", re.MULTILINE)
PROMPT, CONTINUED = ">>> ", "... "


def with_fresh_outputs(page: str) -> str:
    """The page with every example run, and its output as it is now."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(ROOT / "datasets", "datasets")
        program = Path("bin", "h2olite")  # the h2olite that this Python would import, wherever that is
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m h2olite_cli "$@"\n')
        program.chmod(0o755)
        names: dict[str, Any] = {}
        run: dict[str, Callable[[str], str]] = {"console": run_console, "pycon": lambda block: run_python(block, names)}

        def fresh(block: re.Match[str]) -> str:
            kind, text = block.groups()
            return f"{kind}\n{run[kind](text) if kind in run else keep_file(kind.split()[1], text)}"

        return BLOCK.sub(fresh, page)


def keep_file(name: str, text: str) -> str:
    """The text itself, which is now in a file of that name; a script can be run."""
    path = Path(name)
    path.write_text(text)
    path.chmod(0o755 if text.startswith("#!") else 0o644)
    return text


def run_console(block: str) -> str:
    """The commands of a block, each with what it prints, messages last."""
    path = f"{Path('bin').absolute()}{os.pathsep}{os.environ['PATH']}"
    texts = []
    for command in COMMAND.findall(block):
        done = subprocess.run(
            ["bash", "-c", command],
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        texts += [f"$ {command}", done.stdout, done.stderr]
    return "".join(texts)


def run_python(block: str, names: dict[str, Any]) -> str:
    """The statements of a block, each with what it prints."""
    texts = []
    for example in doctest.DocTestParser().get_examples(block):
        first, *others = example.source.splitlines(keepends=True)
        texts += [PROMPT + first, *(CONTINUED + line for line in others)]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(example.source, "<example>", "single"), names)
        texts.append(printed.getvalue())
    return "".join(texts)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_fresh_outputs(page.read_text("utf-8")), "utf-8")
