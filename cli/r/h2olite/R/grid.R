# Grids of models.

#' Search settings by a grid
#'
#' @param algorithm Must be "deeplearning".
#' @param grid_id The key of the grid.
#' @param x,y,training_frame,... As in [h2o.deeplearning()].
#' @param hyper_params A list of the values to try, by name.
#' @param is_supervised Ignored.
#' @param do_hyper_params_check Whether a value that is out of range is an error at
#'   once; otherwise the models with it fail, and the others are trained.
#' @param search_criteria A list: `strategy`, "Cartesian", "RandomDiscrete" or
#'   "Sequential", `max_models`, `max_runtime_secs`, `seed`, `stopping_rounds`,
#'   `stopping_metric`, `stopping_tolerance`.
#' @param export_checkpoints_dir A folder to write every model to.
#' @param recovery_dir The same; a search in the same folder goes on where it was
#'   ended.
#' @param parallelism Ignored: every training uses all cores.
#' @return A grid, [H2OGrid-class].
#' @examplesIf h2olite:::has_session()
#' grid <- h2o.grid("deeplearning",
#'   y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 1, seed = 1,
#'   hyper_params = list(l1 = c(0, 1e-4))
#' )
#' grid@summary_table
#' best <- h2o.getModel(grid@model_ids[[1]])
#' @export
h2o.grid <- function(algorithm, grid_id, x, y, training_frame, ..., hyper_params = list(), is_supervised = NULL,
                     do_hyper_params_check = FALSE, search_criteria = NULL, export_checkpoints_dir = NULL,
                     recovery_dir = NULL, parallelism = 1) {
  refuse_algorithm(algorithm)
  given <- list(...)
  if (!missing(x)) given$x <- x
  if (!missing(y)) given$y <- y
  if (!missing(training_frame)) given$training_frame <- training_frame
  described <- call_session("search", list(
    hyper_parameters = lapply(hyper_params, distinct_values), check = do_hyper_params_check,
    parameters = prepare(given), criteria = search_criteria, grid_id = if (missing(grid_id)) NULL else grid_id,
    directory = if (is.null(recovery_dir)) export_checkpoints_dir else recovery_dir
  ), stoppable = TRUE)
  if (isTRUE(described$interrupted)) warning("the search was interrupted; these are its models so far.", call. = FALSE)
  new_grid(described)
}

# The values of a hyper-parameter, each once.
distinct_values <- function(values) if (is.list(values)) lapply(unique(values), as_value) else I(unique(values))

# A value of a hyper-parameter: a vector of several numbers is one value.
as_value <- function(value) if (length(value) == 1L) value else I(value)

new_grid <- function(described) {
  table <- as_rows(described$table)
  if (!is.null(table)) {
    table[] <- lapply(table, function(column) if (is.list(column)) vapply(column, paste, "", collapse = ", ") else column)
    order <- if (isTRUE(described$decreasing)) "decreasing" else "increasing"
    attr(table, "header") <- paste0("Hyper-Parameter Search Summary: ordered by ", order, " ", described$sort_metric)
  }
  failed <- described$failed
  failed <- if (is.data.frame(failed)) split_rows(failed) else as.list(failed)
  names <- as.character(described$hyper_names)
  raw <- vapply(failed, function(one) vapply(names, function(name) paste(unlist(one[[name]]), collapse = ", "), ""), names)
  new("H2OGrid",
    grid_id = described$grid_id, model_ids = as.list(described$model_ids), hyper_names = as.list(names),
    failed_params = failed, failure_details = as.list(described$failures), failure_stack_traces = list(),
    failed_raw_params = matrix(as.character(unlist(raw)), ncol = length(names), byrow = TRUE), summary_table = table
  )
}

#' Train a model for every segment of a frame
#'
#' @param algorithm Must be "deeplearning".
#' @param segment_columns Columns: a model is trained on the rows of each
#'   combination of their values.
#' @param segment_models_id A key for the result.
#' @param parallelism Ignored: every training uses all cores.
#' @param ... As in [h2o.deeplearning()].
#' @return Models of segments, [H2OSegmentModels-class].
#' @examplesIf h2olite:::has_session()
#' models <- h2o.train_segments("deeplearning",
#'   segment_columns = "Species", y = "Sepal.Width", training_frame = as.h2o(iris),
#'   hidden = 5, epochs = 1, seed = 1
#' )
#' as.data.frame(models)
#' @export
h2o.train_segments <- function(algorithm, segment_columns, segment_models_id, parallelism = 1, ...) {
  refuse_algorithm(algorithm)
  given <- prepare(list(...))
  rows <- as_rows(call_session("train_segments", list(segments = I(segment_columns), parameters = given), stoppable = TRUE))
  names(rows)[names(rows) == "model_id"] <- "model"
  rows$status <- toupper(rows$status)
  new("H2OSegmentModels",
    segment_models_id = if (missing(segment_models_id)) new_key("segment_models") else segment_models_id, segments = rows
  )
}

refuse_algorithm <- function(algorithm) {
  if (!identical(tolower(algorithm), "deeplearning")) {
    stop("algorithm must be \"deeplearning\"; h2olite has no \"", algorithm, "\".", call. = FALSE)
  }
}

split_rows <- function(table) lapply(seq_len(nrow(table)), function(i) lapply(table, `[[`, i))

#' @rdname h2o.grid
#' @param sort_by The metric to sort the models by.
#' @param decreasing Whether the largest comes first; the best if not given.
#' @param verbose Ignored.
#' @export
h2o.getGrid <- function(grid_id, sort_by, decreasing, verbose = FALSE) {
  by <- if (missing(sort_by)) NULL else sort_key(sort_by)
  order <- if (missing(decreasing)) NULL else decreasing
  if (!is.null(by) && tolower(sort_by) == "accuracy" && !is.null(order)) order <- !order # the error is 1 - accuracy
  new_grid(call_session("grid", list(grid_id = grid_id, sort_by = by, decreasing = order)))
}

# h2olite's name of a metric to sort by.
sort_key <- function(name) {
  keys <- c(
    residual_deviance = "mean_residual_deviance", deviance = "mean_residual_deviance", err = "error", accuracy = "error",
    aucpr = "pr_auc"
  )
  name <- tolower(name)
  if (name %in% names(keys)) keys[[name]] else name
}
