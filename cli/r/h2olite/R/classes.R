# The classes of models, metrics and grids, with H2O's names and slots.

setClassUnion("listOrNull", c("list", "NULL"))
setClassUnion("data.frameOrNull", c("data.frame", "NULL"))

#' Models
#'
#' A model that the session holds, as [h2o.deeplearning()] makes it. Its class
#' says what it predicts: two classes, several, numbers, or its own inputs.
#'
#' @slot model_id The key of the model.
#' @slot algorithm "deeplearning".
#' @slot parameters The parameters that were given.
#' @slot allparameters All parameters.
#' @slot have_pojo FALSE.
#' @slot have_mojo TRUE.
#' @slot model What was learnt: `training_metrics`, `validation_metrics`,
#'   `cross_validation_metrics`, `cross_validation_metrics_summary`,
#'   `variable_importances`, `scoring_history`, `model_summary`,
#'   `default_threshold` and more.
#' @param object A model.
#' @param ... Ignored.
#' @aliases H2OModel
#' @export
setClass("H2OModel",
  representation(
    model_id = "character", algorithm = "character", parameters = "list", allparameters = "list",
    have_pojo = "logical", have_mojo = "logical", model = "list", "VIRTUAL"
  ),
  prototype(model_id = NA_character_, algorithm = "deeplearning", have_pojo = FALSE, have_mojo = TRUE)
)

#' @rdname H2OModel-class
#' @export
setClass("H2OBinomialModel", contains = "H2OModel")

#' @rdname H2OModel-class
#' @export
setClass("H2OMultinomialModel", contains = "H2OModel")

#' @rdname H2OModel-class
#' @export
setClass("H2ORegressionModel", contains = "H2OModel")

#' @rdname H2OModel-class
#' @export
setClass("H2OAutoEncoderModel", contains = "H2OModel")

#' Metrics
#'
#' How good a model is on a frame, as [h2o.performance()] gives it.
#'
#' @slot algorithm "deeplearning".
#' @slot on_train,on_valid,on_xval What was measured on.
#' @slot metrics The values: `MSE`, `RMSE`, `logloss`, `AUC`, `cm` and so on.
#' @param object Metrics.
#' @aliases H2OModelMetrics
#' @export
setClass("H2OModelMetrics",
  representation(
    algorithm = "character", on_train = "logical", on_valid = "logical", on_xval = "logical",
    metrics = "listOrNull", "VIRTUAL"
  ),
  prototype(
    algorithm = "deeplearning", on_train = FALSE, on_valid = FALSE, on_xval = FALSE, metrics = NULL
  )
)

#' @rdname H2OModelMetrics-class
#' @export
setClass("H2OBinomialMetrics", contains = "H2OModelMetrics")

#' @rdname H2OModelMetrics-class
#' @export
setClass("H2OMultinomialMetrics", contains = "H2OModelMetrics")

#' @rdname H2OModelMetrics-class
#' @export
setClass("H2ORegressionMetrics", contains = "H2OModelMetrics")

#' @rdname H2OModelMetrics-class
#' @export
setClass("H2OAutoEncoderMetrics", contains = "H2OModelMetrics")

#' Grids
#'
#' The models of a search, best first, as [h2o.grid()] makes it.
#'
#' @slot grid_id The key of the grid.
#' @slot model_ids The keys of its models, best first.
#' @slot hyper_names What was searched.
#' @slot failed_params Settings that no model could be trained with.
#' @slot failure_details,failure_stack_traces Why not.
#' @slot failed_raw_params The same settings as text.
#' @slot summary_table A row for each model.
#' @param object A grid.
#' @param ... Ignored.
#' @aliases H2OGrid
#' @export
setClass("H2OGrid",
  representation(
    grid_id = "character", model_ids = "list", hyper_names = "list", failed_params = "list",
    failure_details = "list", failure_stack_traces = "list", failed_raw_params = "matrix",
    summary_table = "data.frameOrNull"
  )
)

#' Models of segments
#'
#' The models of [h2o.train_segments()]; `as.data.frame` has a row for each.
#'
#' @slot segment_models_id A key.
#' @slot segments A row for each segment.
#' @param x,object Such models.
#' @param ... Ignored.
#' @return A data.frame: the segment's values, rows, `model`, the key of its
#'   model, `status` and `errors`.
#' @aliases H2OSegmentModels
#' @export
setClass("H2OSegmentModels", representation(segment_models_id = "character", segments = "data.frame"))

#' @rdname H2OSegmentModels-class
#' @export
as.data.frame.H2OSegmentModels <- function(x, ...) x@segments

#' @rdname H2OSegmentModels-class
#' @export
setMethod("show", "H2OSegmentModels", function(object) {
  cat("Segment Models ID:", object@segment_models_id, "\n")
  print(object@segments)
})

FRAMES_OF_METRICS <- c(train = "training_metrics", valid = "validation_metrics", xval = "cross_validation_metrics")

# The S4 object of a model that the session describes. jsonlite gives tables as
# data.frames.
new_model <- function(described, given = NULL) {
  class <- paste0("H2O", described$category, "Model")
  measured <- lapply(names(FRAMES_OF_METRICS), function(on) {
    new_metrics(described[[FRAMES_OF_METRICS[[on]]]], described$category, on)
  })
  names(measured) <- FRAMES_OF_METRICS
  model <- c(measured, list(
    cross_validation_metrics_summary = fold_summary(described$cross_validation_metrics_summary),
    cross_validation_models = as.list(described$cross_validation_models),
    variable_importances = as_rows(described$variable_importances),
    scoring_history = as_rows(described$scoring_history),
    model_summary = layer_table(described),
    default_threshold = described$default_threshold,
    model_category = described$category,
    names = c(as.character(described$predictors_names), described$response),
    domain = as_texts(described$classes),
    run_time = if (is.null(described$seconds)) NULL else 1000 * described$seconds$total,
    training_seconds = described$seconds,
    epochs = described$epochs,
    stopped_by = described$stopped_by,
    weights_count = described$weights,
    features = described$features,
    warnings = as_texts(described$warnings)
  ))
  all <- lapply(described$parameters, function(value) if (identical(value, "Inf")) Inf else value)
  changed <- c(
    all[intersect(c(names(given), as.character(described$changed)), names(all))],
    list(model_id = described$model_id, seed = all$seed, y = described$response)
  )
  chosen <- given[c("x", "training_frame", "validation_frame")]
  chosen <- lapply(chosen[!vapply(chosen, is.null, NA)], function(part) if (is.h2o(part)) attr(part, "id") else part)
  if (is.null(chosen$x)) chosen$x <- as.character(described$predictors_names)
  changed[names(chosen)] <- chosen
  new(class,
    model_id = described$model_id, parameters = changed[!duplicated(names(changed))], allparameters = all, model = model
  )
}

as_texts <- function(values) if (length(values)) as.character(unlist(values)) else NULL

# The summary of folds with the names of metrics as names of rows.
fold_summary <- function(rows) {
  rows <- as_rows(rows)
  if (is.null(rows)) return(NULL)
  row.names(rows) <- rows$metric
  rows$metric <- NULL
  rows
}

# The layers as H2O shows them, with what the network is as header.
layer_table <- function(described) {
  layers <- as_rows(described$layers)
  if (is.null(layers)) return(NULL)
  what <- switch(described$category,
    AutoEncoder = "auto-encoder",
    Binomial = paste0("predicting ", described$response, ", 2-class classification"),
    Multinomial = paste0("predicting ", described$response, ", ", length(described$classes), "-class classification"),
    paste0("predicting ", described$response, ", regression")
  )
  parameters <- described$parameters
  header <- paste0(
    "Status of Neuron Layers: ", what, ", ", parameters$distribution, " distribution, ", parameters$loss, " loss, ",
    format(described$weights$total, big.mark = ","), " weights, ", format(described$samples, big.mark = ","),
    " training samples, mini-batch size ", parameters$mini_batch_size
  )
  structure(layers, header = header)
}

# The S4 object of metrics that the session describes; without any, one whose
# metrics are NULL.
new_metrics <- function(described, category, on = "", frame = NULL) {
  class <- paste0("H2O", category, "Metrics")
  values <- if (is.null(described)) NULL else metric_values(described)
  if (!is.null(frame)) values$frame <- list(name = frame)
  new(class, on_train = on == "train", on_valid = on == "valid", on_xval = on == "xval", metrics = values)
}

# Values by the names that H2O's R objects have.
metric_values <- function(described) {
  number <- function(name) if (is.null(described[[name]])) NA_real_ else as.numeric(described[[name]])
  of_some <- function(name) if (name %in% names(described)) number(name) else NULL
  table <- described$table
  values <- list(
    model_category = described$category, nobs = number("nobs"), MSE = number("mse"), RMSE = number("rmse"),
    r2 = of_some("r2"), logloss = of_some("logloss"), AUC = of_some("auc"), pr_auc = of_some("pr_auc"),
    Gini = of_some("gini"), mean_per_class_error = of_some("mean_per_class_error"), err = of_some("error"),
    mae = of_some("mae"), rmsle = of_some("rmsle"), mean_residual_deviance = of_some("mean_residual_deviance"),
    kolmogorov_smirnov = of_some("kolmogorov_smirnov"), threshold = of_some("threshold"),
    custom_metric_name = described$custom_metric_name, custom_metric_value = of_some("custom_metric_value"),
    domain = if (is.null(table)) NULL else as.character(table$labels),
    cm = if (is.null(table)) NULL else list(table = confusion_table(table)),
    thresholds_and_metric_scores = as_rows(described$thresholds_and_metric_scores),
    max_criteria_and_metric_scores = titled(
      as_rows(described$max_criteria_and_metric_scores),
      "Maximum Metrics: Maximum metrics at their respective thresholds"
    ),
    gains_lift_table = as_rows(described$gains_lift),
    hit_ratio_table = if (is.null(described$hit_ratios)) {
      NULL
    } else {
      data.frame(k = seq_along(described$hit_ratios), hit_ratio = as.numeric(described$hit_ratios))
    },
    multinomial_auc_table = as_rows(described$multinomial_auc_table),
    multinomial_aucpr_table = as_rows(described$multinomial_aucpr_table)
  )
  if (!is.null(values$max_criteria_and_metric_scores)) { # H2O counts rows from 0
    values$max_criteria_and_metric_scores$idx <- as.integer(values$max_criteria_and_metric_scores$idx)
  }
  values[!vapply(values, is.null, NA)]
}

titled <- function(table, title) if (is.null(table)) NULL else structure(table, header = title)

# A confusion matrix as a data.frame, with errors and a row of totals.
confusion_table <- function(table) {
  cells <- as.data.frame(setNames(lapply(table$columns, as.numeric), table$labels), check.names = FALSE)
  cells$Error <- as.numeric(table$Error)
  cells$Rate <- paste0("=", gsub(" / ", "/", table$Rate, fixed = TRUE))
  row.names(cells) <- make.unique(c(as.character(table$labels), "Totals"))
  cells
}

say <- function(label, value) if (!is.null(value)) cat(label, ":  ", format(value, digits = 7), "\n", sep = "")

show_numbers <- function(metrics) {
  say("MSE", metrics$MSE)
  say("RMSE", metrics$RMSE)
  say("MAE", metrics$mae)
  say("RMSLE", metrics$rmsle)
  say("Mean Residual Deviance ", metrics$mean_residual_deviance)
  say("LogLoss", metrics$logloss)
  say("Mean Per-Class Error", metrics$mean_per_class_error)
  say("AUC", metrics$AUC)
  say("AUCPR", metrics$pr_auc)
  say("Gini", metrics$Gini)
  if (!is.null(metrics$custom_metric_name)) say(metrics$custom_metric_name, metrics$custom_metric_value)
}

#' @rdname H2OModelMetrics-class
#' @export
setMethod("show", "H2OModelMetrics", function(object) {
  cat(class(object), ": ", object@algorithm, "\n", sep = "")
  on <- c(train = "training", valid = "validation", xval = "cross-validation")
  on <- on[c(object@on_train, object@on_valid, object@on_xval)]
  if (length(on)) cat("** Reported on", on, "data. **\n")
  if (is.null(object@metrics)) return(invisible(print(NULL)))
  cat("\n")
  show_numbers(object@metrics)
  if (is(object, "H2OBinomialMetrics")) {
    cat("\nConfusion Matrix (vertical: actual; across: predicted) for F1-optimal threshold:\n")
    print(object@metrics$cm$table)
    cat("\nMaximum Metrics: Maximum metrics at their respective thresholds\n")
    print(object@metrics$max_criteria_and_metric_scores)
    cat("\nGains/Lift Table: Extract with `h2o.gainsLift(<model>, <data>)`\n")
  } else if (is(object, "H2OMultinomialMetrics")) {
    cat("\nConfusion Matrix (vertical: actual; across: predicted):\n")
    print(object@metrics$cm$table)
    cat("\nHit Ratio Table: Extract with `h2o.hit_ratio_table(<model>, <data>)`\n")
    print(object@metrics$hit_ratio_table)
  }
  invisible(NULL)
})

show_model <- function(object, id_label) {
  cat("Model Details:\n==============\n\n", class(object), ": ", object@algorithm, "\n", sep = "")
  cat(id_label, object@model_id, "\n")
  if (!is.null(object@model$model_summary)) {
    cat(attr(object@model$model_summary, "header"), "\n", sep = "")
    print(object@model$model_summary[seq_len(min(13L, ncol(object@model$model_summary)))], row.names = FALSE)
  }
  for (name in FRAMES_OF_METRICS) {
    if (!is.null(object@model[[name]]@metrics)) {
      cat("\n")
      show(object@model[[name]])
    }
  }
  folds <- object@model$cross_validation_metrics_summary
  if (!is.null(folds)) {
    cat("\nCross-Validation Metrics Summary: \n")
    print(folds)
  }
  invisible(object)
}

#' @rdname H2OModel-class
#' @export
setMethod("show", "H2OModel", function(object) show_model(object, "Model ID: "))

#' @rdname H2OModel-class
#' @export
summary.H2OModel <- function(object, ...) {
  show_model(object, "Model Key: ")
  cat("\nScoring History: \n")
  print(object@model$scoring_history)
  if (!is.null(object@model$variable_importances)) {
    cat("\nVariable Importances: (Extract with `h2o.varimp`) \n")
    cat("=================================================\n\n")
    print(object@model$variable_importances)
  }
  invisible(NULL)
}

#' @rdname H2OGrid-class
#' @export
setMethod("show", "H2OGrid", function(object) {
  cat("H2O Grid Details\n================\n\nGrid ID:", object@grid_id, "\nUsed hyper parameters: \n")
  for (name in object@hyper_names) cat("  - ", name, "\n")
  cat("Number of models:", length(object@model_ids), "\n")
  cat("Number of failed models:", length(object@failed_params), "\n\n")
  cat(attr(object@summary_table, "header"), "\n")
  print(object@summary_table)
  for (detail in object@failure_details) cat("Failed: ", detail, "\n", sep = "")
  invisible(NULL)
})

#' @rdname H2OGrid-class
#' @export
summary.H2OGrid <- function(object, ...) show(object)
