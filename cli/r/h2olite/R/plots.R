# Pictures, by base R.

#' Plot the scoring history, or the ROC curve
#'
#' @param x A model, or metrics of two classes.
#' @param timestep The x axis: "AUTO", "epochs", "samples" or "duration".
#' @param metric The y axis: "AUTO", or a metric of the scoring history, such as
#'   "logloss", "rmse", "classification_error".
#' @param type "roc", or "pr" for precision against recall.
#' @param main,... As in [graphics::plot()].
#' @return What was drawn, as a data.frame, invisibly.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(droplevels(iris[-(1:50), ]))
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 2, seed = 1)
#' plot(model)
#' plot(h2o.performance(model, frame), type = "roc")
#' @export
plot.H2OModel <- function(x, timestep = "AUTO", metric = "AUTO", ...) {
  history <- x@model$scoring_history
  if (is.null(history)) stop("the model has no scoring history to plot.", call. = FALSE)
  step <- if (timestep == "AUTO") "epochs" else tolower(timestep)
  if (metric == "AUTO") {
    auto <- c("logloss", "deviance", "rmse", "mse")
    metric <- auto[paste0("training_", auto) %in% names(history)][1L]
  }
  metric <- tolower(metric)
  columns <- intersect(paste0(c("training_", "validation_"), metric), names(history))
  if (!step %in% names(history) || !length(columns)) {
    known <- unique(sub("^(training|validation)_", "", grep("^(training|validation)_", names(history), value = TRUE)))
    stop("timestep must be epochs, samples, duration or iterations, and metric one of ",
      paste(setdiff(known, "speed"), collapse = ", "), "; got ", step, " and ", metric, ".",
      call. = FALSE
    )
  }
  colours <- c(training = "blue", validation = "orange")[sub("_.*", "", columns)]
  values <- unlist(history[columns])
  plot(range(history[[step]]), range(values, na.rm = TRUE),
    type = "n", xlab = step, ylab = metric, main = paste("Scoring history of", x@model_id), ...
  )
  for (i in seq_along(columns)) lines(history[[step]], history[[columns[i]]], col = colours[i], type = "b", pch = 20)
  legend("topright", legend = sub("_.*", "", columns), col = colours, lty = 1, bty = "n")
  invisible(history[c(step, columns)])
}

#' @rdname plot.H2OModel
#' @export
plot.H2OBinomialMetrics <- function(x, type = "roc", main, ...) {
  table <- x@metrics$thresholds_and_metric_scores
  drawn <- switch(type,
    roc = data.frame(fpr = c(0, table$fpr, 1), tpr = c(0, table$tpr, 1)),
    pr = data.frame(recall = table$recall, precision = table$precision),
    stop("type must be \"roc\" or \"pr\"; got \"", type, "\".", call. = FALSE)
  )
  labels <- if (type == "roc") c("False Positive Rate (FPR)", "True Positive Rate (TPR)") else c("Recall", "Precision")
  if (missing(main)) main <- if (type == "roc") "Receiver Operating Characteristic curve" else "Precision Recall curve"
  if (type == "roc") main <- paste0(main, "\nAUC = ", format(x@metrics$AUC, digits = 4))
  plot(drawn[[1L]], drawn[[2L]],
    type = "l", col = "blue", xlim = c(0, 1), ylim = c(0, 1), xlab = labels[1L], ylab = labels[2L], main = main, ...
  )
  if (type == "roc") abline(0, 1, lty = 2)
  invisible(drawn)
}

#' Plot how much each input matters
#'
#' @param model,object A model.
#' @param newdata An H2OFrame with the response.
#' @param num_of_features How many to show; 10 if not given.
#' @param ... As in [h2o.permutation_importance()].
#' @return What was drawn, as a data.frame, invisibly.
#' @examplesIf h2olite:::has_session()
#' model <- h2o.deeplearning(
#'   y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 1, seed = 1
#' )
#' h2o.varimp_plot(model)
#' @export
h2o.varimp_plot <- function(model, num_of_features = NULL) {
  found <- h2o.varimp(model)
  if (is.null(found)) return(invisible(NULL))
  draw_bars(found$variable, found$scaled_importance, num_of_features, "Variable Importance: Deep Learning")
  invisible(found)
}

#' @rdname h2o.varimp_plot
#' @export
h2o.permutation_importance_plot <- function(object, newdata, num_of_features = NULL, ...) {
  found <- h2o.permutation_importance(object, newdata, ...)
  draw_bars(found[[1L]], found[[2L]], num_of_features, "Permutation Variable Importance")
  invisible(found)
}

draw_bars <- function(names, values, count, title) {
  shown <- rev(seq_len(min(length(names), if (is.null(count)) 10L else count)))
  labels <- substr(names[shown], 1L, 30L)
  before <- par(mar = c(4, min(max(nchar(labels)) / 2 + 1, 16), 3, 1))
  on.exit(par(before))
  barplot(values[shown], names.arg = labels, horiz = TRUE, las = 1, col = "#1F77B4", border = NA, main = title)
}

#' Plot the training and validation loss
#'
#' @param model A model.
#' @param metric A metric of the scoring history, or "AUTO".
#' @param ... Passed on to [plot.H2OModel()].
#' @return What was drawn, as a data.frame, invisibly.
#' @examplesIf h2olite:::has_session()
#' model <- h2o.deeplearning(
#'   y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 2, seed = 1
#' )
#' h2o.learning_curve_plot(model)
#' @export
h2o.learning_curve_plot <- function(model, metric = "AUTO", ...) plot(check_model(model, "model"), metric = metric, ...)

#' Partial dependence
#'
#' The mean prediction when a column has the same value in every row.
#'
#' @param object A model.
#' @param newdata An H2OFrame.
#' @param cols Columns; all predictors if not given.
#' @param destination_key Ignored.
#' @param nbins How many values of a number to go through.
#' @param plot Whether to draw.
#' @param plot_stddev Whether to draw the standard deviation.
#' @param weight_column,col_pairs_2dpdp Must not be set.
#' @param include_na Whether missing is one of the values.
#' @param user_splits A list of vectors: the column, then its values; or values
#'   by name of the column.
#' @param save_to The beginning of the names of PNG files to draw to.
#' @param row_index A row, from 1, to look at alone; -1 for all.
#' @param targets Of several classes: those to predict.
#' @param ... Must be empty.
#' @return A data.frame for each column and target, or that of a single one.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(droplevels(iris[-(1:50), ]))
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' h2o.partialPlot(model, frame, "Petal.Length", nbins = 3, plot = FALSE)
#' @export
h2o.partialPlot <- function(object, newdata, cols, destination_key, nbins = 20, plot = TRUE, plot_stddev = TRUE,
                            weight_column = -1, include_na = FALSE, user_splits = NULL, col_pairs_2dpdp = NULL,
                            save_to = NULL, row_index = -1, targets = NULL, ...) {
  given <- list(...)
  if (missing(newdata)) newdata <- given$data
  refuse_others(given[names(given) != "data"], "h2o.partialPlot")
  if (!identical(as.numeric(weight_column), -1)) stop("weight_column is not in h2olite; leave it out.", call. = FALSE)
  refuse_others(list(col_pairs_2dpdp = col_pairs_2dpdp), "h2o.partialPlot")
  tables <- call_session("partial_plot", list(
    model = check_model(object), frame = check_frame(newdata, "newdata"), cols = if (missing(cols)) NULL else I(cols),
    nbins = nbins, targets = if (is.null(targets)) NULL else I(targets), include_na = include_na,
    user_splits = named_splits(user_splits), row_index = if (row_index < 1) NULL else row_index - 1
  ))
  tables <- lapply(split_rows(tables), function(table) {
    names(table)[2L] <- table$column
    as.data.frame(lapply(table[-1L], as_column), check.names = FALSE, stringsAsFactors = FALSE)
  })
  if (plot) for (i in seq_along(tables)) draw_dependence(tables[[i]], plot_stddev, save_to)
  if (length(tables) == 1L) tables[[1L]] else tables
}

named_splits <- function(splits) {
  if (is.null(splits) || !is.null(names(splits))) return(lapply(splits, I))
  setNames(lapply(splits, function(one) {
    values <- suppressWarnings(as.numeric(one[-1L]))
    I(if (anyNA(values)) one[-1L] else values)
  }), vapply(splits, `[[`, "", 1L))
}

draw_dependence <- function(table, plot_stddev, save_to) {
  name <- names(table)[1L]
  if (!is.null(save_to)) {
    grDevices::png(paste0(save_to, "_", name, ".png"))
    on.exit(grDevices::dev.off())
  }
  x <- if (is.numeric(table[[1L]])) table[[1L]] else seq_along(table[[1L]])
  mean <- table$mean_response
  spread <- if (plot_stddev) table$stddev_response else 0
  plot(x, mean,
    type = "b", pch = 20, col = "blue", xlab = name, ylab = "mean_response", ylim = range(mean - spread, mean + spread),
    xaxt = if (is.numeric(table[[1L]])) "s" else "n", main = paste("Partial dependence on", name)
  )
  if (!is.numeric(table[[1L]])) axis(1, x, table[[1L]])
  if (plot_stddev) {
    lines(x, mean - spread, lty = 2)
    lines(x, mean + spread, lty = 2)
  }
}
