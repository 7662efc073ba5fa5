# Metrics and their getters.

#' Measure a model
#'
#' @param model A model.
#' @param newdata,data An H2OFrame with the response; `data` is the older name.
#' @param train,valid,xval Without newdata: the metrics of training, validation
#'   or cross-validation.
#' @param auc_type The mean AUC of several classes.
#' @param auuc_type Must not be set.
#' @return Metrics, for [h2o.auc()] and the like; NULL where there are none.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' h2o.performance(model, frame)
#' @export
h2o.performance <- function(model, newdata = NULL, train = FALSE, valid = FALSE, xval = FALSE, data = NULL,
                            auc_type = "NONE", auuc_type = NULL) {
  refuse_others(list(auuc_type = auuc_type), "h2o.performance")
  check_model(model, "model")
  if (!is.null(data)) {
    warning("The `data` argument is DEPRECATED; use `newdata` instead.", call. = FALSE)
    newdata <- data
  }
  if (sum(train, valid, xval) > 1) stop("only one of `train`, `valid`, and `xval` can be TRUE", call. = FALSE)
  if (is.null(newdata)) {
    on <- if (valid) "valid" else if (xval) "xval" else "train"
    found <- model@model[[FRAMES_OF_METRICS[[on]]]]
    return(if (is.null(found@metrics)) NULL else found)
  }
  response <- model@parameters$y
  if (!is.null(response) && !response %in% names(check_frame(newdata, "newdata"))) {
    message("Metrics need the response, ", response, ", which newdata lacks.")
    return(NULL)
  }
  described <- call_session("performance", list(
    model = model, frame = check_frame(newdata, "newdata"), auc_type = if (auc_type == "NONE") NULL else auc_type
  ))
  new_metrics(described, described$category, frame = attr(newdata, "id"))
}

#' Metrics of any predictions
#'
#' @param predicted A frame: probabilities of the second of two classes, or a
#'   column for each class, or predicted numbers.
#' @param actuals A frame of one column.
#' @param domain The levels, in order; of a factor its own if not given.
#' @param distribution The distribution of a regression.
#' @param weights A frame of row weights.
#' @param ... H2O's other arguments, which must not be set.
#' @return Metrics.
#' @examplesIf h2olite:::has_session()
#' h2o.make_metrics(as.h2o(data.frame(p = c(0.2, 0.7))), as.h2o(data.frame(y = factor(c("a", "b")))))
#' @export
h2o.make_metrics <- function(predicted, actuals, domain = NULL, distribution = NULL, weights = NULL, ...) {
  refuse_others(list(...), "h2o.make_metrics")
  described <- call_session("make_metrics", list(
    predicted = check_frame(predicted, "predicted"), actuals = check_frame(actuals, "actuals"),
    domain = if (is.null(domain)) NULL else I(domain), distribution = distribution, weights = weights
  ))
  new_metrics(described, described$category)
}

# One value of metrics, or of those of a model: of training if no frame is asked
# for, a named vector or list if several are.
metric_of <- function(object, name, what, train, valid, xval) {
  if (is(object, "H2OModelMetrics")) {
    value <- object@metrics[[name]]
    if (is.null(value)) warning("No ", what, " for ", class(object), call. = FALSE)
    return(if (is.null(value)) invisible(NULL) else value)
  }
  if (is(object, "H2OGrid")) stop("give a model of the grid: h2o.getModel(grid@model_ids[[1]]).", call. = FALSE)
  check_model(object)
  asked <- c("train", "valid", "xval")[c(train, valid, xval)]
  if (!length(asked)) {
    # as H2O: of training; of an imported model whatever there is
    asked <- "train"
  }
  values <- lapply(asked, function(on) {
    metrics <- object@model[[FRAMES_OF_METRICS[[on]]]]@metrics
    if (is.null(metrics)) {
      if (on != "train") {
        warning("No ", c(valid = "validation", xval = "cross-validation")[[on]], " metrics available.", call. = FALSE)
      }
      return(NULL)
    }
    if (is.null(metrics[[name]])) warning("No ", what, " for ", class(object), call. = FALSE)
    metrics[[name]]
  })
  if (length(asked) == 1L) return(if (is.null(values[[1L]])) invisible(NULL) else values[[1L]])
  names(values) <- asked
  if (all(vapply(values, length, 0L) == 1L)) unlist(values) else values
}

#' Numbers of metrics
#'
#' @param object Metrics, or a model.
#' @param train,valid,xval Of a model: which metrics. Those of training if none
#'   is TRUE; a named vector if several are.
#' @return A number; a data.frame of the tables. NULL, with a warning, where
#'   there is no such metric.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' h2o.logloss(model)
#' h2o.mse(h2o.performance(model, frame))
#' @name h2o.auc
NULL

# Make the getter of one metric.
getter <- function(name, what) {
  force(name)
  force(what)
  function(object, train = FALSE, valid = FALSE, xval = FALSE) {
    metric_of(object, name, what, train, valid, xval)
  }
}

#' @rdname h2o.auc
#' @export
h2o.auc <- getter("AUC", "AUC")

#' @rdname h2o.auc
#' @export
h2o.aucpr <- getter("pr_auc", "AUCPR")

#' @rdname h2o.auc
#' @export
h2o.pr_auc <- getter("pr_auc", "PR AUC")

#' @rdname h2o.auc
#' @export
h2o.giniCoef <- getter("Gini", "Gini")

#' @rdname h2o.auc
#' @export
h2o.logloss <- getter("logloss", "log loss")

#' @rdname h2o.auc
#' @export
h2o.mse <- getter("MSE", "MSE")

#' @rdname h2o.auc
#' @export
h2o.rmse <- getter("RMSE", "RMSE")

#' @rdname h2o.auc
#' @export
h2o.mae <- getter("mae", "MAE")

#' @rdname h2o.auc
#' @export
h2o.rmsle <- getter("rmsle", "RMSLE")

#' @rdname h2o.auc
#' @export
h2o.r2 <- getter("r2", "R^2")

#' @rdname h2o.auc
#' @export
h2o.mean_residual_deviance <- getter("mean_residual_deviance", "mean residual deviance")

#' @rdname h2o.auc
#' @export
h2o.mean_per_class_error <- getter("mean_per_class_error", "mean per class error")

#' @rdname h2o.auc
#' @export
h2o.hit_ratio_table <- getter("hit_ratio_table", "hit ratio table")

#' @rdname h2o.auc
#' @export
h2o.thresholds_and_metric_scores <- getter("thresholds_and_metric_scores", "thresholds and metric scores")

#' @rdname h2o.auc
#' @export
h2o.multinomial_auc_table <- getter("multinomial_auc_table", "multinomial AUC table")

#' @rdname h2o.auc
#' @export
h2o.multinomial_aucpr_table <- getter("multinomial_aucpr_table", "multinomial PR AUC table")

#' Confusion matrices, gains and lift
#'
#' @param object Metrics, or a model.
#' @param newdata An H2OFrame to measure the model on.
#' @param valid,xval Whether those of validation or cross-validation; of training
#'   if neither.
#' @param thresholds Of two classes: probabilities from which the second is
#'   predicted.
#' @param metrics Criteria, each of which chooses the threshold at which it is
#'   largest; "f1" if nothing is given.
#' @param ... Passed on.
#' @return A data.frame; a list of them where several are asked for.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(droplevels(iris[-(1:50), ]))
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' h2o.confusionMatrix(model)
#' h2o.confusionMatrix(model, thresholds = 0.3)
#' h2o.gainsLift(model)
#' @export
setGeneric("h2o.confusionMatrix", function(object, ...) standardGeneric("h2o.confusionMatrix"))

#' @rdname h2o.confusionMatrix
#' @export
setMethod("h2o.confusionMatrix", "H2OModel", function(object, newdata, valid = FALSE, xval = FALSE, ...) {
  found <- metrics_for(object, if (missing(newdata)) NULL else newdata, valid, xval)
  if (is.null(found)) invisible(NULL) else h2o.confusionMatrix(found, ...)
})

#' @rdname h2o.confusionMatrix
#' @export
setMethod("h2o.confusionMatrix", "H2OModelMetrics", function(object, thresholds = NULL, metrics = NULL) {
  if (is.null(object@metrics$cm)) {
    warning("No Confusion Matrices for ", class(object), call. = FALSE)
    return(NULL)
  }
  if (!is(object, "H2OBinomialMetrics") || (is.null(thresholds) && is.null(metrics))) return(object@metrics$cm$table)
  chosen <- vapply(unlist(metrics), function(metric) h2o.find_threshold_by_max_metric(object, metric), 0)
  matrices <- lapply(c(unlist(thresholds), chosen), confusion_at, object = object)
  if (length(matrices) == 1L) matrices[[1L]] else matrices
})

# The metrics of a model on a frame, or of those that it was trained with.
metrics_for <- function(object, newdata, valid, xval) {
  if (!is.null(newdata)) {
    if (valid || xval) stop("Cannot have both `newdata` and `valid=TRUE` or `xval=TRUE`", call. = FALSE)
    return(h2o.performance(object, newdata))
  }
  found <- h2o.performance(object, valid = valid, xval = xval)
  if (is.null(found)) {
    warning("No ", if (valid) "validation" else if (xval) "cross-validation" else "training", " metrics available.",
      call. = FALSE
    )
  }
  found
}

# The confusion matrix of two classes when probabilities from a threshold on
# count as the second one.
confusion_at <- function(object, threshold) {
  if (!is.numeric(threshold) || is.na(threshold) || threshold < 0 || threshold > 1) {
    stop("thresholds must be numbers from 0 to 1; got ", threshold, ".", call. = FALSE)
  }
  counts <- counts_at(object, threshold)
  cells <- matrix(c(counts$tns, counts$fns, counts$fps, counts$tps), 2L)
  wrong <- c(cells[1L, 2L], cells[2L, 1L])
  rows <- rowSums(cells)
  domain <- object@metrics$domain
  table <- as.data.frame(rbind(cells, colSums(cells)))
  names(table) <- domain
  table$Error <- c(wrong / rows, sum(wrong) / sum(rows))
  table$Rate <- paste0("=", format(c(wrong, sum(wrong)), trim = TRUE), "/", format(c(rows, sum(rows)), trim = TRUE))
  row.names(table) <- make.unique(c(domain, "Totals"))
  structure(table, header = paste0("Confusion Matrix (vertical: actual; across: predicted) @ threshold = ", threshold))
}

# The row of the table of thresholds that holds at a threshold; above all of
# them every row counts as the first class.
counts_at <- function(object, threshold) {
  table <- object@metrics$thresholds_and_metric_scores
  rows <- which(table$threshold >= threshold)
  if (length(rows)) return(table[max(rows), ])
  first <- table[1L, ]
  first$tns <- first$tns + first$fps
  first$fns <- first$fns + first$tps
  first$tps <- first$fps <- 0
  first
}

#' @rdname h2o.confusionMatrix
#' @export
h2o.gainsLift <- function(object, ...) {
  if (is(object, "H2OModelMetrics")) return(metric_of(object, "gains_lift_table", "gains/lift table"))
  gains_of_model(object, ...)
}

gains_of_model <- function(object, newdata = NULL, valid = FALSE, xval = FALSE) {
  found <- metrics_for(check_model(object), newdata, valid, xval)
  if (is.null(found)) invisible(NULL) else h2o.gainsLift(found)
}

#' @rdname h2o.confusionMatrix
#' @export
h2o.gains_lift <- function(object, ...) h2o.gainsLift(object, ...)

#' @rdname h2o.confusionMatrix
#' @export
h2o.kolmogorov_smirnov <- function(object) metric_of(object, "kolmogorov_smirnov", "Kolmogorov-Smirnov", FALSE, FALSE, FALSE)

#' Criteria at thresholds
#'
#' @param object Metrics of two classes.
#' @param thresholds Probabilities from which the second class is predicted; all
#'   of the table if not given, "max" for that at which the criterion is largest.
#' @param threshold One of them.
#' @param metric A criterion, such as "f1".
#' @param transform Must not be set.
#' @return A data.frame of thresholds and values, a number, or numbers.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(droplevels(iris[-(1:50), ]))
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' measured <- h2o.performance(model, frame)
#' h2o.find_threshold_by_max_metric(measured, "f1")
#' h2o.accuracy(measured, 0.5)
#' @export
h2o.metric <- function(object, thresholds, metric, transform = NULL) {
  refuse_others(list(transform = transform), "h2o.metric")
  table <- criteria_of(object)
  if (missing(metric)) {
    if (missing(thresholds)) return(table)
    return(do.call(rbind, lapply(unlist(thresholds), function(t) h2o.find_row_by_threshold(object, t))))
  }
  name <- criterion(metric, table)
  if (missing(thresholds)) return(setNames(table[c("threshold", name)], c("threshold", metric)))
  if (identical(thresholds, "max")) thresholds <- h2o.find_threshold_by_max_metric(object, name)
  values <- lapply(unlist(thresholds), function(t) h2o.find_row_by_threshold(object, t)[[name]])
  if (is.list(thresholds)) values else unlist(values)
}

criteria_of <- function(object) {
  if (!is(object, "H2OBinomialMetrics")) {
    stop("thresholds need metrics of two classes; got ", class(object)[1L], ": see h2o.performance().", call. = FALSE)
  }
  object@metrics$thresholds_and_metric_scores
}

ALIASES <- c(
  fallout = "fpr", missrate = "fnr", recall = "tpr", sensitivity = "tpr", specificity = "tnr", mcc = "absolute_mcc",
  F1 = "f1", F2 = "f2", F0point5 = "f0point5"
)

# The column of the table that a criterion stands in.
criterion <- function(metric, table) {
  name <- if (metric %in% names(table)) metric else if (metric %in% names(ALIASES)) ALIASES[[metric]] else tolower(metric)
  if (!name %in% names(table)) {
    known <- setdiff(names(table), c("threshold", "idx"))
    stop("metric must be one of ", paste(known, collapse = ", "), "; got \"", metric, "\".", call. = FALSE)
  }
  name
}

#' @rdname h2o.metric
#' @export
h2o.find_threshold_by_max_metric <- function(object, metric) {
  if (is(object, "H2OModel")) object <- h2o.performance(object)
  name <- criterion(metric, criteria_of(object))
  best <- object@metrics$max_criteria_and_metric_scores
  row <- match(paste("max", name), best$metric)
  if (!is.na(row)) return(best$threshold[row])
  table <- criteria_of(object)
  table$threshold[which.max(table[[name]])]
}

#' @rdname h2o.metric
#' @export
h2o.find_row_by_threshold <- function(object, threshold) {
  table <- criteria_of(object)
  rows <- which(table$threshold >= threshold)
  table[if (length(rows)) max(rows) else 1L, ]
}

# Make the function of one criterion.
criterion_getter <- function(name) {
  force(name)
  function(object, thresholds) h2o.metric(object, thresholds, name)
}

#' @rdname h2o.metric
#' @export
h2o.F1 <- criterion_getter("f1")

#' @rdname h2o.metric
#' @export
h2o.F2 <- criterion_getter("f2")

#' @rdname h2o.metric
#' @export
h2o.F0point5 <- criterion_getter("f0point5")

#' @rdname h2o.metric
#' @export
h2o.accuracy <- criterion_getter("accuracy")

#' @rdname h2o.metric
#' @export
h2o.precision <- criterion_getter("precision")

#' @rdname h2o.metric
#' @export
h2o.recall <- criterion_getter("tpr")

#' @rdname h2o.metric
#' @export
h2o.sensitivity <- criterion_getter("tpr")

#' @rdname h2o.metric
#' @export
h2o.specificity <- criterion_getter("tnr")

#' @rdname h2o.metric
#' @export
h2o.tpr <- criterion_getter("tpr")

#' @rdname h2o.metric
#' @export
h2o.tnr <- criterion_getter("tnr")

#' @rdname h2o.metric
#' @export
h2o.fpr <- criterion_getter("fpr")

#' @rdname h2o.metric
#' @export
h2o.fnr <- criterion_getter("fnr")

#' @rdname h2o.metric
#' @export
h2o.fallout <- criterion_getter("fpr")

#' @rdname h2o.metric
#' @export
h2o.missrate <- criterion_getter("fnr")

#' @rdname h2o.metric
#' @export
h2o.mcc <- criterion_getter("absolute_mcc")

#' @rdname h2o.metric
#' @export
h2o.mean_per_class_accuracy <- criterion_getter("mean_per_class_accuracy")

# Make the function of one error: 1 - an accuracy.
error_getter <- function(name) {
  force(name)
  function(object, thresholds) {
    found <- h2o.metric(object, thresholds, name)
    if (!is.data.frame(found)) return(if (is.list(found)) lapply(found, function(value) 1 - value) else 1 - found)
    found[[2L]] <- 1 - found[[2L]]
    found
  }
}

#' @rdname h2o.metric
#' @export
h2o.error <- error_getter("accuracy")

#' @rdname h2o.metric
#' @export
h2o.maxPerClassError <- error_getter("min_per_class_accuracy")
