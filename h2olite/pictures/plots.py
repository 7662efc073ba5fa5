"""Pictures of a model under the names that h2o-py has for them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from h2olite.data.frames import as_table
from h2olite.errors import DataError
from h2olite.trained.contributions import BIAS
from h2olite.trained.explain import partial_plot, response_columns

from .canvas import save as write
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
    draw_partial,
    draw_residuals,
)
from .numbers import calibration_of, curves_of, dependence_of, history_of, judged, reconstructed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Target = str | os.PathLike[str] | None

N_EXPLAINED = 4
"""Columns of which `explain` draws the dependence."""


class Plots:
    """Methods that draw. `Model` has this for a base.

    Each returns a figure of matplotlib. With ``save``, it also writes the figure to a .svg, .png or .pdf file. All need
    ``pip install 'h2olite[plot]'``, and raise a MissingExtraError without it. A notebook shows a figure that is the
    last value of a cell.
    """

    def varimp_plot(self: Any, num_of_features: int = 10, *, save: Target = None) -> Figure:
        """Draw the importances of the columns, the largest on top.

        num_of_features : how many columns to show.

        Raises
        ------
        DataError : the model has no importances.
        """
        rows = self.varimp(by_column=True)
        if rows is None:
            raise DataError(f"{self.model_id} was trained without variable_importances, which the plot needs.")
        shown = rows[:num_of_features]
        return write(draw_bars([row[0] for row in shown], [row[2] for row in shown], "scaled importance"), save)

    def permutation_importance_plot(
        self: Any,
        frame: Any,
        metric: str = "AUTO",
        n_samples: int = 10_000,
        n_repeats: int = 1,
        features: Iterable[str] | None = None,
        seed: int = -1,
        num_of_features: int = 10,
        *,
        save: Target = None,
    ) -> Figure:
        """Draw how much worse a metric gets when the values of a column are dealt anew to the rows, the most on top.

        num_of_features : how many columns to show. The other arguments are those of `permutation_importance`. With
        several repeats, their mean is drawn.
        """
        rows = self.permutation_importance(frame, metric, n_samples, n_repeats, features, seed)
        worse = [row[1] if n_repeats == 1 else float(np.mean(row[1:])) for row in rows]
        bars = draw_bars([row[0] for row in rows][:num_of_features], worse[:num_of_features], "permutation importance")
        return write(bars, save)

    def learning_curve_plot(self: Any, metric: str = "AUTO", *, save: Target = None) -> Figure:
        """Draw a metric of the scoring history against epochs, and where the model was taken.

        metric : a metric of the scoring history without its prefix, such as ``"auc"``; AUTO is the loss.
        """
        return write(draw_history(history_of(self, metric)), save)

    def partial_plot(
        self: Any,
        frame: Any,
        cols: Iterable[str] | None = None,
        nbins: int = 20,
        targets: Iterable[str] | None = None,
        include_na: bool = False,
        user_splits: Mapping[str, Sequence[Any]] | None = None,
        row_index: int | None = None,
        *,
        plot: bool = False,
        plot_stddev: bool = True,
        save: Target = None,
    ) -> Any:
        """Compute the mean prediction over all rows when a predictor has the same value in each row.

        Parameters
        ----------
        frame : any frame. The means are over its rows, and the values are within the ranges of its columns.
        cols : predictors to look at; all if not given.
        nbins : how many values of a numeric predictor to go through. They are evenly spread. A categorical predictor
            goes through all its levels.
        targets : classes whose probabilities are predicted. If not given, the second of two classes, or all of more.
        include_na : end with a row for the missing value.
        user_splits : for some predictors, the values to go through instead.
        row_index : look at this row only, from 0.
        plot : return a figure of the tables instead of the tables.
        plot_stddev : draw the standard deviation over the rows, too.
        save : the file to write the figure to, as if `plot` were given.

        Returns
        -------
        tables : a list with one DataFrame for each predictor and target. Its columns are the value under the
            predictor's name, mean_response, stddev_response and std_error_mean_response.

        Raises
        ------
        DataError : there is no such predictor, level, class or row.

        References
        ----------
        Friedman (2001), Greedy function approximation: a gradient boosting machine.
        """
        tables = partial_plot(self, frame, cols, nbins, targets, include_na, user_splits, row_index)
        if not plot and save is None:
            return tables
        responses = response_columns(self, targets)
        names = responses * (len(tables) // len(responses))
        return write(draw_partial(tables, names, with_deviations=plot_stddev and row_index is None), save)

    def pd_plot(
        self: Any, frame: Any, column: str, target: str | None = None, *, nbins: int = 20, save: Target = None
    ) -> Figure:
        """Draw the mean prediction of the rows of a frame when a column has the same value in all (partial dependence).

        Parameters
        ----------
        frame : any frame; at most 1,000 of its rows are used.
        column : a predictor.
        target : of a classifier, the class whose probability is drawn; the last one if not given.
        nbins : how many values a numeric column takes.
        """
        return write(draw_dependence(dependence_of(self, frame, column, target, n_values=nbins, n_rows=1000)), save)

    def ice_plot(
        self: Any, frame: Any, column: str, target: str | None = None, *, nbins: int = 20, save: Target = None
    ) -> Figure:
        """Draw what `pd_plot` draws, and a line for each of at most 50 rows (individual conditional expectation)."""
        dependence = dependence_of(self, frame, column, target, n_values=nbins, n_rows=200)
        return write(draw_dependence(dependence, n_lines=50), save)

    def shap_summary_plot(
        self: Any,
        frame: Any,
        background_frame: Any = None,
        target: str | None = None,
        *,
        top_n_features: int = 20,
        samples: int = 1000,
        save: Target = None,
    ) -> Figure:
        """Draw what each column adds to the predictions of many rows, coloured by the value of the column.

        Parameters
        ----------
        frame : any frame; at most `samples` of its rows are used.
        background_frame : the rows to compare with, of which 100 are used. If it is not given, they are the training
            rows that the model keeps, or else some of the frame's own.
        target : with three or more classes, the class; the last one if not given.
        top_n_features : how many columns to show.
        """
        found, rows = contributions_of(self, frame, background_frame, samples, target)
        return write(draw_contributions(found, rows, top_n_features, "contribution"), save)

    def shap_explain_row_plot(
        self: Any,
        frame: Any,
        row_index: int,
        background_frame: Any = None,
        target: str | None = None,
        *,
        top_n_features: int = 10,
        save: Target = None,
    ) -> Figure:
        """Draw what each column adds to the prediction of one row.

        row_index : of the row, from 0. The other arguments are those of `shap_summary_plot`.
        """
        row = _row(self, frame, row_index)
        found, _ = contributions_of(self, row, background_frame, 1, target)
        values = found.drop(columns=BIAS).iloc[0]
        shown = values.reindex(values.abs().sort_values(ascending=False, kind="stable").index)[:top_n_features]
        return write(draw_bars([str(name) for name in shown.index], shown.tolist(), "contribution"), save)

    def residual_analysis_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw the residuals of a regression against its predictions, for at most 2,000 rows of a frame."""
        if self.category != "Regression":
            raise DataError(f"residuals need a regression; {self.model_id} is a {self.category} model.")
        return write(draw_residuals(judged(self, frame)), save)

    def reconstruction_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw how many rows of a frame an autoencoder reconstructs with an error of each size."""
        return write(draw_errors(reconstructed(self, frame).errors), save)

    def roc_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw the true against the false positive rate at all thresholds, for each class."""
        return write(draw_curves(curves_of(self, judged(self, frame)), "roc"), save)

    def pr_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw precision against recall at all thresholds, for each class."""
        return write(draw_curves(curves_of(self, judged(self, frame)), "pr"), save)

    def gains_lift_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw how many times as frequent a class is among the rows of its largest probabilities as among all."""
        return write(draw_curves(curves_of(self, judged(self, frame)), "lift"), save)

    def calibration_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw how often what is predicted with a probability happens, for ten groups of rows."""
        self._refuse_without_classes("calibration")
        return write(draw_calibration(calibration_of(judged(self, frame))), save)

    def confusion_matrix_plot(self: Any, frame: Any, *, save: Target = None) -> Figure:
        """Draw how many rows of each actual class are predicted as each class."""
        self._refuse_without_classes("a confusion matrix")
        matrix = self.model_performance(frame).confusion_matrix()
        return write(draw_confusion(np.asarray(matrix.matrix, np.float64), list(self.classes)), save)

    def explain(self: Any, frame: Any, background_frame: Any = None) -> dict[str, Figure]:
        """Draw everything that explains the model on a frame that holds the response, if the model has one.

        Returns
        -------
        figures : by the name of the method that draws them, and of the column.
        """
        figures = {}
        if self.importances is not None:
            figures["varimp_plot"] = self.varimp_plot()
        if self.history:
            figures["learning_curve_plot"] = self.learning_curve_plot()
        if self.response is None:
            return figures | {"reconstruction_plot": self.reconstruction_plot(frame)}
        if self.category == "Regression":
            figures["residual_analysis_plot"] = self.residual_analysis_plot(frame)
        else:
            names = ("roc_plot", "pr_plot", "calibration_plot", "confusion_matrix_plot")
            figures |= {name: getattr(self, name)(frame) for name in names}
        figures["shap_summary_plot"] = self.shap_summary_plot(frame, background_frame)
        figures |= {f"ice_plot {column}": self.ice_plot(frame, column) for column in self.first_columns(N_EXPLAINED)}
        return figures

    def explain_row(self: Any, frame: Any, row_index: int, background_frame: Any = None) -> dict[str, Figure]:
        """Draw what explains the prediction of one row: its contributions, and its line for the first columns."""
        figures = {"shap_explain_row_plot": self.shap_explain_row_plot(frame, row_index, background_frame)}
        for column in self.first_columns(N_EXPLAINED):
            one = dependence_of(self, _row(self, frame, row_index), column)
            figures[f"ice_plot {column}"] = draw_dependence(one)
        return figures

    def report_html(self: Any, frame: Any = None, *, group_by: str | None = None, save: Target = None) -> str:
        """Make a report of the model: one HTML page that needs neither a network nor other files.

        Parameters
        ----------
        frame : any frame that holds the response, to measure and explain the model on. Without it, the report tells
            what the model knows by itself.
        group_by : a column of the frame by whose groups the model is measured as well.
        save : the file to write.

        Returns
        -------
        page : the text of the page.

        Raises
        ------
        DataError : the frame does not hold what is needed.
        MissingExtraError : Jinja2 or matplotlib is not installed (``pip install 'h2olite[report]'``).
        """
        from .page import report_page, write_page

        page = report_page({self.model_id: self}, frame, group_by=group_by)
        if save is not None:
            write_page(page, save)
        return page

    def first_columns(self: Any, n: int) -> list[str]:
        """The names of the most important columns, or of the first ones if importances are not known."""
        rows: Sequence[Any] | None = None if self.importances is None else self.varimp(by_column=True)
        names = list(self.schema) if rows is None else [row[0] for row in rows]
        return [name for name in names if name in self.schema][:n]

    def _refuse_without_classes(self: Any, what: str) -> None:
        if self.classes is None:
            raise DataError(f"{what} needs classes; {self.model_id} is a {self.category} model.")


def _row(model: Any, frame: Any, row_index: int) -> Any:
    """A table of one row of a frame."""
    table = as_table(frame, name="frame", schema=model.schema, csv=model.csv)
    if not 0 <= row_index < table.n_rows:
        raise DataError(f"row_index must be from 0 to {table.n_rows - 1}; got {row_index}.")
    return table.take(np.array([row_index]))
