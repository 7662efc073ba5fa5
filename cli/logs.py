"""Messages as lines of a log: each with its time, as text or as one JSON object."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from typing import Any

from h2olite.display import visible, visible_json

LOG_FORMATS = ("text", "json")


def log_line(log_format: str, level: str, event: str, message: str, fields: Mapping[str, Any]) -> str:
    """One line of a log.

    Parameters
    ----------
    log_format : one of `LOG_FORMATS`; the fields are for JSON alone.
    level : ``"info"``, ``"warning"`` or ``"error"``.
    event : what kind of message it is.
    message : for people; as text it is in one line, whatever it holds.
    fields : what the message says, for programs.
    """
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if log_format == "json":
        return json_text({"time": time, "level": level, "event": event, "message": message, **fields})
    return f"{time} {level.upper()} {visible(message)}"


def json_text(value: Mapping[str, Any]) -> str:
    """A JSON object; numbers that JSON does not have become null."""
    return visible_json(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    """The value without NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
