"""The names of h2o-py's deep learning models, and why h2olite lacks some: what the page on them is made of.

`tests/test_h2o_py.py` holds `NAMES` against h2o-py where that is installed.
"""

from __future__ import annotations

from h2olite import Grid, Model
from h2olite.metrics import AutoEncoderMetrics, BinomialMetrics, MultinomialMetrics, RegressionMetrics

VERSION = "3.46.0.6"

OURS = {
    "Models": (Model,),
    "Grids": (Grid,),
    "Metrics": (BinomialMetrics, MultinomialMetrics, RegressionMetrics, AutoEncoderMetrics),
}
"""Where h2olite has names of each kind."""

NAMES = {
    "Models": """
        F0point5 F1 F2 accuracy actual_params aic algo anomaly auc aucpr average_objective biases calibrate catoffsets
        coef coef_names coef_norm coef_with_p_values confusion_matrix cross_validation_fold_assignment
        cross_validation_holdout_predictions cross_validation_metrics_summary cross_validation_models
        cross_validation_predictions deepfeatures default_params default_threshold detach download_model download_mojo
        download_pojo end_time error explain explain_row fallout feature_frequencies feature_interaction
        find_idx_by_threshold find_threshold_by_max_metric fit fnr fpr full_parameters gains_lift gains_lift_plot
        get_params get_summary get_variable_inflation_factors get_xval_models gini h have_mojo have_pojo hit_ratio_table
        ice_plot is_cross_validated join key kolmogorov_smirnov learning_curve_plot loglikelihood logloss mae
        max_confusion_matrix_size max_per_class_error mcc mean_per_class_error mean_residual_deviance metric missrate
        model_performance mse multinomial_auc_table multinomial_aucpr_table negative_log_likelihood normmul normsub
        ntrees_actual null_degrees_of_freedom null_deviance params partial_plot pd_plot permutation_importance
        permutation_importance_plot plot pprint_coef pr_auc precision predict predict_contributions
        predict_leaf_node_assignment predicted_vs_actual_by_variable r2 recall residual_analysis_plot
        residual_degrees_of_freedom residual_deviance respmul response_column respsub rmse rmsle roc rotation
        row_to_tree_assignment run_time save_model_details save_mojo score_history scoring_history sensitivity
        set_params shap_explain_row_plot shap_summary_plot show show_summary specificity staged_predict_proba start
        start_time std_coef_plot summary supervised_learning thresholds_and_metric_scores tnr to_html to_pretty_str
        to_str tpr train train_segments training_model_metrics type update_tree_weights varimp varimp_plot weights
        xval_keys xvals
    """,
    "Grids": """
        aic auc aucpr biases build_model cancel catoffsets coef coef_norm deepfeatures detach failed_params
        failed_raw_params failure_details failure_stack_traces get_grid get_hyperparams get_hyperparams_dict get_summary
        get_xval_models gini grid_id hyper_names is_cross_validated join key logloss mae mean_residual_deviance
        model_ids model_performance mse normmul normsub null_degrees_of_freedom null_deviance pareto_front pprint_coef
        pr_auc predict r2 residual_degrees_of_freedom residual_deviance respmul respsub resume rmse rmsle
        scoring_history show show_summary sort_by sorted_metric_table start summary to_html to_pretty_str to_str train
        varimp weights xval_keys xvals
    """,
    "Metrics": """
        F0point5 F1 F2 accuracy aic auc aucpr confusion_matrix custom_metric_name custom_metric_value error fallout
        find_idx_by_threshold find_threshold_by_max_metric fnr fpr fprs gains_lift gains_lift_plot gini hglm_metric
        hit_ratio_table loglikelihood logloss mae make max_per_class_error maximizing_metrics mcc mean_per_class_error
        mean_residual_deviance metric metrics_aliases missrate mse multinomial_auc_table multinomial_aucpr_table nobs
        null_degrees_of_freedom null_deviance plot pr_auc precision r2 recall residual_degrees_of_freedom
        residual_deviance rmse rmsle roc sensitivity show specificity thresholds_and_metric_scores tnr to_html
        to_pretty_str to_str tpr tprs
    """,
}
"""The public names of h2o-py's classes of each kind, but for the parameters."""

TREES = "is about trees"
LINEAR = "is about linear models"
SERVER = "is about objects on H2O's server; here models are in memory"
PRINTING = "print the object, or use its `report()`"
TRAINING = "call `h2olite.deeplearning`, or use the scikit-learn estimators"

REASONS = {
    **dict.fromkeys(
        (
            *("feature_frequencies", "feature_interaction", "h", "ntrees_actual", "predict_leaf_node_assignment"),
            *("row_to_tree_assignment", "staged_predict_proba", "update_tree_weights"),
        ),
        TREES,
    ),
    **dict.fromkeys(
        (
            *("coef", "coef_names", "coef_norm", "coef_with_p_values", "pprint_coef", "std_coef_plot", "hglm_metric"),
            *("average_objective", "negative_log_likelihood", "get_variable_inflation_factors"),
        ),
        f"{LINEAR}; `weights` and `biases` are a network's",
    ),
    **dict.fromkeys(
        ("null_degrees_of_freedom", "residual_degrees_of_freedom"), f"{LINEAR}: a network has none to count"
    ),
    **dict.fromkeys(("detach", "join", "start", "cancel", "make"), SERVER),
    **dict.fromkeys(("show", "show_summary", "to_html", "to_pretty_str", "to_str"), PRINTING),
    **dict.fromkeys(("train", "fit", "get_params", "set_params", "supervised_learning", "build_model"), TRAINING),
    "rotation": "is about principal components",
    "calibrate": "not yet: calibrate the probabilities with scikit-learn's `CalibratedClassifierCV`",
    "download_model": "`save`",
    "save_model_details": "`report()` is everything as plain values, for `json.dump`",
    "training_model_metrics": "`training_metrics.to_json()`",
    "full_parameters": "`params`, and `h2olite params` in a shell",
    "download_pojo": "there is no Java: `download_mojo`, `export_onnx` or a `Scorer`",
    "have_pojo": "none has",
    "have_mojo": "all do but a few, which `download_mojo` says",
    "start_time": "the history's `timestamp`",
    "end_time": "the history's `timestamp`",
    "max_confusion_matrix_size": "deprecated in H2O, where it changes no result",
    "train_segments": "`h2olite.train_segments`",
    "predicted_vs_actual_by_variable": "`predict`, grouped by the column",
    "gains_lift_plot": "of models; of metrics `gains_lift().plot()`",
    "plot": "`learning_curve_plot`; of metrics `roc()`",
    "pareto_front": "`sorted_metric_table` for two metrics",
    "resume": "the same `h2olite.grid` with its `directory` goes on",
    "sort_by": "`get_grid`",
    "failed_raw_params": "`failed_params`",
    "failure_stack_traces": "`failure_details`",
    "get_summary": "`summary`",
    "key": "`grid_id`",
    "xvals": "`get_xval_models()`",
    "aic": "`Model.aic`: it needs the number of parameters",
    "maximizing_metrics": "the criteria in `max_criteria_and_metric_scores()`",
    "metrics_aliases": "all of H2O's spellings are taken",
}
"""What there is instead of a name, or why there is nothing."""

INTRODUCTION = f"""# Names of h2o-py

Every public name of h2o-py {VERSION}'s deep learning models, grids and metrics, and where h2olite has it: under the
same name, or what there is instead. The parameters are those of `h2olite.deeplearning`, see
[parameters](parameters.md); `Model.params` tells them of a model.
"""


def page() -> str:
    """The page, one table per kind."""
    tables = []
    for kind, names in NAMES.items():
        rows = [f"| `{name}` | {'yes' if has(kind, name) else REASONS[name]} |" for name in names.split()]
        tables.append("\n".join([f"## {kind}\n\n| h2o-py | h2olite |\n|---|---|", *rows, ""]))
    return "\n".join([INTRODUCTION, *tables])


def has(kind: str, name: str) -> bool:
    """Whether objects of a kind have the name; a grid's fields are no attributes of its class."""
    return any(hasattr(ours, name) or name in getattr(ours, "__dataclass_fields__", ()) for ours in OURS[kind])
