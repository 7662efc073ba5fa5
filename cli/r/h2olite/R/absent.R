# What H2O has and h2olite has not: an error that names the function.

#' Functions of H2O that are not here
#'
#' h2olite does deep learning. These functions of H2O's give an error that says so.
#'
#' @param ... Anything.
#' @return Nothing: an error.
#' @name absent
NULL

absent <- function(name) {
  force(name)
  function(...) stop(name, " is not in h2olite, which does deep learning on tables; use the package h2o.", call. = FALSE)
}

#' @rdname absent
#' @export
h2o.gbm <- absent("h2o.gbm")

#' @rdname absent
#' @export
h2o.glm <- absent("h2o.glm")

#' @rdname absent
#' @export
h2o.randomForest <- absent("h2o.randomForest")

#' @rdname absent
#' @export
h2o.xgboost <- absent("h2o.xgboost")

#' @rdname absent
#' @export
h2o.naiveBayes <- absent("h2o.naiveBayes")

#' @rdname absent
#' @export
h2o.kmeans <- absent("h2o.kmeans")

#' @rdname absent
#' @export
h2o.prcomp <- absent("h2o.prcomp")

#' @rdname absent
#' @export
h2o.svd <- absent("h2o.svd")

#' @rdname absent
#' @export
h2o.glrm <- absent("h2o.glrm")

#' @rdname absent
#' @export
h2o.automl <- absent("h2o.automl")

#' @rdname absent
#' @export
h2o.stackedEnsemble <- absent("h2o.stackedEnsemble")

#' @rdname absent
#' @export
h2o.word2vec <- absent("h2o.word2vec")

#' @rdname absent
#' @export
h2o.gam <- absent("h2o.gam")

#' @rdname absent
#' @export
h2o.coxph <- absent("h2o.coxph")

#' @rdname absent
#' @export
h2o.isolationForest <- absent("h2o.isolationForest")

#' @rdname absent
#' @export
h2o.targetencoder <- absent("h2o.targetencoder")

#' @rdname absent
#' @export
h2o.rulefit <- absent("h2o.rulefit")

#' @rdname absent
#' @export
h2o.aggregator <- absent("h2o.aggregator")

#' @rdname absent
#' @export
h2o.explain_row <- absent("h2o.explain_row")

#' @rdname absent
#' @export
h2o.shap_summary_plot <- absent("h2o.shap_summary_plot")

#' @rdname absent
#' @export
h2o.pd_plot <- absent("h2o.pd_plot")

#' @rdname absent
#' @export
h2o.ice_plot <- absent("h2o.ice_plot")

#' @rdname absent
#' @export
h2o.model_correlation_heatmap <- absent("h2o.model_correlation_heatmap")

#' @rdname absent
#' @export
h2o.varimp_heatmap <- absent("h2o.varimp_heatmap")

#' @rdname absent
#' @export
h2o.residual_analysis_plot <- absent("h2o.residual_analysis_plot")

#' @rdname absent
#' @export
h2o.download_pojo <- absent("h2o.download_pojo")

#' @rdname absent
#' @export
h2o.mojo_predict_csv <- absent("h2o.mojo_predict_csv")

#' @rdname absent
#' @export
h2o.mojo_predict_df <- absent("h2o.mojo_predict_df")

#' @rdname absent
#' @export
h2o.createFrame <- absent("h2o.createFrame")

#' @rdname absent
#' @export
h2o.interaction <- absent("h2o.interaction")

#' @rdname absent
#' @export
h2o.pivot <- absent("h2o.pivot")

#' @rdname absent
#' @export
h2o.melt <- absent("h2o.melt")

#' @rdname absent
#' @export
h2o.cut <- absent("h2o.cut")

#' @rdname absent
#' @export
h2o.apply <- absent("h2o.apply")

#' @rdname absent
#' @export
h2o.strsplit <- absent("h2o.strsplit")

#' @rdname absent
#' @export
h2o.gsub <- absent("h2o.gsub")

#' @rdname absent
#' @export
h2o.sub <- absent("h2o.sub")

#' @rdname absent
#' @export
h2o.rapids <- absent("h2o.rapids")

#' @rdname absent
#' @export
h2o.import_sql_table <- absent("h2o.import_sql_table")

#' @rdname absent
#' @export
h2o.tabulate <- absent("h2o.tabulate")

#' @rdname absent
#' @export
h2o.saveGrid <- absent("h2o.saveGrid")

#' @rdname absent
#' @export
h2o.loadGrid <- absent("h2o.loadGrid")

#' @rdname absent
#' @export
h2o.resumeGrid <- absent("h2o.resumeGrid")

#' @rdname absent
#' @export
h2o.coef <- absent("h2o.coef")
