"""What passes rows through a network."""

from __future__ import annotations

import abc
from types import TracebackType
from typing import Self

import numpy as np

from h2olite.data.encoding import EncodedRows
from h2olite.kernels.activations import MAXOUT
from h2olite.kernels.rows import Objective
from h2olite.network.network import Network


class Engine(abc.ABC):
    """Predicts by a network; the end of its ``with`` block ends what threads it has."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def check(self, objective: Objective, rows: EncodedRows) -> None:
        """Refuse an objective or rows that are not made for the network: kernels would leave their arrays.

        Raises
        ------
        ValueError : says what does not fit.
        """
        layout = self.network.layout
        n_layers = layout.widths.size
        channels = (layout.widths // layout.padded[1:]).tolist()
        n_activated = n_layers if objective.autoencoder else n_layers - 1
        wanted = 2 if objective.activation == MAXOUT else 1
        if set(channels[:n_activated]) - {wanted} or objective.dropout.size <= n_layers:
            raise ValueError("the network has not the layers that the objective is for")
        if rows.numbers.shape[1] > layout.sizes[0]:
            raise ValueError("the rows have more numbers than the network has inputs")

    @abc.abstractmethod
    def predict(self, objective: Objective, rows: EncodedRows, order: np.ndarray | None = None) -> np.ndarray:
        """Class probabilities, linear outputs or reconstructions of these rows: (n_rows, n_outputs).

        order : which rows, all if not given.
        """

    def reconstruction_errors(self, objective: Objective, rows: EncodedRows, order: np.ndarray) -> np.ndarray:
        """Outputs of an autoencoder less its inputs, (n_rows, n_inputs)."""
        errors = self.predict(objective, rows, order)
        errors[:, errors.shape[1] - rows.numbers.shape[1] :] -= rows.dense(order)
        for inputs in rows.levels[order].T:
            present = np.flatnonzero(inputs >= 0)
            errors[present, inputs[present]] -= 1
        return errors
