"""`h2olite r-install`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from h2olite.errors import DataError, MissingExtraError

from .console import JSON, QUIET, Command, Console
from .streams import print_json

SOURCE = Path(__file__).parent / "r" / "h2olite"
"""The R package."""

NEEDED = ("jsonlite", "processx")
"""The R packages that it imports."""

USUAL_LIBRARY = 'p <- .libPaths()[1]; cat(if (file.access(p, 2) == 0) p else Sys.getenv("R_LIBS_USER"))'
"""R code that prints the folder to install into."""


@click.command(
    "r-install",
    cls=Command,
    params=[
        click.Option(
            ["--library"],
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="The folder to install into; R's first library if not given, or the user's if that is not writable.",
        ),
        click.Option(["--rscript"], default="Rscript", metavar="PROGRAM", help="The Rscript to use. Default: Rscript."),
        JSON,
        QUIET,
    ],
    examples=["h2olite r-install", "h2olite r-install --library ~/R/library"],
)
@click.pass_obj
def r_install(console: Console, library: Path | None, rscript: str, as_json: bool) -> None:
    """Install the R package h2olite, by R CMD INSTALL.

    It needs R 4.0 or newer with the packages jsonlite and processx, and uses this Python unless H2OLITE_PYTHON or PATH
    lead to another h2olite.
    """
    program = shutil.which(rscript)
    if program is None:
        raise FileNotFoundError(f"there is no program {rscript}; install R, or name its Rscript with --rscript.")
    missing = [name for name in NEEDED if not _asks(program, f'requireNamespace("{name}", quietly = TRUE)')]
    if missing:
        listed = ", ".join(f'"{name}"' for name in missing)
        raise MissingExtraError(
            f"the R package h2olite needs {' and '.join(missing)}: run install.packages(c({listed})) in R, or install "
            f"{' '.join(f'r-cran-{name}' for name in missing)} by apt."
        )
    folder = str(library) if library else _says(program, USUAL_LIBRARY)
    Path(folder).expanduser().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work, "h2olite")
        shutil.copytree(SOURCE, copy)
        (copy / "inst").mkdir(exist_ok=True)
        (copy / "inst" / "python").write_text(sys.executable + "\n")
        done = subprocess.run(
            [str(Path(program).with_name("R")), "CMD", "INSTALL", "--no-test-load", f"--library={folder}", str(copy)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = " ".join(done.stderr.split())[-500:].removesuffix(".")
        raise DataError(f"R CMD INSTALL failed: {said}.")
    console.say(f"Installed the R package h2olite into {folder}.", "installed", folder=folder)
    console.say("In R: library(h2olite); h2o.init()")
    if as_json:
        print_json({"library": folder, "python": sys.executable})


def _says(rscript: str, code: str) -> str:
    """What R prints when it runs some code."""
    done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _asks(rscript: str, condition: str) -> bool:
    """Whether a condition is true in R."""
    return _says(rscript, f"cat({condition})") == "TRUE"
