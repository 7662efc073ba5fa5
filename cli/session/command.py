"""`h2olite session`."""

from __future__ import annotations

import click

from .. import console
from .protocol import main


@click.command(cls=console.Command, params=[], examples=["h2olite session"])
def session() -> None:
    """Hold frames and models for another program and do what it asks, by lines of JSON on the standard streams.

    The R package h2olite speaks to it (see `h2olite r-install`). A request is {"id": 1, "op": "version", "args": {}},
    its answer {"id": 1, "result": ...}. The session ends with its standard input.
    """
    main()
