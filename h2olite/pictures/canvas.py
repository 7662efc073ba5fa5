"""Figures of matplotlib: made without its global state, with names as they are, written as a file or as text of SVG."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from h2olite.display import visible
from h2olite.errors import MissingExtraError, ParameterError
from h2olite.formats.archive import replacing

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

FORMATS = {".svg": "Creator", ".png": "Software", ".pdf": "Creator"}
"""The formats of pictures, by extension, and what they call the program that has drawn them."""

WIDTH = 7.0
"""Inches that a picture is wide."""


def refuse_without_matplotlib() -> None:
    """Raise a MissingExtraError unless there is matplotlib."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pictures need matplotlib: pip install 'h2olite[plot]'.") from error


def refuse_undrawable(target: str | os.PathLike[str]) -> None:
    """Raise now what `save` would raise later."""
    if Path(target).suffix.lower() not in FORMATS:
        raise ParameterError(f"a picture's extension must be one of {', '.join(FORMATS)}; got {os.fspath(target)!r}.")
    refuse_without_matplotlib()


def new_figure(height: float = 4.0, width: float = WIDTH) -> Figure:
    """An empty figure, of so many inches.

    Raises
    ------
    MissingExtraError : matplotlib is not installed.
    """
    refuse_without_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write_names(texts: Iterable[Text], names: Iterable[str]) -> None:
    """Put names into texts as they are: matplotlib would leave out some, typeset others, and draw hidden characters."""
    for text, name in zip(texts, names, strict=True):
        text.set_parse_math(False)
        text.set_text(visible(name))


def name_ticks(axis: Axis, names: Iterable[str]) -> None:
    """Put names at 0, 1, 2 and so on along an axis, as they are."""
    shown = [visible(name) for name in names]
    axis.set_ticks(range(len(shown)), shown)
    for label in axis.get_ticklabels():
        label.set_parse_math(False)


def save(figure: Figure, target: str | os.PathLike[str] | None) -> Figure:
    """Write the figure to a .svg, .png or .pdf file, if there is a target; gives the figure.

    Raises
    ------
    ParameterError : the extension is another one.
    """
    if target is not None:
        refuse_undrawable(target)
        extension = Path(target).suffix.lower()
        with replacing(Path(target)) as stream:
            figure.savefig(stream, format=extension[1:], metadata={FORMATS[extension]: "h2olite"}, dpi=150)
    return figure


def as_svg(figure: Figure, name: str) -> str:
    """The figure as an element of an HTML page, with text as text. Ids begin with the name, which is none of others."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
