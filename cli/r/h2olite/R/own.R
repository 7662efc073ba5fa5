# What H2O has not: regularisation paths, comparisons, selection, ONNX.

#' Train for many strengths of penalties
#'
#' Trains from weak to strong penalties, each model going on from the one before,
#' and chooses the sparsest that is about as good as the best.
#'
#' @param x,y,training_frame,... As in [h2o.deeplearning()].
#' @param l1,l2,input_group_l1 Strengths: numbers, or text such as
#'   `"1e-6:1e-2:13"`, 13 strengths at equal ratios. Without any, l1 goes
#'   through these.
#' @param validation_share Share of the rows to hold out, where there are neither
#'   folds nor a validation_frame.
#' @param choice "best_1se" for the sparsest model whose loss is within a standard
#'   error of the lowest, "best" for that of the lowest.
#' @param refit Whether to train the chosen model on the rows held out as well.
#' @return A list of class `h2olite_path`: `table`, a row for each strength;
#'   `model`, the chosen one; `model_ids`; `best`, `best_1se` and `chosen`, rows.
#' @examplesIf h2olite:::has_session()
#' path <- h2olite_path(
#'   y = "Species", training_frame = as.h2o(iris), l1 = "1e-4:1e-1:3", hidden = 5, epochs = 2, seed = 1
#' )
#' path$table[c("l1", "validation_loss", "zero_share")]
#' @export
h2olite_path <- function(x, y, training_frame, ..., l1 = NULL, l2 = NULL, input_group_l1 = NULL,
                         validation_share = 0.2, choice = c("best_1se", "best"), refit = FALSE) {
  given <- list(...)
  if (!missing(x)) given$x <- x
  if (!missing(y)) given$y <- y
  if (!missing(training_frame)) given$training_frame <- training_frame
  strengths <- list(l1 = l1, l2 = l2, input_group_l1 = input_group_l1)
  given <- prepare(given)
  described <- call_session("path", list(
    strengths = strengths[!vapply(strengths, is.null, NA)], parameters = given,
    options = list(validation_share = validation_share, choice = match.arg(choice), refit = refit)
  ), stoppable = TRUE)
  structure(
    list(
      table = as_rows(described$rows), model = new_model(described$model, given),
      model_ids = as.character(described$model_ids), best = described$best, best_1se = described$best_1se,
      chosen = described$chosen, names = as.character(described$names), sort_metric = described$sort_metric
    ),
    class = "h2olite_path"
  )
}

#' @rdname h2olite_path
#' @export
print.h2olite_path <- function(x, ...) {
  cat("Regularisation path over ", paste(x$names, collapse = ", "), "; loss: ", x$sort_metric, "\n\n", sep = "")
  shown <- c(x$names, "training_loss", "validation_loss", "nonzero", "zero_share", "features_used", "choice")
  print(x$table[intersect(shown, names(x$table))])
  invisible(x)
}

#' @rdname h2olite_path
#' @export
plot.h2olite_path <- function(x, ...) {
  strength <- x$table[[x$names[1L]]]
  positive <- strength > 0
  plot(strength[positive], x$table$validation_loss[positive],
    log = "x", type = "b", pch = 20, xlab = x$names[1L], ylab = paste("validation", x$sort_metric), ...
  )
  abline(v = strength[c(x$best, x$best_1se)], lty = 2)
  invisible(x$table)
}

#' Hold models against each other
#'
#' Metrics on the same rows, with 95 % intervals of a paired bootstrap, and which
#' differences to the first model are more than chance.
#'
#' @param models A list of models.
#' @param newdata An H2OFrame with the response.
#' @param n_resamples How many tables to draw.
#' @param seed Of the drawing.
#' @return A data.frame: a row for each metric and model.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' models <- lapply(c(2, 8), function(units) {
#'   h2o.deeplearning(y = "Species", training_frame = frame, hidden = units, epochs = 2, seed = 1)
#' })
#' h2olite_compare(models, frame, n_resamples = 100)
#' @export
h2olite_compare <- function(models, newdata, n_resamples = 1000, seed = 1) {
  as_rows(call_session("compare", list(
    models = unname(models), frame = check_frame(newdata, "newdata"), n_resamples = n_resamples, seed = seed
  )))
}

#' Choose the columns that a network needs
#'
#' Ranks the columns on half tables, and measures models of the first columns on
#' the other halves. These losses decide how many columns to choose.
#'
#' @param x,y,training_frame,... As in [h2o.deeplearning()].
#' @param columns How many columns to choose. Without it, the fewest whose loss is
#'   within a standard error of the lowest.
#' @param resamples On how many half tables to rank the columns, an even number.
#' @param refit Whether to train a model on the chosen columns.
#' @return A list of class `h2olite_selection`: `columns`, the names, the most
#'   needed first; `false_columns`, how many of them are expected to be noise;
#'   `ranking`, a row for each column with the share of the half tables in which it
#'   is chosen; `tried`, losses by method and number of columns; `method`;
#'   `sort_metric`; `model`, NULL without `refit`.
#' @examplesIf h2olite:::has_session()
#' selection <- h2olite_select(
#'   y = "Species", training_frame = as.h2o(iris), columns = 2, resamples = 2, hidden = 5, epochs = 5, seed = 1
#' )
#' selection$columns
#' @export
h2olite_select <- function(x, y, training_frame, ..., columns = NULL, resamples = 6, refit = FALSE) {
  given <- list(...)
  if (!missing(x)) given$x <- x
  if (!missing(y)) given$y <- y
  if (!missing(training_frame)) given$training_frame <- training_frame
  given <- prepare(given)
  options <- list(resamples = as.integer(resamples), refit = refit)
  if (!is.null(columns)) options$columns <- as.integer(columns)
  described <- call_session("select_predictors", list(parameters = given, options = options), stoppable = TRUE)
  structure(
    list(
      columns = as.character(described$columns), false_columns = described$false_columns,
      ranking = as_rows(described$ranking), tried = as_rows(described$tried), method = described$method,
      sort_metric = described$sort_metric,
      model = if (is.null(described$model)) NULL else new_model(described$model, given)
    ),
    class = "h2olite_selection"
  )
}

#' @rdname h2olite_select
#' @export
print.h2olite_selection <- function(x, ...) {
  cat(
    length(x$columns), " of ", nrow(x$ranking), " columns by ", x$method, "; about ", format(x$false_columns, digits = 2),
    " of them are expected to be noise\n\n",
    sep = ""
  )
  print(x$ranking[seq_along(x$columns), , drop = FALSE])
  invisible(x)
}

#' Search for good settings within a time
#'
#' Starts from `preset = "accurate"`, tries other encodings of numbers,
#' activations, hidden layers, dropout ratios, l1, l2 and more, and trains a model
#' with the best. Networks are measured by cross-validation.
#'
#' @param x,y,training_frame,... As in [h2o.deeplearning()]. What is given is not
#'   tried.
#' @param max_runtime_secs Seconds for everything.
#' @param max_models Networks that the search trains at the most; 0 for no limit.
#' @param directory A folder where what has been tried is written at once; the same
#'   search in the same folder goes on.
#' @return A list of class `h2olite_tuning`: `model`; `tried`, a row for each
#'   setting, the best first; `sort_metric`; `seconds`.
#' @examplesIf h2olite:::has_session()
#' tuning <- h2olite_tune(
#'   y = "Species", training_frame = as.h2o(iris), max_models = 4, hidden = 5, epochs = 5, seed = 1
#' )
#' tuning$tried
#' @export
h2olite_tune <- function(x, y, training_frame, ..., max_runtime_secs = 300, max_models = 0, directory = NULL) {
  given <- list(...)
  if (!missing(x)) given$x <- x
  if (!missing(y)) given$y <- y
  if (!missing(training_frame)) given$training_frame <- training_frame
  given <- prepare(given)
  options <- list(max_runtime_secs = max_runtime_secs, max_models = as.integer(max_models))
  if (!is.null(directory)) options$folder <- path.expand(directory)
  described <- call_session("tune", list(parameters = given, options = options), stoppable = TRUE)
  structure(
    list(
      model = if (is.null(described$model)) NULL else new_model(described$model, given),
      tried = as_rows(described$tried), sort_metric = described$sort_metric, seconds = described$seconds
    ),
    class = "h2olite_tuning"
  )
}

#' @rdname h2olite_tune
#' @export
print.h2olite_tuning <- function(x, ...) {
  cat(nrow(x$tried), " settings tried in ", round(x$seconds), " s\n\n", sep = "")
  print(utils::head(x$tried))
  invisible(x)
}

#' Write a model as an ONNX file
#'
#' Needs the Python package onnx: `pip install 'h2olite[onnx]'`.
#'
#' @param model A model.
#' @param path The file to write.
#' @param force Whether to replace a file that is there.
#' @return The path.
#' @export
h2olite_export_onnx <- function(model, path, force = TRUE) {
  call_session("export_onnx", list(model = check_model(model, "model"), path = absolute(path), force = force))
}
