"""Models from MOJOs, whoever made them (see `h2olite.formats.mojo` for what is in one)."""

from __future__ import annotations

import io
import json
import os
import re
import typing
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from h2olite.data.encoding import RowEncoder
from h2olite.data.recoding import MOST_LEVELS, OTHER, Recoding, Replacement, binary_digits
from h2olite.data.response import ResponseEncoder
from h2olite.data.table import Column
from h2olite.errors import ArtifactError
from h2olite.kinds.activations import ActivationChoice
from h2olite.kinds.distributions import OF_NUMBERS, DistributionChoice
from h2olite.network.network import Network
from h2olite.settings.parameters import CategoricalEncoding, Parameters
from h2olite.settings.validation import resolve
from h2olite.trained.importance import gedeon_importance
from h2olite.trained.network import TrainedNetwork
from h2olite.trained.parts import check_response
from h2olite.trained.record import TrainingRecord
from h2olite.trained.scoring import ClassShares, lowered
from h2olite.training.task import layout_of

from .archive import opened, read_document
from .artifact import is_artifact
from .mojo import BLANKS, COLUMNS, DOMAINS, ESCAPES, HEADERS, INFO, VERSION
from .soundness import check_encoder, check_numbers

Trained = typing.TypeVar("Trained", bound=TrainedNetwork)

CATEGORIES = {"Binomial": "bernoulli", "Multinomial": "multinomial", "Regression": None, "AutoEncoder": None}
"""The distribution of each category of models; None where the MOJO says which."""

ENCODINGS: dict[str, CategoricalEncoding] = {
    "AUTO": "AUTO",
    "OneHotInternal": "AUTO",
    "Binary": "Binary",
    "Eigen": "Eigen",
    "LabelEncoder": "LabelEncoder",
    "null": "EnumLimited",
}
"""The categorical_encoding by its name in a MOJO, which leaves out those that leave one input per level."""

FIRST_WITH_ENCODINGS = 1.1
"""Version of the format that says which."""

DETAILS = "experimental/modelDetails.json"

FREE_LINES = 100_000
"""Lines that a member may have however small it is packed; no member has more beyond them than bytes in the file."""

INTEGER = re.compile(r"-?\d{1,18}")

UNESCAPED = {escape: character for character, escape in ESCAPES.items()}
ESCAPE = re.compile(r"\\[\\nr]")


def read_mojo(path: str | os.PathLike[str], kind: type[Trained]) -> Trained:
    """Read a model from a MOJO of H2O's deep learning; nothing in the file is executed.

    The model predicts as H2O does, and may be the checkpoint or the pretrained autoencoder of a training. What a MOJO
    does not hold is absent: scoring history, metrics, and the parameters that only mattered in training.

    Raises
    ------
    ArtifactError : the file is no MOJO, damaged, of another algorithm or of a newer version.
    """
    with opened(path, "MOJO", "H2O") as archive:
        if is_artifact(path):
            raise ArtifactError(f"{path} must be a MOJO of H2O; got a model file of h2olite, which needs no import.")
        if "model.ini" not in archive.namelist():
            raise ArtifactError(f"{path} must be a MOJO of H2O; got another kind of zip file.")
        mojo = _Mojo.read(archive)
        algorithm = mojo.info.get("algo")
        if algorithm != "deeplearning":
            raise ArtifactError(f"{path} must be a MOJO of deeplearning; got one of {algorithm}.")
        version = mojo.info["mojo_version"]
        if float(version) > float(VERSION):
            raise ArtifactError(f"MOJO {path} must be of version {VERSION} or older; got {version}.")
        return _model(mojo, _Details.read(archive), Path(path).stem, kind)


class _Mojo(NamedTuple):
    """A MOJO that has been opened: its settings, the names of its columns, and where their levels are."""

    archive: zipfile.ZipFile
    info: dict[str, str]
    columns: list[str]
    domains: dict[int, tuple[int, str]]

    @classmethod
    def read(cls, archive: zipfile.ZipFile) -> _Mojo:
        """Read ``model.ini``."""
        sections: dict[str, list[str]] = {header: [] for header in HEADERS}
        lines: list[str] = []
        for line in _lines(archive, "model.ini"):
            text = line.strip(BLANKS)
            if text in sections:
                lines = sections[text]
            elif text and not text.startswith("#"):
                lines.append(text)
        info = dict(_divided(line, "=") for line in sections[INFO])
        domains = {}
        for line in sections[DOMAINS]:
            column, domain = _divided(line, ":")
            count, file = _divided(domain, " ")
            domains[_integer(column)] = _integer(count), f"domains/{file}"
        columns = sections[COLUMNS]
        repeated = len(info) < len(sections[INFO]) or len(set(columns)) < len(columns)
        if repeated or len(domains) < len(sections[DOMAINS]):
            raise ValueError("model.ini says something twice")
        return cls(archive, info, columns, domains)

    def optional(self, key: str) -> str | None:
        """A setting, None if it is absent or null."""
        value = self.info.get(key)
        return None if value == "null" else value

    def integer(self, key: str) -> int:
        """A setting that is a whole number."""
        return _integer(self.info[key])

    def flag(self, key: str, default: str | None = None) -> bool:
        """A setting that is true or false."""
        return {"true": True, "false": False}[self.info[key] if default is None else self.info.get(key, default)]

    def numbers(self, key: str, count: int | None = None) -> np.ndarray:
        """A setting that is a list of so many finite numbers, float64; absent or null is the empty list."""
        text = (self.optional(key) or "[]").removeprefix("[").removesuffix("]").strip()
        values = np.fromstring(text, sep=",")
        if count is not None and values.size != count:
            raise ValueError(f"{key} has {values.size} entries instead of {count}")
        if not np.isfinite(values).all():
            raise ValueError(f"{key} has entries that are not finite")
        return values

    def integers(self, key: str, most: int) -> list[int]:
        """A setting that is a list of at most so many whole numbers."""
        texts = self.info[key].strip("[]").split(",", most)
        if len(texts) > most:
            raise ValueError(f"{key} has more than {most} entries")
        return [_integer(text.strip()) for text in texts]

    def strings(self, member: str, count: int) -> tuple[str, ...]:
        """The lines of a member, which must be so many and all different."""
        escaped = self.flag("escape_domain_values", "false")
        found: dict[str, None] = {}
        for number, line in enumerate(_lines(self.archive, member)):
            found[ESCAPE.sub(lambda escape: UNESCAPED[escape[0]], line) if escaped else line] = None
            if len(found) <= number:
                raise ValueError(f"{member} has a line twice")
        if len(found) != count:
            raise ValueError(f"{member} has {len(found)} lines instead of {count}")
        return tuple(found)

    def levels(self, column: int) -> tuple[str, ...]:
        """The levels of a categorical column."""
        count, member = self.domains[column]
        return self.strings(member, count)


class _Details(NamedTuple):
    """What H2O tells of a model for people to read, in a member that a MOJO may lack.

    model_id : the model's name.
    times : names of the columns that are times.
    unused : names of the inputs without importance: no row trained on had them.
    """

    model_id: str | None = None
    times: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()

    @classmethod
    def read(cls, archive: zipfile.ZipFile) -> _Details:
        """Read ``experimental/modelDetails.json``."""
        if DETAILS not in archive.namelist():
            return cls()
        details = json.loads(read_document(archive, DETAILS))
        output = details["output"]
        kinds = zip(output["names"], output["column_types"], strict=True)
        importances = output["variable_importances"]
        names, shares, *_ = importances["data"] if importances else ((), ())
        return cls(
            str(details["model_id"]["name"]),
            frozenset(name for name, kind in kinds if kind == "Time"),
            frozenset(name for name, share in zip(names, shares, strict=True) if share == 0),
        )


def _model(mojo: _Mojo, details: _Details, name: str, kind: type[Trained]) -> Trained:
    """The model that a MOJO of this name holds."""
    category = mojo.info["category"]
    is_autoencoder = category == "AutoEncoder"
    distribution = CATEGORIES[category] or mojo.info["distribution"]
    if distribution not in (*CATEGORIES.values(), *OF_NUMBERS):
        raise ValueError(f"its distribution {distribution} is unknown")
    activation = mojo.info["activation"]
    if activation not in typing.get_args(ActivationChoice):
        raise ValueError(f"its activation {activation} is unknown")
    encoder = _encoder(mojo, details.times)
    roles = mojo.columns[len(encoder.predictors) : len(mojo.columns) - (not is_autoencoder)]
    offset, fold = mojo.optional("offset_column"), mojo.optional("fold_column")
    weights = next((name for name in roles if name not in (offset, fold)), None)
    response = None if is_autoencoder else _response(mojo, category, has_offset=offset is not None)
    sizes = mojo.integers("neural_network_sizes", len(mojo.info))  # every layer has settings of its own
    *ratios, _ = mojo.numbers("hidden_dropout_ratios", len(sizes) - 1).tolist()
    if not all(0 <= ratio < 1 for ratio in ratios):
        raise ValueError("a dropout ratio is not from 0 to 1")
    balanced = mojo.flag("balance_classes")
    parameters = resolve(
        Parameters(
            y=None if response is None else response.name,
            weights_column=weights,
            offset_column=offset,
            activation=typing.cast(ActivationChoice, activation),
            hidden=sizes[1:-1],
            hidden_dropout_ratios=ratios if activation.endswith("WithDropout") else None,
            distribution=typing.cast(DistributionChoice, distribution),
            autoencoder=is_autoencoder,
            standardize=mojo.optional("norm_mul") is not None,
            use_all_factor_levels=encoder.use_all_factor_levels,
            categorical_encoding=_encoding(mojo),
            missing_values_handling="MeanImputation" if mojo.flag("mean_imputation", "true") else "Skip",
            balance_classes=balanced,
        ),
        None if response is None or response.levels is None else response.n_classes,
    )
    check_response(response, parameters)
    network = _network(mojo, encoder, response, parameters, sizes)
    unused = np.flatnonzero([name in details.unused for name in encoder.input_names])
    shares = None
    if balanced:
        keys = ("prior_class_distrib", "model_class_distrib")
        shares = ClassShares(*(tuple(mojo.numbers(key, sizes[-1]).tolist()) for key in keys))
    return kind(
        model_id=details.model_id or name,
        parameters=parameters,
        encoder=encoder,
        response=response,
        network=network,
        training_metrics=None,
        validation_metrics=None,
        history=[],
        importances=gedeon_importance(network, unused),
        record=TrainingRecord.imported(_maker(mojo)),
        shares=shares,
        threshold=lowered(float(mojo.numbers("default_threshold", 1)[0]), np.float64)
        if category == "Binomial"
        else None,
    )


def _encoder(mojo: _Mojo, times: frozenset[str]) -> RowEncoder:
    """The encoder of the predictors."""
    n_categorical, n_numeric = mojo.integer("cats"), mojo.integer("nums")
    predictors = tuple(mojo.columns[: n_categorical + n_numeric])
    if min(n_categorical, n_numeric) < 0 or not predictors or len(predictors) != n_categorical + n_numeric:
        raise ValueError(f"it lacks columns for {n_categorical} factors and {n_numeric} numbers")
    standardized = mojo.optional("norm_mul") is not None
    subtrahend = mojo.numbers("norm_sub", n_numeric) if standardized else np.zeros(n_numeric)
    encoder = RowEncoder(
        predictors=predictors,
        levels=tuple(mojo.levels(column) for column in range(n_categorical)),
        use_all_factor_levels=mojo.flag("use_all_factor_levels"),
        subtrahend=subtrahend,
        multiplier=mojo.numbers("norm_mul", n_numeric) if standardized else np.ones(n_numeric),
        imputed=subtrahend,
        missing_seen=np.ones(n_categorical, np.bool_),
        times=tuple(name for name in predictors[n_categorical:] if name in times),
        recoding=_recoding(mojo, predictors),
    )
    if encoder.cat_offsets.tolist() != mojo.integers("cat_offsets", n_categorical + 1):
        raise ValueError("its cat_offsets are not those of its levels")
    check_encoder(encoder)
    return encoder


def _recoding(mojo: _Mojo, predictors: tuple[str, ...]) -> Recoding:
    """What became of categorical columns before they were encoded."""
    if _encoding(mojo) == "AUTO":
        return Recoding()
    names = mojo.strings("_orig_names", mojo.integer("_n_orig_names"))
    places = {name: place for place, name in enumerate(predictors)}
    projections = mojo.numbers("_orig_projection_array")
    replacements = {}
    start = 0
    for i, name in enumerate(names):
        count = mojo.integer(f"_m_orig_domain_values_{i}")
        if not count:
            continue
        levels = mojo.strings(f"_orig_domain_values_{i}", count)
        replacement = _replacement(mojo, name, levels, places, projections[start : start + count])
        start += count
        if replacement is not None:
            replacements[name] = replacement
    return Recoding(replacements)


def _replacement(
    mojo: _Mojo, name: str, levels: tuple[str, ...], places: dict[str, int], projection: np.ndarray
) -> Replacement | None:
    """What takes the place of a categorical column; None for nothing, or for the numbers that its levels spell.

    Where levels are numbered, H2O gives a level that training did not have the next number.

    places : of the predictors, by name.
    """
    columns: dict[str, Column] = {}
    match _encoding(mojo):
        case "Binary":
            numbers = np.append(np.arange(1, len(levels) + 2), 0)
            columns = binary_digits(name, len(levels), numbers)
        case "LabelEncoder" if not INTEGER.fullmatch(levels[0]):
            columns = {name: Column(np.append(np.arange(len(levels) + 1.0), np.nan))}
        case "Eigen":
            columns = {f"{name}.Eigen": Column(np.append(projection, np.nan))}
        case "EnumLimited":
            new = f"{name}.top_{MOST_LEVELS}_levels"
            if new in places:
                kept = mojo.levels(places[new])
                code = {level: code for code, level in enumerate(kept)}
                codes = [*(code.get(level, code.get(OTHER, -1)) for level in levels), -1]
                columns[new] = Column(np.array(codes, np.int32), kept)
    columns = {new: column for new, column in columns.items() if new in places}
    if not columns:
        return None
    with_unseen = len(next(iter(columns.values())).values) == len(levels) + 2
    return Replacement(levels, columns, with_unseen)


def _encoding(mojo: _Mojo) -> CategoricalEncoding:
    """What became of categorical columns; EnumLimited has no name in a MOJO, and before version 1.10 nothing has."""
    if float(mojo.info["mojo_version"]) < FIRST_WITH_ENCODINGS:
        return "AUTO"
    return ENCODINGS[mojo.info["_genmodel_encoding"]]


def _response(mojo: _Mojo, category: str, *, has_offset: bool) -> ResponseEncoder:
    """The encoder of the response.

    With offsets H2O takes the training mean to be part of them: what it predicts is f / norm_resp_mul + offset.
    """
    last = len(mojo.columns) - 1
    name = mojo.columns[last]
    if category != "Regression":
        return ResponseEncoder(name, mojo.levels(last))
    if mojo.optional("norm_resp_mul") is None:
        return ResponseEncoder(name)
    (multiplier,), (subtrahend,) = mojo.numbers("norm_resp_mul", 1), mojo.numbers("norm_resp_sub", 1)
    return ResponseEncoder(name, None, 0.0 if has_offset else float(subtrahend), float(multiplier))


def _network(
    mojo: _Mojo, encoder: RowEncoder, response: ResponseEncoder | None, parameters: Parameters, sizes: list[int]
) -> Network:
    """The network, whose weights a MOJO lists by unit, input and channel."""
    layout = layout_of(encoder, response, parameters)
    if layout.sizes.tolist() != sizes:
        raise ValueError(f"its layers have {sizes} units instead of {layout.sizes.tolist()}")
    channels = layout.widths // layout.padded[1:]
    arrays = {}
    for layer, n_channels in enumerate(channels.tolist()):
        below, above = sizes[layer : layer + 2]
        weights = mojo.numbers(f"weight_layer{layer}", above * below * n_channels)
        biases = mojo.numbers(f"bias_layer{layer}", above * n_channels)
        arrays[layer] = (
            weights.reshape(above, below, n_channels).transpose(1, 2, 0),
            biases.reshape(above, n_channels).T,
        )
    network = Network.zeros(layout, averaged=False)
    for layer, (weights, biases) in arrays.items():
        network.weights(layer)[...] = weights
        network.biases(layer)[...] = biases
    network.doubles = [biases for _, biases in arrays.values()]
    check_numbers(network, parameters)
    return network


def _maker(mojo: _Mojo) -> str:
    """Who made the MOJO: H2O or h2olite, and which version."""
    own = mojo.optional("h2olite_version")
    return f"h2olite {own}" if own else f"H2O {mojo.info.get('h2o_version', 'of an unknown version')}"


def _lines(archive: zipfile.ZipFile, member: str) -> Iterator[str]:
    """The lines of a member, without their ends."""
    most = FREE_LINES + archive.getinfo(member).compress_size
    with archive.open(member) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, "utf-8")):
            if number == most:
                raise ValueError(f"{member} has more than {most} lines")
            yield line.removesuffix("\n")


def _divided(line: str, separator: str) -> tuple[str, str]:
    """The two parts of a line, without the blanks around them."""
    before, found, after = line.partition(separator)
    if not found:
        raise ValueError(f"a line of model.ini has no {separator!r}")
    return before.strip(BLANKS), after.strip(BLANKS)


def _integer(text: str) -> int:
    """A whole number of moderate size."""
    if not INTEGER.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is no whole number")
    return int(text)
