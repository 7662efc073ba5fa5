"""Text from tables and files, made harmless for terminals, logs and pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
"""What a terminal obeys instead of showing it, or shows as nothing: control characters, which begin escape sequences
and break lines; what changes the direction of writing; characters without width (but not the joiners of emoji and
Persian); and halves of pairs, which are no characters."""

BARS = "▁▂▃▄▅▆▇█"


def visible(text: str, *, in_lines: bool = False) -> str:
    """The text with every hidden character as its code, the way Python writes it; in_lines : line feeds stay."""
    return HIDDEN.sub(lambda found: found[0] if in_lines and found[0] == "\n" else _escape(found[0]), text)


def visible_values(value: Any) -> Any:
    """Nested lists and mappings with every text in them as `visible` gives it."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible_values(key): visible_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [visible_values(item) for item in value]
    return value


def visible_json(document: str) -> str:
    """A JSON text in one line that means the same and has no hidden characters."""
    return HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], document)


def bars(shares: Sequence[float]) -> str:
    """A bar of one character for each share; the largest is full."""
    largest = max(shares, default=0.0)
    if largest == 0:
        return ""
    heights = [min(int(share / largest * len(BARS)), len(BARS) - 1) for share in shares]
    return "".join(" " if share == 0 else BARS[height] for share, height in zip(shares, heights, strict=True))


def _escape(character: str) -> str:
    """A character by its code."""
    return character.encode("unicode_escape").decode("ascii")
