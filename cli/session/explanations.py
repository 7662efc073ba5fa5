"""What models make of their predictors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from h2olite.kinds.attribution import DEEP_SHAP

from .columns import for_model
from .models import from_pandas
from .store import Store

if TYPE_CHECKING:
    from h2olite.model import Model


def partial_plot(
    store: Store,
    model: Model,
    frame: pa.Table,
    cols: Sequence[str] | str | None = None,
    nbins: int = 20,
    targets: Sequence[str] | str | None = None,
    include_na: bool = False,
    user_splits: Mapping[str, Any] | None = None,
    row_index: int | None = None,
) -> list[dict[str, Any]]:
    """Mean predictions along the values of predictors, a table each."""
    splits = {name: values if isinstance(values, list) else [values] for name, values in (user_splits or {}).items()}
    names = [cols] if isinstance(cols, str) else cols
    tables = model.partial_plot(
        for_model(frame),
        names,
        int(nbins),
        targets=[targets] if isinstance(targets, str) else targets,
        include_na=include_na,
        user_splits=splits or None,
        row_index=row_index,
    )
    return [
        {"column": table.columns[0], "value": table[table.columns[0]].tolist()}
        | {name: table[name].tolist() for name in table.columns[1:]}
        for table in tables
    ]


def permutation_importance(
    store: Store,
    model: Model,
    frame: pa.Table,
    metric: str = "AUTO",
    n_samples: int = 10_000,
    n_repeats: int = 1,
    features: Sequence[str] | str | None = None,
    seed: int = -1,
) -> dict[str, list[Any]]:
    """How much worse a metric gets when a predictor's values are dealt anew."""
    table: Any = model.permutation_importance(
        for_model(frame),
        metric,
        int(n_samples),
        int(n_repeats),
        [features] if isinstance(features, str) else features,
        int(seed),
        use_pandas=True,
    )
    return table.to_dict("list")


def contributions(
    store: Store,
    model: Model,
    frame: pa.Table,
    background: pa.Table | None = None,
    output_format: str = "compact",
    output_space: bool = False,
    output_per_reference: bool = False,
    method: str = DEEP_SHAP,
    n_permutations: int = 10,
    seed: int = -1,
) -> pa.Table:
    """What each column adds to each row's prediction."""
    return from_pandas(
        model.predict_contributions(
            for_model(frame),
            None if background is None else for_model(background),
            output_format=output_format,
            output_space=output_space,
            output_per_reference=output_per_reference,
            method=method,
            n_permutations=int(n_permutations),
            seed=int(seed),
        )
    )


OPERATIONS = {
    "partial_plot": partial_plot,
    "permutation_importance": permutation_importance,
    "contributions": contributions,
}
