"""The report of models as one HTML page, which needs neither a network nor other files."""

from __future__ import annotations

import dataclasses
import math
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import h2olite
from h2olite.display import visible
from h2olite.errors import DataError, MissingExtraError
from h2olite.formats.archive import replacing
from h2olite.trained.background import BACKGROUND
from h2olite.trained.contributions import BIAS
from h2olite.trained.layers import describe_layers
from h2olite.trained.report import count_weights

from .canvas import as_svg, refuse_without_matplotlib
from .charts import (
    contributions_of,
    draw_bars,
    draw_calibration,
    draw_confusion,
    draw_contributions,
    draw_curves,
    draw_dependence,
    draw_errors,
    draw_history,
    draw_residuals,
)
from .findings import (
    FOUR_FIFTHS,
    N_WORST,
    Evidence,
    correlations,
    groups_of,
    metrics_with_intervals,
    text_of,
    thresholds_of,
    worst_rows,
)
from .numbers import calibration_of, curves_of, dependence_of, history_of, reconstructed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = "report.html"

N_COLUMNS, N_EXPLAINED, N_IMPORTANCES = 4, 300, 20
"""Columns whose dependence is drawn, rows whose contributions are drawn, and columns whose importances are told."""

SIZE = 0.75
"""Of a chart, next to that of a picture in a file: so that letters are as large as those of the page."""

OF_LAYERS = {
    **{"layer": "layer", "units": "units", "type": "type", "dropout": "dropout %", "l1": "l1", "l2": "l2"},
    **{"mean_rate": "mean rate", "weight_rms": "weight rms", "zero_share": "zero share", "violation": "violation"},
}
"""What is told of layers, and its titles."""

MOST_ROWS_TOLD = 60
"""Rows of the numbers below a chart."""


@dataclasses.dataclass
class Chart:
    """A picture with the numbers behind it.

    svg : an element of HTML.
    rows : the numbers, as a table.
    """

    title: str
    svg: str
    rows: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    text: str = ""


@dataclasses.dataclass
class Section:
    """A part of the page; `thresholds` are those of a slider, see `findings.thresholds_of`."""

    id: str
    title: str
    texts: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    code: str = ""
    tables: list[list[dict[str, Any]]] = dataclasses.field(default_factory=list)
    charts: list[Chart] = dataclasses.field(default_factory=list)
    thresholds: list[list[float]] = dataclasses.field(default_factory=list)
    classes: Sequence[str] = ()
    start: int = 0
    threshold: float = 0.0


def report_page(
    models: Mapping[str, Any],
    frame: Any = None,
    *,
    group_by: str | None = None,
    comparison: Sequence[Mapping[str, Any]] = (),
    commands: Mapping[str, str] | None = None,
) -> str:
    """The page.

    Parameters
    ----------
    models : by the name that the page has for each.
    frame : a table that holds the response, to measure and explain on; None for what the models know by themselves.
    group_by : a column of the frame, by whose groups the first model is measured.
    comparison : rows that compare the models on the frame, as `Comparison.rows` gives them.
    commands : by name of model, the command line that trains it.

    Raises
    ------
    DataError : the frame does not hold what is needed.
    MissingExtraError : Jinja2 or matplotlib is not installed.
    """
    environment = new_environment()
    refuse_without_matplotlib()
    name, model = next(iter(models.items()))
    is_autoencoder = model.response is None and len(models) == 1
    evidences = {}
    if frame is not None and not is_autoencoder:
        evidences = {key: Evidence.of(one, frame) for key, one in models.items()}
    sections = []
    if len(models) > 1:
        sections.append(compared(models, evidences, comparison))
    for key, one in models.items():
        suffix = "" if len(models) == 1 else f": {key}"
        sections += of_training(one, suffix, (commands or {}).get(key, ""))
    if evidences:
        evidence = evidences[name]
        suffix = "" if len(models) == 1 else f": {name}"
        sections += of_rows(model, evidence, suffix)
        sections += why(model, evidence, suffix)
        if group_by is not None:
            sections.append(by_group(model, evidence, group_by))
    elif group_by is not None:
        raise DataError("group_by needs a model with a response, and a table, whose column it names.")
    elif frame is not None:
        sections.append(of_reconstruction(model, frame))
    numbered = [dataclasses.replace(section, id=f"s{number}") for number, section in enumerate(sections, 1)]
    response = f" of {model.response_column}" if model.response is not None else ""
    where = f" Measured on {evidences[name].table.name}." if evidences else ""
    return environment.get_template(TEMPLATE).render(
        title=", ".join(models),
        subtitle=f"{model.category} model{response}, trained on {model.record.rows:,} rows.{where}",
        sections=numbered,
        version=h2olite.__version__,
    )


def write_page(page: str, target: str | os.PathLike[str]) -> None:
    """Write the page to a file, which appears whole or not at all."""
    with replacing(Path(target)) as stream:
        stream.write(page.encode())


def new_environment() -> Any:
    """The environment of the template: all text is escaped, and has no hidden characters."""
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("reports need Jinja2: pip install 'h2olite[report]'.") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"shown": lambda value: visible(str(value)), "cell": cell}
    environment.globals |= {"columns_of": columns_of, "is_number": is_number}
    return environment


def cell(value: Any) -> str:
    """A value as the cell of a table."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.5g}" if isinstance(value, float) else visible(str(value))


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the columns of which some cell is not empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(cell(row.get(name)) for row in rows)]


def is_number(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether a column holds numbers."""
    return all(isinstance(row.get(name), int | float | None) for row in rows)


def chart(title: str, figure: Figure, rows: Iterable[Mapping[str, Any]] = (), text: str = "") -> Chart:
    """A chart of the page; ids in its picture are like none of another chart."""
    import markupsafe

    width, height = figure.get_size_inches()
    figure.set_size_inches(SIZE * width, SIZE * height)
    name = f"c{zlib.crc32(title.encode()):x}"
    told = [dict(row) for row in rows]
    if len(told) > MOST_ROWS_TOLD:
        places = np.unique(np.linspace(0, len(told) - 1, MOST_ROWS_TOLD).astype(int))
        told = [told[place] for place in places]
    return Chart(title, markupsafe.Markup(as_svg(figure, name)), told, text)


def of_training(model: Any, suffix: str, command: str) -> list[Section]:
    """What was trained on what, how to repeat it, its layers, and the course of training."""
    record, report = model.record, model.report()
    weights = report["weights"]
    facts = [
        {"fact": "model", "value": model.model_id},
        {"fact": "rows", "value": f"{record.rows:,}"},
        {"fact": "predictors", "value": f"{report['predictors']:,}, of which {report['features']['used']:,} are used"},
        {"fact": "weights", "value": f"{weights['total']:,}, {weights['zero_share']:.1%} of them 0"},
        {"fact": "epochs", "value": f"{record.epochs:.4g}, ended by {record.stopped_by}"},
        {"fact": "seconds", "value": f"{record.seconds['total']:.3g}"},
        {"fact": "seed", "value": str(model.parameters.seed)},
        {"fact": "version", "value": f"h2olite {record.version}"},
    ]
    if (objective := report["objective"])["penalty"]:
        share = f"{objective['penalty']:.4g}, {objective['penalty_share']:.1%} of what was minimised"
        facts.append({"fact": "penalties", "value": share})
    given = (record.origin or {}).get("given")
    code = command or (f"h2olite.deeplearning({arguments_of(given)})" if given is not None else "")
    sections = [Section("", f"Training{suffix}", warnings=list(record.warnings), code=code, tables=[facts])]
    layers = Section(
        "",
        f"Layers{suffix}",
        tables=[[{title: row.get(name) for name, title in OF_LAYERS.items()} for row in describe_layers(model)]],
    )
    sections.append(layers)
    if model.history and "training_rmse" in model.history[-1]:
        history = history_of(model)
        rows = [
            {"epochs": epochs} | {frame: values[i] for frame, values in history.of_frames.items()}
            for i, epochs in enumerate(history.epochs)
        ]
        sections[0].charts.append(chart(f"Learning curve{suffix}", draw_history(history), rows))
    if model.importances is not None and model.encoder.n_slots is None:
        importances = [(row[0], row[2]) for row in model.varimp(by_column=True)[:N_IMPORTANCES]]
        layers.charts.append(
            chart(
                f"Importance by weights{suffix}",
                draw_bars([row[0] for row in importances], [row[1] for row in importances], "relative to the largest"),
                [{"column": name, "importance": size} for name, size in importances],
            )
        )
    return sections


def arguments_of(given: Mapping[str, Any]) -> str:
    """Parameters as the arguments of a call in Python."""
    return ", ".join(["training_frame=...", *(f"{name}={value!r}" for name, value in given.items())])


def of_rows(model: Any, evidence: Evidence, suffix: str) -> list[Section]:
    """How good the model is on the rows of a table."""
    of = evidence.judged
    n_rows = f"{evidence.judged.places.size:,} rows of {evidence.table.name}. Intervals are of 95 %, by the bootstrap."
    quality = Section("", f"How good is it{suffix}?", texts=[n_rows], tables=[metrics_with_intervals(evidence)])
    if evidence.classes is None:
        points = [{"predicted": float(p), "actual": float(a)} for p, a in zip(of.predicted, of.actual, strict=True)]
        quality.charts.append(chart(f"Residuals{suffix}", draw_residuals(of), points))
    else:
        classes = list(model.classes)
        matrix = np.zeros((len(classes), len(classes)))
        np.add.at(matrix, (of.actual, evidence.classes), of.weights)
        rows = [
            {"actual": a} | dict(zip(classes, line, strict=True))
            for a, line in zip(classes, matrix.tolist(), strict=True)
        ]
        if len(classes) <= 20:
            quality.charts.append(chart(f"Confusion matrix{suffix}", draw_confusion(matrix, classes), rows))
        curves = curves_of(model, of)
        for title, kind, x, y in (
            ("ROC", "roc", "fpr", "tpr"),
            ("Precision and recall", "pr", "tpr", "precision"),
            ("Lift", "lift", "share", "tpr"),
        ):
            rows = [
                {"class": curve.name, "threshold": float(t), x: float(a), y: float(b)}
                for curve in curves
                for t, a, b in zip(curve.thresholds, getattr(curve, x), getattr(curve, y), strict=True)
            ]
            quality.charts.append(chart(f"{title}{suffix}", draw_curves(curves, kind), rows))
        calibration = calibration_of(of)
        rows = [
            dict(zip(("predicted", "observed", "rows"), row, strict=True))
            for row in zip(*map(np.ndarray.tolist, calibration), strict=True)
        ]
        quality.charts.append(chart(f"Calibration{suffix}", draw_calibration(calibration), rows))
        if len(classes) == 2:
            threshold = model.default_threshold()
            quality.thresholds, quality.classes = thresholds_of(evidence), classes
            quality.start, quality.threshold = round(100 * threshold), threshold
    columns = model.first_columns(N_COLUMNS)
    wrong = Section("", f"Rows that are most wrong{suffix}", tables=[worst_rows(model, evidence, columns)])
    return [quality, wrong]


def of_reconstruction(model: Any, frame: Any) -> Section:
    """How badly an autoencoder reconstructs the rows of a table, which of them worst, and which inputs."""
    found = reconstructed(model, frame)
    quartiles = np.quantile(found.errors, [0, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
    names = ("least", "a quarter", "median", "three quarters", "95 %", "99 %", "largest")
    inputs = sorted(found.by_input.items(), key=lambda item: -item[1])[:N_IMPORTANCES]
    columns = list(model.schema)[:N_COLUMNS]
    worst = [
        {"row": found.table.place(int(row)), "error": float(found.errors[row])}
        | {name: text_of(found.table[name], row) for name in columns if name in found.table}
        for row in np.argsort(-found.errors, kind="stable")[:N_WORST]
    ]
    return Section(
        "",
        "How well does it reconstruct rows?",
        texts=[
            f"{found.errors.size:,} rows of {found.table.name}. The error of a row is the mean squared error over its "
            "inputs, as they are encoded. The tables have quantiles of the errors, the inputs of the largest mean "
            "errors, and the rows of the largest errors.",
        ],
        tables=[
            [{"quantile": name, "error": error} for name, error in zip(names, quartiles.tolist(), strict=True)],
            [{"input": name, "mean squared error": error} for name, error in inputs],
            worst,
        ],
        charts=[chart("Reconstruction errors", draw_errors(found.errors))],
    )


def why(model: Any, evidence: Evidence, suffix: str) -> list[Section]:
    """Why the model predicts what it predicts: contributions, permutations, and the dependence on columns."""
    found, rows = contributions_of(model, evidence.table, None, N_EXPLAINED, None)
    names = [name for name in found.columns if name != BIAS]
    sizes = np.abs(found[names].to_numpy()).mean(axis=0)
    shuffled = model.permutation_importance(evidence.table, n_samples=1000, seed=1, use_pandas=False)
    permuted = {row[0]: row[1] for row in shuffled}
    by_weights = (
        {}
        if model.importances is None or model.encoder.n_slots is not None
        else {row[0]: row[2] for row in model.varimp(by_column=True)}
    )
    importances = [
        {
            "column": names[i],
            "mean size of contributions": float(sizes[i]),
            "rise of the loss when shuffled": float(permuted.get(names[i], math.nan)),
            "by weights": float(by_weights.get(names[i], math.nan)),
        }
        for i in np.argsort(-sizes, kind="stable")[:N_IMPORTANCES]
    ]
    against = "100 rows of the table" if model.background is None else BACKGROUND
    about = f"contributions to {model.classes[-1]}" if model.category == "Multinomial" else "contributions"
    section = Section(
        "",
        f"Why does it predict so{suffix}?",
        texts=[f"Contributions are on the scale of the linear output (DeepSHAP), against {against}."],
        tables=[importances],
        charts=[chart(f"What columns add{suffix}", draw_contributions(found, rows, 12, about))],
    )
    for column in model.first_columns(N_COLUMNS):
        dependence = dependence_of(model, evidence.table, column, n_rows=100)
        means = dependence.lines.mean(axis=0).tolist()
        told = [{column: value, "mean prediction": mean} for value, mean in zip(dependence.values, means, strict=True)]
        section.charts.append(
            chart(
                f"Dependence on {column}{suffix}",
                draw_dependence(dependence, n_lines=30),
                told,
                "A line for each of 30 rows, and the mean.",
            )
        )
    return [section]


def by_group(model: Any, evidence: Evidence, column: str) -> Section:
    """Metrics by group, with a warning where a group is selected less than four fifths as often as another one."""
    rows = groups_of(model, evidence, column)
    low = [row["group"] for row in rows if row.get("ratio", 1.0) < FOUR_FIFTHS]
    said = []
    if low:
        said = [
            f"The model predicts {model.classes[1]} for {', '.join(low)} less than four fifths as often as for the "
            "group of the largest share."
        ]
    return Section("", f"Groups of {column}", warnings=said, tables=[rows])


def compared(
    models: Mapping[str, Any], evidences: Mapping[str, Evidence], comparison: Sequence[Mapping[str, Any]]
) -> Section:
    """Several models side by side."""
    section = Section("", "Models side by side")
    sizes = [
        {
            "model": name,
            "predictors": len(model.encoder.schema),
            "weights": (count := count_weights(model))["total"],
            "not 0": count["nonzero"],
            "epochs": float(model.record.epochs),
        }
        for name, model in models.items()
    ]
    section.tables.append(sizes)
    if comparison:
        section.texts.append(
            "Differences are to the first model, on the same rows, with intervals of 95 % (paired bootstrap)."
        )
        section.tables.append([dict(row) for row in comparison])
    if evidences:
        alike = correlations([evidence.judged.predicted for evidence in evidences.values()])
        section.texts.append("The last table has the correlations of the predictions.")
        section.tables.append(
            [
                {"model": name} | dict(zip(models, line, strict=True))
                for name, line in zip(models, alike.tolist(), strict=True)
            ]
        )
    return section
