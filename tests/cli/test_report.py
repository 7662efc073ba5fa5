from h2olite_cli.report import describe, text_table

REPORT = {
    "model_id": "iris",
    "category": "Multinomial",
    "response": "species",
    "rows": 1200,
    "predictors": 4,
    "inputs": 4,
    "epochs": 10.0,
    "training_speed": 12345.6,
    "stopped_by": "epochs",
    "seconds": {"total": 1.25},
    "weights": {"total": 200, "nonzero": 150, "zero_share": 0.25},
    "layers": [
        {"layer": 1, "units": 4, "type": "Input", "dropout": 0.0, "mean_rate": None},
        {"layer": 2, "units": 3, "type": "Softmax", "dropout": None, "mean_rate": 0.00123456},
    ],
    "training_metrics": {"logloss": 0.12345678, "rmse": 0.2},
    "validation_metrics": {
        "logloss": 0.2,
        "rmse": 0.3,
        "confusion_matrix": {"labels": ["setosa", "virginica"], "matrix": [[9, 1], [0, 0]]},
    },
    "variable_importances": [
        {"variable": "petal", "relative_importance": 1.0, "scaled_importance": 1.0, "percentage": 0.75},
        {"variable": "sepal", "relative_importance": 0.3333, "scaled_importance": 0.3333, "percentage": 0.25},
    ],
}

TEXT = """\
iris: classification of species
  1,200 rows, 4 predictors, 4 inputs, 200 weights, 25.0% of them zero
  10 epochs in 1.2 s (12,346 rows/s), ended by epochs

  layer  units  type     dropout  mean rate
      1      4  Input          0
      2      3  Softmax            0.001235

  metric   training  validation
  logloss    0.1235         0.2
  rmse          0.2         0.3

Confusion matrix (validation; rows: actual, columns: predicted)
  actual     setosa  virginica  error
  setosa          9          1    0.1
  virginica       0          0

Variable importances
  variable  scaled importance  percentage
  petal                     1        0.75
  sepal                0.3333        0.25"""


def test_report_reads_like_this():
    assert describe(REPORT) == TEXT


def test_large_confusion_matrices_and_long_lists_are_cut():
    labels = [str(i) for i in range(11)]
    matrix = {"labels": labels, "matrix": [[1] * 11] * 11}
    importances = [{"variable": f"v{i}", "scaled_importance": 1.0, "percentage": 0.1} for i in range(12)]
    text = describe(
        REPORT
        | {"validation_metrics": {"logloss": 1.0, "confusion_matrix": matrix}, "variable_importances": importances}
    )
    assert "Confusion" not in text
    assert "Variable importances, the first 10 of 12" in text
    assert "v9" in text
    assert "v10" not in text


def test_model_without_importances_has_no_section_for_them():
    assert "importances" not in describe(REPORT | {"variable_importances": None})


def test_columns_that_are_empty_throughout_are_left_out():
    assert text_table([{"a": 1, "b": None}, {"a": 22}], ("a", "b")) == "   a\n   1\n  22"
