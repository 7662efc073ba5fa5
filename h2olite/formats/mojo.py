"""Models as MOJOs, the zip files of text that H2O predicts from.

``model.ini`` holds settings, weights and the names of the columns, ``domains/d<n>.txt`` the levels of one of them. A
number x is put in as (x - norm_sub) * norm_mul, a missing one as 0, and each level and missing by an input of its own.
"""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

import h2olite
from h2olite.data.encoding import RowEncoder
from h2olite.errors import ArtifactError
from h2olite.trained.network import TrainedNetwork
from h2olite.trained.scoring import lowered
from h2olite.trained.tabulation import TabulatedColumn, tabulate

from .archive import SAMPLE, member_info, replacing

VERSION = "1.10"
"""The newest version of the format."""

INFO, COLUMNS, DOMAINS = HEADERS = ("[info]", "[columns]", "[domains]")
"""What the sections of ``model.ini`` begin with."""

BLANKS = "".join(map(chr, range(33)))
"""What readers strip off the ends of a line."""

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
"""How levels are written, one a line."""


class Inputs(NamedTuple):
    """The first layer with an input for every level of a column: the categorical columns' first, then the numeric ones.

    Attributes
    ----------
    levels : of the categorical columns.
    numeric : names of the numeric columns.
    center, multiplier : float64 (n_numeric,); a number x is put in as (x - center) * multiplier.
    weights : float32 (n_inputs, n_channels, n_units)
    biases : float64 (n_channels, n_units)
    """

    levels: dict[str, tuple[str, ...]]
    numeric: tuple[str, ...]
    center: np.ndarray
    multiplier: np.ndarray
    weights: np.ndarray
    biases: np.ndarray


def download_mojo(model: TrainedNetwork, path: str | os.PathLike[str]) -> str:
    """Write the model as a MOJO, for ``h2o.import_mojo``, and give its path.

    The MOJO has an input for every level, whatever categorical_encoding and use_all_factor_levels were; what it
    predicts is the same.

    Warns
    -----
    UserWarning : the MOJO has no place for something that the model's own predictions take into account.

    Raises
    ------
    ArtifactError : a MOJO cannot hold the model.
    DataError : the file cannot be written.
    """
    _refuse_what_has_no_place(model)
    inputs = _inputs_by_level(model)
    columns = [*inputs.levels, *inputs.numeric]
    domains = dict(enumerate(inputs.levels.values()))
    if model.response is not None:
        columns.append(model.response.name)
        if model.response.levels is not None:
            domains[len(columns) - 1] = model.response.levels
    _refuse_names(columns)
    members = {f"d{number:03}.txt": levels for number, levels in enumerate(domains.values())}
    ini = [
        INFO,
        *(f"{key} = {_text(value)}" for key, value in _info(model, inputs, len(columns), len(domains)).items()),
        *("", COLUMNS, *columns, "", DOMAINS),
        *(f"{i}: {len(domains[i])} {name}" for i, name in zip(domains, members, strict=True)),
    ]
    escapes = str.maketrans(ESCAPES)
    with replacing(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        _write(archive, "model.ini", ini)
        for name, levels in members.items():
            _write(archive, f"domains/{name}", (level.translate(escapes) for level in levels))
    for sentence in _differences(model):
        warnings.warn(sentence, stacklevel=2)
    return os.fspath(path)


def _refuse_what_has_no_place(model: TrainedNetwork) -> None:
    """Raise an ArtifactError for inputs that a MOJO cannot have."""
    encoder = model.encoder
    if encoder.n_slots is not None:
        raise ArtifactError(
            f"a MOJO cannot hold inputs that levels are hashed to, of which {model.model_id} has {encoder.n_slots}; "
            "train without max_categorical_features."
        )
    if encoder.curves is not None:
        raise ArtifactError(
            f"a MOJO cannot hold numbers that are encoded by numeric_encoding {encoder.curves.kind}, as it only shifts "
            "and scales them; train with numeric_encoding Standardize, or export to ONNX."
        )
    if model.response is None and encoder.recoding.replacements:
        raise ArtifactError(
            f"a MOJO cannot hold an autoencoder of recoded columns such as {next(iter(encoder.recoding.sources))!r}; "
            "train with categorical_encoding AUTO."
        )
    if not encoder.schema:
        raise ArtifactError(
            f"a MOJO must have a predictor; {model.model_id} makes use of none; train with weaker penalties."
        )


def _refuse_names(columns: Iterable[str]) -> None:
    """Raise an ArtifactError for a name that a line of its own cannot hold."""
    for name in columns:
        if not name.strip(BLANKS) or name != name.strip(BLANKS) or set("\n\r") & set(name):
            fault = "be empty, begin or end with a blank, or hold a line break"
        elif name.startswith("#") or name in HEADERS:
            fault = "begin with '#' or be the header of a section"
        else:
            continue
        raise ArtifactError(f"the name of a column in a MOJO must not {fault}; got {name!r}; train under another name.")


def _differences(model: TrainedNetwork) -> Iterator[str]:
    """One sentence for each thing that H2O does otherwise with the MOJO."""
    encoder, offset = model.encoder, model.parameters.offset_column
    if offset is not None:
        yield f"a MOJO has no offsets; this one predicts what {model.model_id} predicts where {offset!r} is 0."
    if encoder.recoding.with_unseen:
        yield f"the MOJO takes levels that training did not have as missing; {model.model_id} numbers them."
    if model.response is None and encoder.categorical:
        yield "H2O cannot predict from a MOJO of an autoencoder with categorical columns; h2olite imports and uses it."
    if model.response is None and (encoder.imputed != encoder.subtrahend).any():
        yield (
            "the MOJO of an autoencoder that does not centre numbers takes a missing one as 0; "
            f"{model.model_id} takes it as the mean of training."
        )


def _inputs_by_level(model: TrainedNetwork) -> Inputs:
    """The first layer of the model's network, with weights for levels in the place of weights for what they become.

    Numbers are centred at what a missing one becomes, since a MOJO puts it in as 0, and the biases make up for it. But
    those of an autoencoder stay as they are: its outputs are scaled like its inputs.
    """
    encoder, network = model.encoder, model.network
    weights, biases = network.weights(0).astype(np.float64), network.double_biases(0)
    columns = tabulate(encoder)
    kept = np.array([i for i, name in enumerate(encoder.numeric) if name not in encoder.recoding.sources], np.int64)
    of_numbers = weights[encoder.n_categorical_inputs + kept]
    subtrahend, multiplier = encoder.subtrahend[kept], encoder.multiplier[kept]
    center = subtrahend if model.response is None else encoder.imputed[kept]
    return Inputs(
        {column.name: column.levels for column in columns},
        tuple(encoder.numeric[i] for i in kept),
        center,
        multiplier,
        np.concatenate([*(_by_level(column, encoder, weights) for column in columns), of_numbers]).astype(np.float32),
        biases + np.tensordot((center - subtrahend) * multiplier, of_numbers, 1),
    )


def _by_level(column: TabulatedColumn, encoder: RowEncoder, weights: np.ndarray) -> np.ndarray:
    """What each level of a column, and last missing, adds to the first layer: (n_levels + 1, n_channels, n_units)."""
    n_categorical = len(encoder.categorical)
    if column.places[0] < n_categorical:
        active = column.encoded[:, 0].astype(np.int64)
        return np.where(active[:, np.newaxis, np.newaxis] < 0, 0.0, weights[active])
    inputs = np.array(column.places) - n_categorical + encoder.n_categorical_inputs
    return np.tensordot(column.encoded, weights[inputs], 1)


def _info(model: TrainedNetwork, inputs: Inputs, n_columns: int, n_domains: int) -> dict[str, Any]:
    """The settings and weights, by the format's names for them."""
    parameters, network, response, shares = model.parameters, model.network, model.response, model.shares
    sizes = [len(inputs.weights), *network.layout.sizes[1:].tolist()]
    standardized = response is not None and (response.subtrahend, response.multiplier) != (0.0, 1.0)
    threshold = model.default_threshold()
    layers = [(inputs.weights, inputs.biases)]
    layers += [(network.weights(layer), network.double_biases(layer)) for layer in range(1, network.n_layers)]
    return {
        "mojo_version": VERSION,
        "h2olite_version": h2olite.__version__,
        "algo": "deeplearning",
        "algorithm": "Deep Learning",
        "category": model.category,
        "supervised": response is not None,
        "n_features": len(inputs.levels) + len(inputs.numeric),
        "n_classes": 1 if response is None else max(response.n_classes, 1),
        "n_columns": n_columns,
        "n_domains": n_domains,
        "balance_classes": shares is not None,
        "default_threshold": lowered(threshold, model.dtype) if model.category == "Binomial" else threshold,
        "prior_class_distrib": shares and shares.prior,
        "model_class_distrib": shares and shares.trained,
        "escape_domain_values": True,
        "mini_batch_size": 1,
        "nums": len(inputs.numeric),
        "cats": len(inputs.levels),
        "cat_offsets": np.cumsum([0, *(len(levels) + 1 for levels in inputs.levels.values())]),
        "norm_mul": inputs.multiplier if inputs.numeric else None,
        "norm_sub": inputs.center if inputs.numeric else None,
        "norm_resp_mul": [response.multiplier] if response and standardized else None,
        "norm_resp_sub": [response.subtrahend] if response and standardized else None,
        "use_all_factor_levels": True,
        "activation": parameters.activation,
        "distribution": parameters.distribution,
        "mean_imputation": parameters.missing_values_handling == "MeanImputation",
        "neural_network_sizes": sizes,
        **{f"weight_layer{i}": weights.transpose(2, 0, 1) for i, (weights, _) in enumerate(layers)},
        **{f"bias_layer{i}": biases.T for i, (_, biases) in enumerate(layers)},
        "hidden_dropout_ratios": [*(parameters.hidden_dropout_ratios or [0.0] * (len(layers) - 1)), 0.0],
        "_genmodel_encoding": "AUTO",
    }


def _text(value: Any) -> str:
    """A value as readers expect it; they take a number for real by its point or exponent."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist() if value.dtype != np.float32 else value.ravel()
    return f"[{', '.join(map(str, value))}]" if not isinstance(value, str | float | int) else str(value)


def _write(archive: zipfile.ZipFile, name: str, lines: Iterable[str]) -> None:
    """Write a member of lines."""
    text = "".join(f"{line}\n" for line in lines).encode()
    archive.writestr(member_info(name, text[:SAMPLE], True), text)
