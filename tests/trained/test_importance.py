"""Importances of columns, which are comparable whatever their number of levels."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import h2olite
from h2olite.formats import artifact
from h2olite.trained import importance

GIVEN = {"hidden": [20, 10], "epochs": 5, "seed": 1, "reproducible": True}
PENGUINS = "datasets/penguins.csv"


def by_column(model):
    return {name: share for name, _, _, share in model.varimp(by_column=True)}


def by_input(model):
    return {name: share for name, _, _, share in model.varimp()}


def shares_of(contributions, model):
    """The importances by the formula: contributions are rows x units of the first layer, by column."""
    spread = {name: values.std(axis=0) for name, values in contributions.items()}
    total = np.sum(list(spread.values()), axis=0)
    second = model.weights(1).abs().to_numpy()
    second = second / second.sum(axis=1, keepdims=True)
    raw = {name: float((second @ (values / total)).sum()) for name, values in spread.items()}
    return {name: value / sum(raw.values()) for name, value in raw.items()}


def test_importances_are_by_what_a_column_adds_to_the_units():
    table = pd.read_csv(PENGUINS).dropna()
    model = h2olite.deeplearning(y="species", training_frame=table, **GIVEN)
    weights = model.weights(0)
    contributions = {}
    for name in model.schema:
        if model.schema[name] == "categorical":
            contributions[name] = weights[[f"{name}.{level}" for level in table[name]]].T.to_numpy()
        else:
            standardised = (table[name] - table[name].mean()) / table[name].std()
            contributions[name] = np.outer(standardised, weights[name])
    assert by_column(model) == pytest.approx(shares_of(contributions, model), abs=2e-3)


@pytest.mark.parametrize("hidden", [[8], [8, 5]])
@pytest.mark.parametrize("activation", ["Rectifier", "Tanh", "Maxout"])
def test_columns_of_standardised_numbers_count_as_their_inputs(hidden, activation):
    given = GIVEN | {"hidden": hidden, "activation": activation}
    model = h2olite.deeplearning(y="species", training_frame="datasets/iris.csv", **given)
    assert by_column(model) == pytest.approx(by_input(model), abs=1e-4)


def test_a_column_of_many_levels_does_not_outweigh_one_that_matters():
    random = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "number": random.normal(size=4000),
            "wide": random.permutation(4000).astype(str),
            "halves": random.permutation(4000) % 2000,
            "few": random.choice(list("abc"), 4000),
        }
    )
    table["y"] = np.where(table["number"] + (table["few"] == "a") + random.normal(size=4000) / 2 > 0.5, "y", "n")
    model = h2olite.deeplearning(y="y", training_frame=table, factors=["halves", "wide"], **GIVEN)
    columns = by_column(model)
    assert list(columns)[:2] == ["number", "few"]
    assert columns["wide"] + columns["halves"] < 0.2
    summed = sum(share for name, share in by_input(model).items() if name.startswith(("wide.", "halves.")))
    assert summed > 0.9  # as H2O's numbers, which are told as ever


@pytest.mark.parametrize("encoding", ["Binary", "Eigen", "LabelEncoder", "SortByResponse", "EnumLimited"])
def test_a_column_is_one_however_it_is_encoded(encoding):
    model = h2olite.deeplearning(y="species", training_frame=PENGUINS, categorical_encoding=encoding, **GIVEN)
    columns = by_column(model)
    assert columns.keys() == model.schema.keys()
    assert sum(columns.values()) == pytest.approx(1)
    assert min(columns.values()) > 0


def test_numbers_that_are_not_standardised_count_by_their_spread():
    table = pd.read_csv("datasets/iris.csv")
    small = table.assign(petal_width=table["petal_width"] / 1e6)
    given = GIVEN | {"standardize": False}
    columns = by_column(h2olite.deeplearning(y="species", training_frame=small, **given))
    assert columns["petal_width"] < 1e-4
    assert by_input(h2olite.deeplearning(y="species", training_frame=small, **given))["petal_width"] > 0.1


def test_rows_that_are_not_learnt_from_do_not_count():
    table = pd.read_csv(PENGUINS)
    other = pd.concat([table.assign(w=1.0), table.assign(w=0.0, island="Biscoe")])
    ours, same = (
        h2olite.deeplearning(y="species", training_frame=frame, weights_column="w", **GIVEN)
        for frame in (other, table.assign(w=1.0))
    )
    assert by_column(ours) == pytest.approx(by_column(same), abs=1e-6)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_inputs_spread_as_those_of_repeated_rows_by_weights(as_sparse, monkeypatch):
    spreads = []

    def note(network, encoder, of_inputs, covariances):
        spreads.append(of_inputs)
        assert not covariances  # every number has one input
        return importance.column_importance(network, encoder, of_inputs)

    monkeypatch.setattr("h2olite.fitting.assembly.column_importance", note)
    table = pd.DataFrame(
        {"a": [0.0, 0.0, 3.0, 0.0] * 50, "b": [2.0, 0.0, 0.0, 0.0] * 50, "w": [1.0, 9.0, 3.0, 1.0] * 50}
    )
    table["y"] = np.random.default_rng(1).normal(size=200)
    names = {"x": ["a", "b"], "y": "y", "weights_column": "w"}
    if as_sparse:
        names = {"x": ["C1", "C2"], "y": "C4", "weights_column": "C3"}
    else:
        table["c"] = ["x", "y", "z", "x"] * 50
        names["x"].append("c")
    repeated = table.loc[np.repeat(table.index, table["w"].astype(int))].assign(w=1.0)
    for rows in (table, repeated):
        frame = sparse.csr_array(rows.to_numpy()) if as_sparse else rows
        h2olite.deeplearning(training_frame=frame, standardize=False, **names, **GIVEN)
    np.testing.assert_allclose(*spreads, rtol=1e-9)


def test_unused_columns_have_left_and_the_others_keep_their_importance(tmp_path):
    table = pd.read_csv(PENGUINS).assign(noise=np.random.default_rng(1).normal(size=344).round(2))
    model = h2olite.deeplearning(y="species", training_frame=table, input_group_l1=0.1, **GIVEN)
    assert model.record.unused
    assert by_column(model).keys() == model.schema.keys()
    assert sum(by_column(model).values()) == pytest.approx(1)


def test_files_keep_importances_and_older_files_get_those_of_equally_frequent_levels(tmp_path):
    model = h2olite.deeplearning(y="species", training_frame=PENGUINS, **GIVEN)
    path = model.save(tmp_path / "m.h2olite")
    assert by_column(h2olite.load_model(path)) == by_column(model)
    document, arrays = artifact.read_artifact(path)
    del document["column_importances"]
    artifact.write_artifact(path, document, arrays)
    older = by_column(h2olite.load_model(path))
    assert older.keys() == by_column(model).keys()
    assert older == pytest.approx(by_column(model), abs=0.05)
    document["column_importances"] = [1.0]
    artifact.write_artifact(path, document, arrays)
    with pytest.raises(h2olite.ArtifactError, match="a column has no importance"):
        h2olite.load_model(path)
    assert dataclasses.replace(model, column_importances=None).varimp() == model.varimp()
