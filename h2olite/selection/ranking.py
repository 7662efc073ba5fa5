"""Ways to rank the columns of a table by how much a network needs them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from h2olite.data.table import Table
from h2olite.fitting.fit import fit
from h2olite.fitting.preparation import prepare
from h2olite.fitting.strongest import absolute
from h2olite.fitting.together import Watch
from h2olite.settings.parameters import Parameters

from .path import column_norms, read_strengths
from .screening import evidence
from .tracing import Itinerary, ended_by_epochs

STRENGTHS = {"input_group_l1": "0.01x:10x:12"}
"""Those of the path. It ends where no column is left."""

LEAST_SCREENED, ROWS_PER_SCREENED = 100, 20
"""The path takes so many columns at the least, or a column for so many rows: those of most evidence. With more columns
of noise, a network learns the rows by heart before it finds the columns that matter."""

OF_AUTOENCODER = {"activation": "Tanh", "hidden": [20], "epochs": 300.0, "input_group_l1": 0.2}
"""How the autoencoder is trained, with all rows in a mini-batch."""


def by_screening(parameters: Parameters, table: Table, columns: Sequence[str], watches: Sequence[Watch]) -> list[str]:
    """The columns by what they tell of the response, alone and in pairs, see `evidence`."""
    found = evidence(table, columns, str(parameters.y), parameters.seed)
    return sorted(columns, key=lambda name: -found[name])


def by_path(parameters: Parameters, table: Table, columns: Sequence[str], watches: Sequence[Watch]) -> list[str]:
    """The columns by how strong input_group_l1 must be for a network to do without them.

    Of columns that leave a network together, those with the larger norms of weights come first. Columns with little
    evidence are not in the network, and come last.
    """
    screened = by_screening(parameters, table, columns, watches)
    n_kept = max(LEAST_SCREENED, table.n_rows // ROWS_PER_SCREENED)
    parameters = ended_by_epochs(dataclasses.replace(parameters, x=screened[:n_kept]))
    strengths = absolute(read_strengths(STRENGTHS), prepare(parameters, table, None))
    itinerary = Itinerary(strengths, parameters)
    places = itinerary.places[: len(watches)]
    last: dict[str, tuple[float, float]] = {}
    for number, model in enumerate(itinerary.travel(places, table, watches), 1):
        norms = column_norms(model)
        last |= {name: (-number, -norm) for name, norm in norms.items() if norm > 0}
        if not any(norms.values()):
            break
    return sorted(screened, key=lambda name: last.get(name, (0.0, 0.0)))


def by_autoencoder(parameters: Parameters, table: Table, columns: Sequence[str], watches: Sequence[Watch]) -> list[str]:
    """The columns by the norms of their weights in an autoencoder, which does not know the response."""
    alone = dataclasses.replace(
        Parameters(), x=list(columns), autoencoder=True, mini_batch_size=table.n_rows, seed=parameters.seed
    )
    alone = dataclasses.replace(alone, nthreads=parameters.nthreads, **OF_AUTOENCODER)  # type: ignore[arg-type]
    norms = column_norms(fit(alone, table, None, watches[0], prune=False))
    return sorted(columns, key=lambda name: -norms.get(name, 0.0))


Rank = Callable[[Parameters, Table, Sequence[str], Sequence[Watch]], list[str]]

METHODS: dict[str, Rank] = {"path": by_path, "screening": by_screening, "autoencoder": by_autoencoder}
"""Each takes the parameters of the network, the rows, the columns to rank, and a watch for each of its trainings."""

N_TRAININGS = {"path": 12, "screening": 0, "autoencoder": 1}
"""How many trainings each method takes at the most."""
