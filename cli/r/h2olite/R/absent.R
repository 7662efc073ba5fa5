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

#' @rdname absent
#' @export
h2o.nchar <- absent("h2o.nchar")

#' @rdname absent
#' @export
h2o.ddply <- absent("h2o.ddply")

#' @rdname absent
#' @export
h2o.match <- absent("h2o.match")

#' @rdname absent
#' @export
h2o.substring <- absent("h2o.substring")

#' @rdname absent
#' @export
h2o.substr <- absent("h2o.substr")

#' @rdname absent
#' @export
h2o.year <- absent("h2o.year")

#' @rdname absent
#' @export
h2o.month <- absent("h2o.month")

#' @rdname absent
#' @export
h2o.day <- absent("h2o.day")

#' @rdname absent
#' @export
h2o.dayOfWeek <- absent("h2o.dayOfWeek")

#' @rdname absent
#' @export
h2o.hour <- absent("h2o.hour")

#' @rdname absent
#' @export
h2o.week <- absent("h2o.week")

#' @rdname absent
#' @export
h2o.lstrip <- absent("h2o.lstrip")

#' @rdname absent
#' @export
h2o.rstrip <- absent("h2o.rstrip")

#' @rdname absent
#' @export
h2o.countmatches <- absent("h2o.countmatches")

#' @rdname absent
#' @export
h2o.entropy <- absent("h2o.entropy")

#' @rdname absent
#' @export
h2o.grep <- absent("h2o.grep")

#' @rdname absent
#' @export
h2o.fillna <- absent("h2o.fillna")

#' @rdname absent
#' @export
h2o.difflag1 <- absent("h2o.difflag1")

#' @rdname absent
#' @export
h2o.stringdist <- absent("h2o.stringdist")

#' @rdname absent
#' @export
h2o.any <- absent("h2o.any")

#' @rdname absent
#' @export
h2o.all <- absent("h2o.all")

#' @rdname absent
#' @export
h2o.prod <- absent("h2o.prod")

#' @rdname absent
#' @export
h2o.which <- absent("h2o.which")

#' @rdname absent
#' @export
h2o.which_max <- absent("h2o.which_max")

#' @rdname absent
#' @export
h2o.which_min <- absent("h2o.which_min")

#' @rdname absent
#' @export
h2o.skewness <- absent("h2o.skewness")

#' @rdname absent
#' @export
h2o.kurtosis <- absent("h2o.kurtosis")

#' @rdname absent
#' @export
h2o.rank_within_group_by <- absent("h2o.rank_within_group_by")

#' @rdname absent
#' @export
h2o.topN <- absent("h2o.topN")

#' @rdname absent
#' @export
h2o.bottomN <- absent("h2o.bottomN")

#' @rdname absent
#' @export
h2o.tokenize <- absent("h2o.tokenize")

#' @rdname absent
#' @export
h2o.decision_tree <- absent("h2o.decision_tree")

#' @rdname absent
#' @export
h2o.psvm <- absent("h2o.psvm")

#' @rdname absent
#' @export
h2o.upliftRandomForest <- absent("h2o.upliftRandomForest")

#' @rdname absent
#' @export
h2o.infogram <- absent("h2o.infogram")

#' @rdname absent
#' @export
h2o.anovaglm <- absent("h2o.anovaglm")

#' @rdname absent
#' @export
h2o.modelSelection <- absent("h2o.modelSelection")

#' @rdname absent
#' @export
h2o.isotonicregression <- absent("h2o.isotonicregression")

#' @rdname absent
#' @export
h2o.extendedIsolationForest <- absent("h2o.extendedIsolationForest")

#' @rdname absent
#' @export
h2o.pareto_front <- absent("h2o.pareto_front")
