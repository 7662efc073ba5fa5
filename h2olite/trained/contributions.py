"""Contributions of columns to predictions, with the names and numbers that users get."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from h2olite.data.adaptation import Adaptation
from h2olite.data.roles import row_offsets
from h2olite.data.splits import draw_seed, random_stream
from h2olite.data.table import Table
from h2olite.errors import DataError, ParameterError
from h2olite.kinds.attribution import DEEP_SHAP, EXACT, METHODS, PERMUTATION
from h2olite.kinds.distributions import DISTRIBUTIONS
from h2olite.predicting.coalitions import ByCoalitions, Coalitions
from h2olite.predicting.contributions import DeepShap, Explainer
from h2olite.predicting.double_precision import softmax
from h2olite.settings.parameters import folded

from .network import TrainedNetwork
from .scoring import Scoring

BIAS = "BiasTerm"
"""The column of what background rows are predicted, named as in H2O."""

ROW, BACKGROUND_ROW = "RowIdx", "BackgroundRowIdx"
"""The columns that tell, of contributions by background row, which two rows they compare; named as in H2O."""


MOST_COLUMNS = {EXACT: 12, PERMUTATION: 1000}
"""Columns that a method is for: 12 have 4,096 sets, and a random order of 1,000 has 1,000 sets of 1,000 each."""


MOST_ORDERS = 20_000_000
"""Random orders at the most, times the square of the number of columns: their sets take 160 MB twice."""


class Style(NamedTuple):
    """What contributions are asked for.

    by_input : of every input of the network, not of every column of the table.
    per_reference : against every background row, not against their mean.
    of_response : on the scale of the prediction, not on that of the linear output.
    method : one of `h2olite.kinds.attribution.METHODS`, in any case.
    n_permutations : for `PERMUTATION`, how many random orders there are; each is gone through in both directions.
    seed : of the random orders; -1 draws one.
    """

    by_input: bool = False
    per_reference: bool = False
    of_response: bool = False
    method: str = DEEP_SHAP
    n_permutations: int = 10
    seed: int = -1


class Attribution:
    """Divides the predictions of a model among its columns.

    Parameters
    ----------
    model : what predicts.
    background : the rows that others are compared with; those that the model keeps if None.
    adaptation : notes what is missing in them.
    style : what is asked for.

    Raises
    ------
    ParameterError : there is no such method.
    DataError : the model is an autoencoder, there is no background row, there are too many columns for the method, or
        probabilities of more than two classes are to be divided: one may change by the outputs of the other classes
        alone.
    """

    def __init__(self, model: TrainedNetwork, background: Table | None, adaptation: Adaptation, style: Style) -> None:
        if not isinstance(model.scoring, Scoring):
            raise DataError(
                f"contributions need a model that predicts a response; {model.model_id} is an autoencoder; "
                "use anomaly with per_feature."
            )
        if style.of_response and len(model.classes or ()) > 2:
            raise DataError(
                f"contributions on the scale of probabilities are for two classes; {model.model_id} has "
                f"{len(model.classes or ())}; leave output_space (--of-response) out: the softmax of the sums is the "
                "probabilities."
            )
        background = model.background if background is None else background
        if background is None:
            raise DataError(
                f"{model.model_id} keeps no training rows to compare with; pass a background_frame (--background), "
                "such as the training table, or train with background_rows above 0."
            )
        if background.n_rows == 0:
            raise DataError(f"{background.name} must have a row or more to compare with; it has none.")
        self._model, self._style, encoder = model, style, model.encoder
        if style.by_input:
            names, groups = list(encoder.input_names), np.arange(encoder.n_inputs)
        else:
            names, groups = [", ".join(group) for group in encoder.column_groups], encoder.input_groups
        self._head, self._constants = _head(model.scoring)
        self._offset = model.parameters.offset_column
        self._names = [*names, *([self._offset] if self._offset else [])]
        rows = encoder.encode_rows(background, adaptation, model.dtype)
        self._explainer = _explainer(
            style,
            network=model.network,
            objective=model.objective,
            background=rows,
            groups=groups,
            n_groups=len(names),
            head=self._head,
        )
        self._base = self._explainer.base + self._constants
        offsets = row_offsets(background, self._offset)
        self._base_offsets = np.zeros(background.n_rows) if offsets is None else offsets
        self._base += self._base_offsets[:, None]

    @property
    def n_columns(self) -> int:
        """The number of columns of contributions."""
        return (len(self._names) + 1) * self._head.shape[1]

    def columns(self, table: Table, adaptation: Adaptation) -> dict[str, np.ndarray]:
        """The columns of `Model.predict_contributions` for a table."""
        encoded = self._model.encoder.encode_rows(table, adaptation, self._model.dtype)
        offsets = row_offsets(table, self._offset)
        found = []
        for block in self._explainer.blocks(encoded):
            values = block.values
            if offsets is not None:
                added = offsets[block.rows][:, None] - self._base_offsets
                added = np.broadcast_to(added[:, :, None, None], (*values.shape[:2], 1, values.shape[3]))
                values = np.concatenate([values, added], axis=2)
            base = np.broadcast_to(self._base, (len(values), *self._base.shape))
            if not self._style.per_reference:
                values, base = values.mean(axis=1, keepdims=True), base.mean(axis=1, keepdims=True)
            if self._style.of_response:
                values, base = self._on_response(values, base)
            found.append(np.concatenate([values, base[:, :, None]], axis=2))
        n_background = len(self._base) if self._style.per_reference else 1
        shape = (0, n_background, len(self._names) + 1, self._head.shape[1])
        return self._named(np.concatenate([np.empty(shape), *found]))

    def _on_response(self, values: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Contributions and bias scaled so that they add up to the prediction, as H2O's `output_space` does."""
        total = values.sum(axis=2)
        predicted_base = self._response(base)
        change = self._response(base + total) - predicted_base
        scale = np.divide(change, total, out=np.zeros_like(total), where=total != 0)
        return values * scale[:, :, None], predicted_base

    def _response(self, linear: np.ndarray) -> np.ndarray:
        """What combined linear outputs, (..., 1), predict: numbers, or probabilities of the second of two classes."""
        if self._model.classes is None:
            is_log = DISTRIBUTIONS[self._model.parameters.distribution].link == "log"
            return np.exp(linear) if is_log else linear
        both = np.concatenate([np.zeros_like(linear), linear], axis=-1)
        return softmax(both.reshape(-1, 2))[:, 1:].reshape(linear.shape)

    def _named(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """The columns: (n_rows, n_background or 1, n_names + 1, n_outputs) as one column for each name and output."""
        n_rows, n_background = values.shape[:2]
        columns = {}
        if self._style.per_reference:
            columns[ROW] = np.repeat(np.arange(n_rows), n_background)
            columns[BACKGROUND_ROW] = np.tile(np.arange(n_background), n_rows)
        classes = self._model.classes
        outputs = [""] if values.shape[3] == 1 or classes is None else [f".{level}" for level in classes]
        for k, suffix in enumerate(outputs):
            for j, name in enumerate([*self._names, BIAS]):
                columns[name + suffix] = values[:, :, j, k].ravel()
        return columns


def _explainer(style: Style, **given: Any) -> Explainer:
    """What divides outputs by the method that is asked for."""
    method = next((method for method in METHODS if folded(method) == folded(str(style.method))), None)
    if method is None:
        raise ParameterError(f"method must be one of {', '.join(METHODS)}; got {style.method!r}.")
    if method == DEEP_SHAP:
        return DeepShap(**given)
    n_groups, most = given["n_groups"], MOST_COLUMNS[method]
    if n_groups > most:
        raise DataError(f"method {method} is for at most {most} columns or inputs; got {n_groups}; use DeepSHAP.")
    if method == EXACT:
        return ByCoalitions(Coalitions.all_of(n_groups), **given)
    n_orders = style.n_permutations
    if not isinstance(n_orders, int) or not 1 <= n_orders <= MOST_ORDERS // n_groups**2:
        raise ParameterError(
            f"n_permutations must be a whole number from 1 to {MOST_ORDERS // n_groups**2} with {n_groups} columns or "
            f"inputs; got {n_orders}."
        )
    random = random_stream(draw_seed(style.seed), "contributions")
    return ByCoalitions(Coalitions.of_orders(n_groups, n_orders, random), **given)


def _head(scoring: Scoring) -> tuple[np.ndarray, np.ndarray]:
    """How to combine linear outputs to those that are divided, and what to add to each.

    A number: the linear output in units of the response, or of its logarithm. Two classes: the logarithm of the odds
    of the second one. More classes: every linear output less their mean, whose softmax are the probabilities.
    """
    levels = scoring.response.levels
    if levels is None:
        return np.array([[1.0 / scoring.response.multiplier]]), np.array([scoring.response.subtrahend])
    n = len(levels)
    head = np.array([[-1.0], [1.0]]) if n == 2 else np.eye(n) - 1.0 / n
    correction = np.zeros(n) if scoring.shares is None else np.log(scoring.shares.correction)
    return head, correction @ head
