import numpy as np
import pytest

from h2olite.metrics import ConfusionMatrix

MATRIX = ConfusionMatrix(("no", "yes"), np.array([[1200000.0, 300000.0], [0.0, 500000.0]]))


def test_data_frame_has_errors_and_totals():
    frame = MATRIX.as_data_frame()
    assert list(frame.index) == ["no", "yes", "Total"]
    assert list(frame.columns) == ["no", "yes", "Error", "Rate"]
    assert frame["yes"].tolist() == [300000, 500000, 800000]
    assert frame["Error"].tolist() == pytest.approx([0.2, 0, 0.15])
    assert frame["Rate"].tolist() == ["300000 / 1500000", "0 / 500000", "300000 / 2000000"]


def test_large_counts_are_printed_in_full():
    assert repr(MATRIX).splitlines()[1:3] == [
        "            no     yes   Error              Rate",
        "no     1200000  300000  0.2000  300000 / 1500000",
    ]


def test_fractional_weights_are_printed_with_decimals():
    matrix = ConfusionMatrix(("a", "b"), np.array([[0.5, 0.25], [0, 2]]))
    assert matrix.to_list() == [[0.5, 0.25], [0, 2]]
    assert repr(matrix).splitlines()[2].split() == ["a", "0.50", "0.25", "0.3333", "0.25", "/", "0.75"]


def test_json_has_whole_numbers_for_whole_counts():
    assert repr(MATRIX.to_json()) == "{'labels': ['no', 'yes'], 'matrix': [[1200000, 300000], [0, 500000]]}"


@pytest.mark.parametrize("n_classes", [3, 12, 13, 300])
@pytest.mark.parametrize("label", ["c", "a rather long name of a class, cut when printed, "])
def test_printed_matrix_fits_a_terminal(n_classes, label):
    counts = np.random.default_rng(0).integers(0, 100, (n_classes, n_classes)).astype(float)
    lines = repr(ConfusionMatrix(tuple(f"{label}{i}" for i in range(n_classes)), counts)).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 16


def test_of_many_classes_the_worst_are_printed():
    counts = np.diag(np.arange(1.0, 51))
    counts[7, 3], counts[30, 2] = 5, 9
    lines = repr(ConfusionMatrix(tuple(map(str, range(50))), counts)).splitlines()
    assert lines[1] == "The 12 of 50 classes with the most errors"
    assert [line.split()[0] for line in lines[3:5]] == ["30", "7"]
    assert lines[3].split() == ["30", "0.2250", "9", "/", "40"]
