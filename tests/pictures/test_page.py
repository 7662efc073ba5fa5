"""The report for browsers."""

import html.parser
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import h2olite
from h2olite.pictures.findings import (
    Evidence,
    correlations,
    groups_of,
    metrics_with_intervals,
    thresholds_of,
    worst_rows,
)
from h2olite.pictures.page import report_page

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

SCRIPT = "<script>alert(1)</script>"
NASTY = f"{SCRIPT}\"'&\x1b[31m$a_b$"
SETTINGS = {"hidden": [8], "epochs": 10, "seed": 1, "reproducible": True}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def frame(kind, n=150):
    random = np.random.default_rng(0)
    x = random.standard_normal((n, 3))
    table = pd.DataFrame(x, columns=["a", NASTY, "w"])
    table["g"] = np.where(x[:, 0] > 0.5, NASTY, np.where(random.random(n) < 0.5, "m", "f"))
    score = 2 * x[:, 0] + x[:, 1]
    table["y"] = {
        "Regression": score,
        "Binomial": np.where(score > 0, NASTY, "no"),
        "Multinomial": np.array([NASTY, "g", "b"])[np.digitize(score, [-1, 1])],
    }[kind]
    return table


@pytest.fixture(scope="module", params=["Regression", "Binomial", "Multinomial"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    return h2olite.deeplearning(y="y", training_frame=frame(kind), **SETTINGS)


@pytest.fixture(scope="module")
def page(model, kind):
    return model.report_html(frame(kind), group_by="g")


VOID = {"meta", "input", "br", "link", "img"}


class Reader(html.parser.HTMLParser):
    """Notes elements that are not closed in order, ids, references, and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.ids, self.references, self.elements, self.text = [], [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.references += [attributes[name] for name in ("href", "src", "xlink:href") if name in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def test_it_is_whole_small_and_refers_to_nothing_else(page):
    reader = read(page)
    assert (reader.open, reader.faults) == ([], [])
    assert len(page) < 2e6
    assert len(set(reader.ids)) == len(reader.ids)
    others = [reference for reference in reader.references if not reference.startswith("data:image/png;base64,")]
    assert [reference for reference in others if reference[1:] not in reader.ids] == []
    assert re.findall(r"url\((?!#)", page) == []
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_what_tables_say_is_no_html(page):
    reader = read(page)
    assert SCRIPT not in page
    assert "\x1b" not in page
    assert SCRIPT in "".join(reader.text)
    assert all("alert" not in str(attributes) or tag == "figure" for tag, attributes in reader.elements)


def test_pictures_have_names_and_their_numbers_as_tables(page):
    reader = read(page)
    figures = [attributes for tag, attributes in reader.elements if tag == "figure"]
    assert len(figures) >= 6
    assert all(attributes["aria-label"] for attributes in figures)
    assert sum(tag == "details" for tag, _ in reader.elements) >= len(figures) - 1


def test_it_has_all_its_parts(page, kind):
    text = "".join(read(page).text)
    parts = [
        "Training",
        "Layers",
        "How good is it?",
        "Rows that are most wrong",
        "Why does it predict so?",
        "Groups of g",
    ]
    parts += ["Residuals"] if kind == "Regression" else ["ROC", "Calibration", "Confusion matrix", "Lift"]
    assert [part for part in parts if part not in text] == []
    assert ('type="range"' in page) == (kind == "Binomial")


def test_without_a_table_it_tells_what_the_model_knows(model):
    text = "".join(read(model.report_html()).text)
    assert "Layers" in text
    assert "How good is it?" not in text


def test_several_models_are_side_by_side(model, kind):
    other = h2olite.deeplearning(y="y", training_frame=frame(kind), l2=0.01, classification_stop=-1, **SETTINGS)
    compared = h2olite.compare({"one": model, "two": other}, frame(kind)).rows()
    page = report_page({"one": model, "two": other}, frame(kind), comparison=compared)
    reader = read(page)
    assert (reader.open, reader.faults) == ([], [])
    assert "Models side by side" in "".join(reader.text)
    assert len(set(reader.ids)) == len(reader.ids)


def test_intervals_hold_the_metrics_of_the_model(model, kind):
    rows = {row["metric"]: row for row in metrics_with_intervals(Evidence.of(model, frame(kind)))}
    performance = model.model_performance(frame(kind))
    name = "rmse" if kind == "Regression" else "logloss"
    assert rows[name]["value"] == pytest.approx(performance[name])
    assert all(
        row["low"] <= row["value"] * (1 + 1e-9) + 1e-9 and row["value"] <= row["high"] + 1e-9 for row in rows.values()
    )


def test_the_worst_rows_are_those_of_the_largest_losses(model, kind):
    table = frame(kind)
    rows = worst_rows(model, Evidence.of(model, table), ["a"])
    predicted = model.predict(table)
    if kind == "Regression":
        losses = (predicted["predict"] - table["y"]) ** 2
    else:
        losses = -np.array([predicted.loc[i, y] for i, y in enumerate(table["y"])])
    expected = np.argsort(-np.asarray(losses), kind="stable")[:10]
    assert [row["row"] for row in rows] == [f"row {i}" for i in expected]


def test_groups_have_their_own_metrics_and_selection_rates():
    table = frame("Binomial")
    model = h2olite.deeplearning(y="y", training_frame=table, **SETTINGS)
    rows = groups_of(model, Evidence.of(model, table), "g")
    predicted = model.predict(table)["predict"]
    for row in rows:
        members = table["g"] == row["group"]
        assert row["rows"] == members.sum()
        assert row["error"] == pytest.approx((predicted != table["y"])[members].mean())
        assert row["selected"] == pytest.approx((predicted == model.classes[1])[members].mean())
    assert max(row["ratio"] for row in rows) == 1


def test_the_slider_counts_what_predictions_give():
    table = frame("Binomial")
    model = h2olite.deeplearning(y="y", training_frame=table, **SETTINGS)
    p1 = model.predict(table)[model.classes[1]].to_numpy()
    actual = (table["y"] == model.classes[1]).to_numpy()
    for threshold, tp, fp, fn, tn in thresholds_of(Evidence.of(model, table))[::10]:
        guess = p1 >= threshold
        counts = [(guess & actual).sum(), (guess & ~actual).sum(), (~guess & actual).sum(), (~guess & ~actual).sum()]
        assert [tp, fp, fn, tn] == counts


def test_correlations_of_predictions():
    x = np.arange(5.0)
    assert correlations([x, 2 * x, -x]) == pytest.approx(np.array([[1, 1, -1], [1, 1, -1], [-1, -1, 1]]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda model, table: model.report_html(table.drop(columns="y")), "has no response 'y'"),
        (lambda model, table: model.report_html(table, group_by="z"), "has no column 'z'"),
        (lambda model, table: model.report_html(group_by="g"), "group_by needs a model with a response, and a table"),
    ],
)
def test_what_is_not_there_is_refused(model, kind, make, message):
    with pytest.raises(h2olite.DataError, match=message):
        make(model, frame(kind))


def test_without_jinja_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(h2olite.MissingExtraError, match=r"pip install 'h2olite\[report\]'"):
        model.report_html()


def test_the_report_of_an_autoencoder_tells_how_well_it_reconstructs(tmp_path):
    table = frame("Regression")
    model = h2olite.deeplearning(training_frame=table, autoencoder=True, **SETTINGS)
    page = model.report_html(table)
    errors = model.anomaly(table)["Reconstruction.MSE"]
    assert "How well does it reconstruct rows?" in page
    assert f"{errors.max():.5g}" in page
    assert f"{errors.median():.5g}" in page
    by_input = model.anomaly(table, per_feature=True).mean().sort_values()
    assert f"{by_input.iloc[-1]:.5g}" in page
    assert SCRIPT not in page
    with pytest.raises(h2olite.DataError, match="group_by needs a model with a response"):
        model.report_html(table, group_by="g")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_shows_it_without_a_network(tmp_path, width):
    table = frame("Binomial")
    model = h2olite.deeplearning(y="y", training_frame=table, **SETTINGS)
    model.report_html(table, group_by="g", save=tmp_path / "r.html")
    # A page with the report in a frame of this width, as headless Chromium has no window below 500 pixels. Its title
    # becomes how wide the report is, what it has asked for, and what its slider has counted.
    told = (
        "report.innerWidth",
        "report.document.documentElement.scrollWidth",
        "report.performance.getEntriesByType('resource').length",
        "report.document.querySelector('.slider').hidden",
        "report.document.querySelector('.slider td').textContent",
    )
    (tmp_path / "frame.html").write_text(
        f"<iframe id='frame' src='r.html' style='border:0;width:{width}px;height:900px'></iframe><script>"
        "onload = () => {const report = document.getElementById('frame').contentWindow;"
        f"document.title = [{', '.join(told)}].join()}}</script>"
    )
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--window-size=1400,900"),
        f"--user-data-dir={tmp_path}",
    ]
    shown = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", f"file://{tmp_path}/frame.html"], capture_output=True, text=True, timeout=120
    ).stdout
    found = re.search(r"<title>(\d+),(\d+),(\d+),(\w+),([\d,]*)</title>", shown)
    assert found is not None, shown[:500]
    inner_width, scroll_width, n_requests, is_hidden, counted = found.groups()
    assert int(inner_width) == width
    assert int(scroll_width) <= width
    assert (n_requests, is_hidden) == ("0", "false")
    assert counted
