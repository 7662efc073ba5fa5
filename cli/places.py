"""Files that commands read and write, and the one rule for all of them.

An output is never an input, by whatever name. It replaces nothing that h2olite has not written itself, unless --force
asks for it. A command declares its files as options of the types `Input` and `Output`; the rest is done here.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from h2olite.settings.parameters import MODELS, declared

MODEL_EXTENSION = ".h2olite"

Values = Mapping[str, Any]
"""A command's options by name."""


class Place(click.Path):
    """A path, which is not empty: Python would take the working directory for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse nothing, such as a shell's variable that is not set."""
        if value == "":
            self.fail("a path must not be empty.", param, ctx)
        return super().convert(value, param, ctx)


class Input(Place):
    """The path of something that is read.

    kind : ``"table"``, which may be a folder, a pattern, a URI or ``-``; ``"model"``, which may be a folder; or
        ``"file"``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(path_type=Path if kind == "file" else None)
        self.kind = kind


class Output(Place):
    """The path of something that is written.

    what : it holds, as messages say it, such as ``"model"``.
    is_own : whether a file holds just that, written by h2olite, given the command's options.
        None for a folder, of whose files that is decided where they are written.
    default : the path by the command's options where none is given.
    """

    def __init__(
        self,
        what: str,
        is_own: Callable[[Path, Values], bool] | None = None,
        *,
        default: Callable[[Values], Path] | None = None,
    ) -> None:
        super().__init__(path_type=Path)
        self.what, self.is_own, self.default = what, is_own, default

    @property
    def is_folder(self) -> bool:
        """Whether files go into it."""
        return self.is_own is None


class Written(NamedTuple):
    """An output of a command line."""

    path: Path
    type: Output


def writes_files(parameters: Iterable[click.Parameter]) -> bool:
    """Whether any of these options is an output that --force may be needed for."""
    return any(isinstance(parameter.type, Output) and not parameter.type.is_folder for parameter in parameters)


def settle_places(ctx: click.Context, *, force: bool) -> None:
    """Give outputs their defaults, and check them against one another, the inputs and the files that are there.

    Raises
    ------
    OSError : see `refuse_inputs` and `refuse_unwritable`; or a file is there that h2olite has not written.
    """
    places: list[Written] = []
    for parameter in ctx.command.params:
        if isinstance(parameter.type, Output):
            name = parameter.name or ""
            if ctx.params[name] is None and parameter.type.default is not None:
                ctx.params[name] = parameter.type.default(ctx.params)
            if ctx.params[name] is not None:
                places.append(Written(ctx.params[name], parameter.type))
    ctx.meta["places"] = places
    if len({os.path.realpath(place.path) for place in places}) < len(places):
        raise FileExistsError(f"{places[-1].path} is given for two outputs; name a file for each.")
    for path, output in places:
        if not output.is_folder:
            refuse_unwritable(path)
    refuse_inputs(ctx, _inputs(ctx))
    for path, output in places:
        if output.is_own is not None and not force and path.exists():
            if not stat.S_IMODE(path.stat().st_mode) & 0o222:
                raise PermissionError(f"{path} is write-protected; name another file, or pass --force to replace it.")
            if path.stat().st_size and not output.is_own(path, ctx.params):
                raise FileExistsError(
                    f"{path} holds no {output.what} that h2olite has written; name another file, or pass --force to "
                    "replace it."
                )


def refuse_inputs(ctx: click.Context, sources: Iterable[tuple[str, str]]) -> None:
    """Check that no output is one of these inputs, each a path and its kind; a shell may redirect standard output, too.

    Raises
    ------
    FileExistsError : one is.
    """
    for source, kind in sources:
        what = "a file" if kind == "file" else f"the {kind}"
        for path, output in ctx.meta["places"]:
            if _is_stream(sys.stdin, path) if source == "-" else _is_same(path, source):
                fault = f"is {what} that is read"
            elif _is_part(path, output, source, kind):
                fault = f"is, or would be, in {source}, {what} that is read"
            else:
                continue
            raise FileExistsError(f"{path} {fault}; name another {'folder' if output.is_folder else 'file'} to write.")
        if _is_stream(sys.stdout, source):
            raise FileExistsError(f"standard output goes to {source}, {what} that is read; write to another file.")


def parameter_inputs(values: Values) -> Iterator[tuple[str, str]]:
    """The paths among parameters, and the kind of each."""
    for name, value in values.items():
        if name in declared() and declared()[name].type is object:
            kind = "model" if name in MODELS else "table"
            items = value if isinstance(value, list) else [value]
            yield from ((item, kind) for item in items if item and isinstance(item, str))


def refuse_unwritable(target: Path) -> None:
    """Raise an OSError now if `target` could not be written later.

    Raises
    ------
    OSError
        The folder does not exist or is not writable, or `target` is there and no ordinary file: renaming would put
        a file in place of a device.
    """
    if target.exists() and not target.is_file():
        raise FileExistsError(f"{target} is a {'folder' if target.is_dir() else 'device'}; name a file to write.")
    folder = Path(os.path.realpath(target)).parent if target.is_symlink() else target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to write {target.name} into; make it first.")
    try:  # what may be written is known for sure only by writing, as in /proc and on other machines' disks
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = error.strerror or error
        raise PermissionError(f"the folder {folder} is not writable ({reason}); choose another.") from error


def _inputs(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """The inputs of a command line, and the kind of each."""
    for parameter in ctx.command.params:
        of = getattr(parameter.type, "item", parameter.type)  # that of a list
        if isinstance(of, Input):
            value = ctx.params[parameter.name or ""]
            for item in value if isinstance(value, list | tuple) else [value]:
                if item:  # an empty one of a list stands for no file
                    yield os.fspath(item), of.kind


def _is_part(path: Path, output: Output, source: str, kind: str) -> bool:
    """Whether an output is, or would be once it is written, one of the files that a folder or pattern stands for."""
    if kind == "model":
        if output.is_folder:
            return _is_same(path, os.path.dirname(os.path.abspath(source)))
        return path.suffix == MODEL_EXTENSION and _is_same(path.parent, source)
    if kind == "table" and not output.is_folder and source != "-" and not os.path.isfile(source):
        from h2olite.data.files import would_hold

        return would_hold(source, path)
    return False


def _is_stream(stream: Any, path: str | os.PathLike[str]) -> bool:
    """Whether a standard stream is a file of the disk, and that one."""
    try:
        status = os.fstat(stream.fileno())
        return stat.S_ISREG(status.st_mode) and os.path.samestat(status, os.stat(path))
    except (OSError, ValueError, AttributeError):  # no such file; a stream that is closed, or none
        return False


def _is_same(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two paths are the same file or folder, which is there."""
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False
