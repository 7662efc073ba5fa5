# What sums frames up, fills them in, and deals their rows.

#' Deal the rows of a frame
#'
#' `h2o.splitFrame` deals rows at random: the same ratios and seed give the same
#' rows every time. `h2o.runif` gives the numbers that it deals by.
#'
#' @param data,x An H2OFrame.
#' @param ratios The share of each part but the last.
#' @param destination_frames Keys of the parts.
#' @param seed The seed; -1 for any.
#' @param nfolds How many folds.
#' @return `h2o.splitFrame` gives a list of frames; the others give a column.
#' @examplesIf h2olite:::has_session()
#' parts <- h2o.splitFrame(as.h2o(iris), ratios = 0.8, seed = 1)
#' sapply(parts, h2o.nrow)
#' @export
h2o.splitFrame <- function(data, ratios = 0.75, destination_frames, seed = -1) {
  keys <- if (missing(destination_frames)) NULL else I(destination_frames)
  parts <- call_session("split", list(frame = check_frame(data), ratios = I(ratios), keys = keys, seed = seed))
  lapply(seq_len(NROW(parts)), function(i) new_frame(lapply(parts, `[[`, i), owned = is.null(keys)))
}

#' @rdname h2o.splitFrame
#' @export
h2o.runif <- function(x, seed = -1) frame_by("runif", frame = check_frame(x, "x"), seed = seed)

#' @rdname h2o.splitFrame
#' @export
h2o.kfold_column <- function(data, nfolds, seed = -1) {
  frame_by("fold_column", frame = check_frame(data), nfolds = nfolds, seed = seed)
}

#' Means, deviations and other numbers of columns
#'
#' @param x An H2OFrame; for the functions of base R anything that they take.
#' @param y A second one.
#' @param na.rm Whether missing values are left out.
#' @param use "everything" or "complete.obs": whether rows with missing values
#'   are left out.
#' @param axis Must be 0: of columns.
#' @param return_frame Whether to give a frame.
#' @param method Must be "Pearson".
#' @param ... Passed on.
#' @return A number, or one for each column; NA for factors.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.mean(frame$Sepal.Length)
#' h2o.sd(frame[1:4])
#' @export
h2o.mean <- function(x, na.rm = FALSE, axis = 0, return_frame = FALSE, ...) {
  reduced_columns(x, "mean", na.rm, axis, return_frame)
}

reduced_columns <- function(x, op, na.rm, axis = 0, return_frame = FALSE) {
  if (axis != 0) stop("axis must be 0: h2olite sums up columns; use as.data.frame() for rows.", call. = FALSE)
  values <- reduced(check_frame(x, "x"), op, na.rm)
  if (!return_frame) return(values)
  as.h2o(setNames(as.data.frame(as.list(values)), names(x)))
}

#' @rdname h2o.mean
#' @export
mean.H2OFrame <- h2o.mean

#' @rdname h2o.mean
#' @export
h2o.sum <- function(x, na.rm = FALSE, axis = 0, return_frame = FALSE) {
  if (axis == 0 && !return_frame) return(sum(reduced_columns(x, "sum", na.rm)))
  reduced_columns(x, "sum", na.rm, axis, return_frame)
}

#' @rdname h2o.mean
#' @export
h2o.min <- function(x, na.rm = FALSE) min(check_frame(x, "x"), na.rm = na.rm)

#' @rdname h2o.mean
#' @export
h2o.max <- function(x, na.rm = FALSE) max(check_frame(x, "x"), na.rm = na.rm)

#' @rdname h2o.mean
#' @export
h2o.range <- function(x, na.rm = FALSE, ...) range(check_frame(x, "x"), na.rm = na.rm)

#' @rdname h2o.mean
#' @export
h2o.median <- function(x, na.rm = TRUE) reduced(check_frame(x, "x"), "median", na.rm)

#' @rdname h2o.mean
#' @export
median.H2OFrame <- function(x, na.rm = TRUE, ...) h2o.median(x, na.rm)

#' @rdname h2o.mean
#' @export
h2o.sd <- function(x, na.rm = FALSE) reduced(check_frame(x, "x"), "sd", na.rm)

#' @rdname h2o.mean
#' @export
sd <- function(x, na.rm = FALSE) if (is.h2o(x)) h2o.sd(x, na.rm) else stats::sd(x, na.rm)

#' @rdname h2o.mean
#' @export
h2o.var <- function(x, y = NULL, na.rm = FALSE, use) {
  if (is.null(y) && length(check_frame(x, "x")) == 1L) return(reduced(x, "var", na.rm))
  matrix_of(x, y, covariance = TRUE, complete = na.rm || leaves_out(use))
}

#' @rdname h2o.mean
#' @export
var <- function(x, y = NULL, na.rm = FALSE, use) {
  if (is.h2o(x)) return(h2o.var(x, y, na.rm))
  if (missing(use)) stats::var(x, y, na.rm) else stats::var(x, y, na.rm, use)
}

#' @rdname h2o.mean
#' @export
h2o.cor <- function(x, y = NULL, na.rm = FALSE, use, method = "Pearson") {
  if (tolower(method) != "pearson") stop("method must be \"Pearson\"; got \"", method, "\".", call. = FALSE)
  matrix_of(x, y, covariance = FALSE, complete = na.rm || leaves_out(use))
}

# Whether rows with missing values are left out, as `use` says.
leaves_out <- function(use) {
  if (missing(use)) return(FALSE)
  if (!use %in% c("everything", "all.obs", "complete.obs")) {
    stop("use must be everything, all.obs or complete.obs; got \"", use, "\".", call. = FALSE)
  }
  use == "complete.obs"
}

# Correlations or covariances; of single columns a number.
matrix_of <- function(x, y, covariance, complete) {
  rows <- call_session("correlation", list(
    frame = check_frame(x, "x"), other = y, covariance = covariance, complete = complete
  ))
  numbers <- do.call(rbind, rows)
  if (length(numbers) == 1L) return(as.numeric(numbers))
  dimnames(numbers) <- list(names(x), names(if (is.null(y)) x else y))
  as.data.frame(numbers)
}

#' @rdname h2o.mean
#' @export
h2o.nacnt <- function(x) as.numeric(unlist(call_session("missing", list(frame = check_frame(x, "x")))))

#' @rdname h2o.mean
#' @export
h2o.anyFactor <- function(x) any(h2o.isfactor(x))

#' Quantiles of columns
#'
#' By linear interpolation, as type 7 of [stats::quantile()].
#'
#' @param x An H2OFrame of numbers.
#' @param probs Probabilities.
#' @param combine_method Must be "interpolate".
#' @param weights_column Must be NULL.
#' @param ... Ignored.
#' @return A named vector; of several columns a matrix.
#' @examplesIf h2olite:::has_session()
#' h2o.quantile(as.h2o(iris)$Sepal.Length, c(0.1, 0.9))
#' @export
h2o.quantile <- function(x, probs = c(0.001, 0.01, 0.1, 0.25, 0.333, 0.5, 0.667, 0.75, 0.9, 0.99, 0.999),
                         combine_method = c("interpolate", "average", "avg", "low", "high"),
                         weights_column = NULL, ...) {
  refuse_others(list(weights_column = weights_column), "h2o.quantile")
  if (combine_method[1L] != "interpolate") stop("combine_method must be \"interpolate\".", call. = FALSE)
  values <- call_session("quantile", list(frame = check_frame(x, "x"), probs = I(probs)))
  titles <- paste0(100 * probs, "%")
  columns <- lapply(values, function(column) setNames(as.numeric(unlist(column)), titles))
  if (length(columns) == 1L) columns[[1L]] else do.call(cbind, setNames(columns, names(x)))
}

#' @rdname h2o.quantile
#' @export
quantile.H2OFrame <- h2o.quantile

#' What a frame holds
#'
#' `h2o.describe` has a row for each column of the frame; `summary` is what R's
#' own gives for the data.frame.
#'
#' @param frame,object An H2OFrame.
#' @param factors How many levels of a factor to show.
#' @param exact_quantiles Ignored: quantiles are exact.
#' @param ... Ignored.
#' @return A data.frame; of `summary` a table.
#' @examplesIf h2olite:::has_session()
#' h2o.describe(as.h2o(iris))
#' @export
h2o.describe <- function(frame) {
  columns <- call_session("describe", list(frame = check_frame(frame, "frame")))
  order <- c("Label", "Type", "Missing", "Zeros", "PosInf", "NegInf", "Min", "Max", "Mean", "Sigma", "Cardinality")
  as.data.frame(lapply(columns[order], as_column), stringsAsFactors = FALSE)
}

# A column that JSON may have given as a list, or infinite numbers as texts.
as_column <- function(values) {
  values <- if (is.list(values)) unlist(lapply(values, function(value) if (is.null(value)) NA else value)) else values
  if (base::is.character(values) && all(values %in% c("Inf", "-Inf", NA) | !is.na(suppressWarnings(as.numeric(values))))) {
    return(suppressWarnings(as.numeric(values)))
  }
  if (is.logical(values)) as.numeric(values) else values
}

#' @rdname h2o.describe
#' @export
h2o.summary <- function(object, factors = 6L, exact_quantiles = FALSE, ...) {
  summary(as.data.frame(check_frame(object, "object")), maxsum = factors + 1L)
}

#' @rdname h2o.describe
#' @export
summary.H2OFrame <- h2o.summary

#' Counts of values
#'
#' @param x,y Frames of one column; x may have two.
#' @param dense Must be TRUE.
#' @param include_nas Whether missing counts as a value.
#' @param ... Frames, or what [base::table()] takes.
#' @return `h2o.table` and `h2o.unique` give an H2OFrame, `table` a table of R.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.table(frame$Species)
#' table(frame$Species)
#' @export
h2o.table <- function(x, y = NULL, dense = TRUE) {
  if (!isTRUE(dense)) stop("dense must be TRUE; use table() for a matrix of counts.", call. = FALSE)
  frame_by("count", frame = if (is.null(y)) check_frame(x, "x") else h2o.cbind(x, check_frame(y, "y")))
}

#' @rdname h2o.table
#' @export
table <- function(...) {
  call <- match.call(expand.dots = TRUE)
  if (!any(vapply(list(...), is.h2o, NA))) {
    call[[1L]] <- quote(base::table)
    return(eval(call, parent.frame()))
  }
  parts <- lapply(list(...), function(part) if (is.h2o(part)) unname(as.list(as.data.frame(part))) else list(part))
  do.call(base::table, unlist(parts, recursive = FALSE))
}

#' @rdname h2o.table
#' @export
h2o.unique <- function(x, include_nas = FALSE) {
  frame_by("unique", frame = check_frame(x, "x"), include_nas = include_nas)
}

#' @rdname h2o.table
#' @export
unique.H2OFrame <- function(x, ...) h2o.unique(x)

#' Fill in missing values
#'
#' H2O changes the frame itself; here the frame of that key is replaced too,
#' so that `data` has no missing values afterwards.
#'
#' @param data An H2OFrame.
#' @param column The column; 0 for all.
#' @param method "mean", "median" or "mode", the most frequent value.
#' @param combine_method Ignored.
#' @param by Columns: rows that agree in them are filled from each other.
#' @param groupByFrame,values Must be NULL.
#' @return What was filled in: a number or text, several with `by`.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(data.frame(a = c(1, NA, 3)))
#' h2o.impute(frame, "a", method = "mean")
#' frame
#' @export
h2o.impute <- function(data, column = 0, method = c("mean", "median", "mode"),
                       combine_method = c("interpolate", "average", "low", "high"),
                       by = NULL, groupByFrame = NULL, values = NULL) {
  refuse_others(list(groupByFrame = groupByFrame, values = values), "h2o.impute")
  check_frame(data)
  every <- is.numeric(column) && identical(as.numeric(column), 0)
  columns <- if (every) names(data) else names(data)[column_indices(data, column)]
  by <- if (is.null(by)) NULL else I(names(data)[column_indices(data, by)])
  used <- lapply(columns, function(name) {
    is_text <- attr(data, "kinds")[match(name, names(data))] %in% c("factor", "character", "logical")
    chosen <- if (every && is_text) "mode" else method[1L]
    filled <- call_session("impute", list(
      frame = data, column = name, method = chosen, by = by, destination_frame = NULL
    ))
    replace_frame(data, new_frame(filled))
    filled$values
  })
  if (length(used) == 1L) used[[1L]] else setNames(used, columns)
}

# Put what one frame holds in the place of what another one does.
replace_frame <- function(old, new) {
  described <- call_session("assign", list(frame = new, destination_frame = attr(old, "id")))
  attr(old, "kinds") <- as.character(described$kinds)
  invisible(old)
}

#' Make cells missing at random
#'
#' The frame of that key is replaced, as in H2O.
#'
#' @param data An H2OFrame.
#' @param fraction The share of the cells.
#' @param seed The seed; -1 for any.
#' @return The frame, invisibly.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.insertMissingValues(frame, fraction = 0.5, seed = 1)
#' h2o.nacnt(frame)
#' @export
h2o.insertMissingValues <- function(data, fraction = 0.1, seed = -1) {
  replace_frame(data, frame_by("insert_missing", frame = check_frame(data), fraction = fraction, seed = seed))
}

#' Histogram of a column
#'
#' @param x An H2OFrame of one column of numbers.
#' @param breaks,plot,... As in [graphics::hist()].
#' @return An object of class histogram.
#' @examplesIf h2olite:::has_session()
#' h2o.hist(as.h2o(iris)$Sepal.Length, plot = FALSE)$counts
#' @export
h2o.hist <- function(x, breaks = "Sturges", plot = TRUE) {
  bars <- graphics::hist(as.vector(check_frame(x, "x")), breaks = breaks, plot = FALSE)
  bars$xname <- names(x)[1L]
  if (plot) plot(bars)
  bars
}

#' @rdname h2o.hist
#' @export
hist.H2OFrame <- function(x, ...) graphics::hist(as.vector(x), ...)

#' Rows without missing values; scaled columns; groups
#'
#' @param object,x,data An H2OFrame.
#' @param center,scale Whether to take off the mean, and divide by the deviation.
#' @param inplace Ignored: x stays as it is.
#' @param by Columns: a row of the result for each combination of their values.
#' @param gb.control Ignored.
#' @param ... For `h2o.group_by` calls such as `mean("a")` or `nrow("a")`, of
#'   mean, sum, min, max, sd, var, median and nrow.
#' @return An H2OFrame.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.group_by(frame, by = "Species", mean("Sepal.Length"), nrow("Sepal.Length"))
#' @export
h2o.na_omit <- function(object, ...) frame_by("complete", frame = check_frame(object, "object"))

#' @rdname h2o.na_omit
#' @export
na.omit.H2OFrame <- h2o.na_omit

#' @rdname h2o.na_omit
#' @export
h2o.scale <- function(x, center = TRUE, scale = TRUE, inplace = FALSE) {
  frame_by("scale", frame = check_frame(x, "x"), center = center, scale = scale)
}

#' @rdname h2o.na_omit
#' @export
scale.H2OFrame <- function(x, center = TRUE, scale = TRUE) h2o.scale(x, center, scale)

#' @rdname h2o.na_omit
#' @export
h2o.group_by <- function(data, by, ..., gb.control = NULL) {
  calls <- as.list(substitute(list(...)))[-1L]
  scope <- parent.frame()
  functions <- lapply(calls, function(call) {
    if (!is.call(call)) stop("groups are summarised by calls such as mean(\"a\").", call. = FALSE)
    column <- if (length(call) > 1L) eval(call[[2L]], scope) else 1
    list(as.character(call[[1L]]), names(data)[column_indices(data, column)])
  })
  by <- names(check_frame(data))[column_indices(data, by)]
  frame_by("group", frame = data, by = I(by), functions = unname(functions))
}
