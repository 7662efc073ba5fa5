# What is done with frames cell by cell, and the choosing and setting of rows
# and columns.

#' Choose and set rows and columns of a frame
#'
#' Columns are chosen by name or by index from 1, rows by number, by logical
#' values, or by a frame of one column of 0 and 1, such as a comparison gives.
#' One number alone chooses a column, but a row of a frame of one column.
#' Setting gives a new frame; others that share columns with it stay as they are.
#'
#' @param x,data An H2OFrame.
#' @param row,col,i,name Rows and columns.
#' @param drop Whether a single cell becomes a value of R.
#' @param exact Ignored.
#' @param value An H2OFrame of one column, a vector or one value; NULL removes
#'   a column.
#' @param ... Ignored.
#' @return An H2OFrame; a value where one cell was chosen.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' frame[frame$Sepal.Length > 7.5, 1:2]
#' frame$big <- frame$Sepal.Length > 7
#' names(frame)
#' @name H2OFrame-index
NULL

#' @rdname H2OFrame-index
#' @export
`[.H2OFrame` <- function(data, row, col, drop = TRUE) {
  whole_columns <- nargs() - (if (missing(drop)) 0L else 1L) < 3L
  if (whole_columns) {
    if (missing(row)) return(data)
    # of a frame of one column, numbers choose rows, as in H2O
    by_row <- is.h2o(row) || (length(data) == 1L && !base::is.character(row))
    return(if (by_row) choose_rows(data, row) else choose_columns(data, row))
  }
  frame <- data
  if (!missing(col)) frame <- choose_columns(frame, col)
  if (!missing(row)) frame <- choose_rows(frame, row)
  single <- !missing(row) && !missing(col) && !is.h2o(row) && length(col) == 1L && is.numeric(row) && length(row) == 1L && row > 0
  if (drop && single) as.data.frame(frame)[[1L]] else frame
}

#' @rdname H2OFrame-index
#' @export
`[[.H2OFrame` <- function(x, i, exact = TRUE) choose_columns(x, i)

#' @rdname H2OFrame-index
#' @export
`$.H2OFrame` <- function(x, name) choose_columns(x, name)

choose_columns <- function(frame, which) {
  frame_by("select", frame = frame, columns = I(column_indices(frame, which) - 1L))
}

# Indices from 1 of columns by name, number or logical values.
column_indices <- function(frame, which) {
  names <- attr(frame, "columns")
  if (base::is.factor(which)) which <- as.character(which)
  if (is.logical(which)) return(base::which(rep_len(which, length(names))))
  if (base::is.character(which)) {
    indices <- match(which, names)
    if (anyNA(indices)) {
      stop("the frame has no column \"", which[is.na(indices)][1L], "\"; its columns are ",
        paste(utils::head(names, 20L), collapse = ", "), if (length(names) > 20L) ", ...", ".",
        call. = FALSE
      )
    }
    return(indices)
  }
  if (!is.numeric(which)) stop("columns are chosen by name or number; got class ", class(which)[1L], ".", call. = FALSE)
  if (any(which < 0)) return(seq_along(names)[which])
  if (any(which > length(names) | which < 1)) {
    stop("column numbers must be from 1 to ", length(names), "; got ", which[which > length(names) | which < 1][1L], ".",
      call. = FALSE
    )
  }
  as.integer(which)
}

choose_rows <- function(frame, which) frame_by("choose", frame = frame, rows = row_choice(frame, which))

# Rows as the session takes them: a frame, or numbers from 1; many of these
# travel as a frame.
row_choice <- function(frame, which) {
  if (is.h2o(which)) return(which)
  if (is.logical(which)) which <- base::which(rep_len(which, dim(frame)[1L]))
  if (!is.numeric(which)) stop("rows are chosen by number or logical values; got class ", class(which)[1L], ".", call. = FALSE)
  if (length(which) <= 1000L) return(I(as.double(which)))
  as.h2o(data.frame(row = as.double(which)))
}

#' @rdname H2OFrame-index
#' @export
`[<-.H2OFrame` <- function(data, row, col, ..., value) {
  if (nargs() < 4L) { # data[col] <- value
    if (missing(row)) return(set_columns(data, seq_along(names(data)), value))
    if (is.h2o(row)) return(set_marked(data, row, value))
    return(set_columns(data, row, value))
  }
  columns <- if (missing(col)) names(data) else col
  if (missing(row)) return(set_columns(data, columns, value))
  set_columns(data, columns, value, row_choice(data, row))
}

#' @rdname H2OFrame-index
#' @export
`[[<-.H2OFrame` <- function(x, i, value) set_columns(x, i, value)

#' @rdname H2OFrame-index
#' @export
`$<-.H2OFrame` <- function(x, name, value) set_columns(x, name, value)

set_columns <- function(frame, columns, value, rows = NULL) {
  if (is.logical(columns)) columns <- which(columns)
  if (is.null(value)) {
    if (!is.null(rows)) stop("rows cannot be set to NULL; set them to NA.", call. = FALSE)
    if (base::is.character(columns)) columns <- columns[columns %in% names(frame)]
    return(frame_by("drop_columns", frame = frame, columns = I(column_indices(frame, columns) - 1L)))
  }
  for (i in seq_along(columns)) {
    column <- if (base::is.character(columns)) columns[i] else column_number(frame, columns[i])
    frame <- frame_by("set_column",
      frame = frame, column = column, rows = rows, value = nth_value(value, i, length(columns))
    )
  }
  frame
}

# The 0-based index of a column, or the name of the one after the last.
column_number <- function(frame, number) {
  if (number == length(frame) + 1) return(paste0("C", number))
  column_indices(frame, number) - 1L
}

# Of the values for several columns, that of one.
nth_value <- function(value, i, count) {
  if (is.h2o(value)) return(if (length(value) > 1L && count > 1L) value[i] else value)
  if (is.data.frame(value)) return(as.h2o(value[if (length(value) > 1L) i else 1L]))
  if (length(value) == 1L && !inherits(value, c("Date", "POSIXct", "integer64"))) {
    if (is.na(value)) return(NA)
    return(if (base::is.factor(value)) as.character(value) else value)
  }
  as.h2o(data.frame(value = value, stringsAsFactors = FALSE))
}

# frame[mask] <- value, the mask being a frame as wide as the other.
set_marked <- function(frame, mask, value) {
  for (i in seq_along(names(frame))) {
    frame <- set_columns(frame, names(frame)[i], value, if (length(mask) > 1L) mask[i] else mask)
  }
  frame
}

#' Arithmetic, comparisons and functions of frames
#'
#' Comparisons and logical operators give 1 and 0, missing where a side is.
#' Factors and texts are compared by `==` and `!=` only.
#'
#' @param e1,e2 Frames or single values; vectors as long as the frame.
#' @param x An H2OFrame.
#' @param na.rm Whether missing values are left out.
#' @param ... More frames, or arguments such as `digits` of `round` and `base` of
#'   `log`.
#' @return An H2OFrame; `max`, `sum` and the like give a number.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' sum(frame$Sepal.Length > 7)
#' mean(log(frame$Sepal.Length))
#' @name H2OFrame-ops
NULL

#' @rdname H2OFrame-ops
#' @export
Ops.H2OFrame <- function(e1, e2) {
  if (missing(e2)) {
    return(if (.Generic == "+") e1 else frame_by("unary", op = .Generic, frame = e1))
  }
  frame_by("binary", op = .Generic, left = operand(e1), right = operand(e2))
}

# A side of an operator, as the session takes it.
operand <- function(side) {
  if (is.h2o(side)) return(side)
  if (base::is.factor(side)) side <- as.character(side)
  if (length(side) == 1L) return(if (inherits(side, c("Date", "POSIXct"))) as.numeric(side) else side)
  as.h2o(data.frame(value = side, stringsAsFactors = FALSE))
}

#' @rdname H2OFrame-ops
#' @export
Math.H2OFrame <- function(x, ...) {
  others <- list(...)
  if (.Generic %in% c("round", "signif")) {
    digits <- c(unlist(others), if (.Generic == "round") 0 else 6)[1L]
    return(frame_by("rounded", frame = x, digits = digits, significant = .Generic == "signif"))
  }
  if (.Generic == "log" && length(others)) return(log(x) / log(others[[1L]]))
  frame_by("unary", op = .Generic, frame = x)
}

#' @rdname H2OFrame-ops
#' @export
h2o.abs <- function(x) base::abs(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.acos <- function(x) base::acos(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.ceiling <- function(x) base::ceiling(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.cos <- function(x) base::cos(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.exp <- function(x) base::exp(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.floor <- function(x) base::floor(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.log <- function(x) base::log(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.log10 <- function(x) base::log10(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.log1p <- function(x) base::log1p(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.log2 <- function(x) base::log2(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.sin <- function(x) base::sin(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.sqrt <- function(x) base::sqrt(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.tan <- function(x) base::tan(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.trunc <- function(x) base::trunc(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.cumsum <- function(x) base::cumsum(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.cumprod <- function(x) base::cumprod(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.cummax <- function(x) base::cummax(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.cummin <- function(x) base::cummin(check_frame(x, "x"))

#' @rdname H2OFrame-ops
#' @export
h2o.round <- function(x, digits = 0) base::round(check_frame(x, "x"), digits)

#' @rdname H2OFrame-ops
#' @export
h2o.signif <- function(x, digits = 6) base::signif(check_frame(x, "x"), digits)

#' @rdname H2OFrame-ops
#' @export
Summary.H2OFrame <- function(x, ..., na.rm = FALSE) {
  values <- unlist(lapply(list(x, ...), function(part) {
    if (!is.h2o(part)) return(part)
    if (.Generic == "range") return(c(reduced(part, "min", na.rm), reduced(part, "max", na.rm)))
    reduced(part, .Generic, na.rm)
  }))
  result <- do.call(.Generic, list(values, na.rm = na.rm))
  if (.Generic %in% c("any", "all")) as.logical(result) else result
}

# A number for each column, or one for all: NaN as NA.
reduced <- function(frame, op, na.rm) {
  as.numeric(unlist(call_session("reduce", list(frame = frame, op = op, na_rm = na.rm))))
}

#' @rdname H2OFrame-ops
#' @export
is.na.H2OFrame <- function(x) frame_by("unary", op = "is.na", frame = x)

#' Values by a condition
#'
#' @param test A frame of 0 and 1, or what [base::ifelse()] takes.
#' @param yes,no Frames or single values.
#' @return An H2OFrame: a factor where `yes` or `no` is text.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.ifelse(frame$Sepal.Length > 7, "large", "small")
#' @export
h2o.ifelse <- function(test, yes, no) {
  frame_by("ifelse", test = check_frame(test, "test"), yes = operand(yes), no = operand(no))
}

#' @rdname h2o.ifelse
#' @export
ifelse <- function(test, yes, no) {
  if (is.h2o(test)) h2o.ifelse(test, yes, no) else base::ifelse(test, yes, no)
}

#' Frames side by side and one below the other
#'
#' @param ... Frames; vectors are put into the session.
#' @param deparse.level Ignored.
#' @return An H2OFrame.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' dim(h2o.rbind(frame, frame))
#' names(h2o.cbind(frame[1], frame[2:3]))
#' @export
h2o.cbind <- function(...) frame_by("bind_columns", frames = as_frames(...))

#' @rdname h2o.cbind
#' @export
h2o.rbind <- function(...) frame_by("bind_rows", frames = as_frames(...))

#' @rdname h2o.cbind
#' @export
cbind.H2OFrame <- function(..., deparse.level = 1) h2o.cbind(...)

#' @rdname h2o.cbind
#' @export
rbind.H2OFrame <- function(..., deparse.level = 1) h2o.rbind(...)

as_frames <- function(...) {
  parts <- list(...)
  if (length(parts) == 1L && is.list(parts[[1L]]) && !is.data.frame(parts[[1L]])) parts <- parts[[1L]]
  named <- names(parts)
  unname(lapply(seq_along(parts), function(i) {
    part <- parts[[i]]
    if (is.h2o(part) || is.data.frame(part)) return(as.h2o(part))
    title <- if (length(named) && nzchar(named[i])) named[i] else "x"
    as.h2o(setNames(data.frame(part, stringsAsFactors = FALSE), title))
  }))
}

#' Match the rows of two frames
#'
#' @param x,y Frames.
#' @param by,by.x,by.y Names of the columns that must agree.
#' @param all,all.x,all.y Whether rows without a match stay.
#' @param method Ignored.
#' @param ... Ignored.
#' @return An H2OFrame: the columns to match by, then those of x and of y.
#' @examplesIf h2olite:::has_session()
#' left <- as.h2o(data.frame(k = c("a", "b"), u = 1:2))
#' right <- as.h2o(data.frame(k = c("b", "c"), v = 3:4))
#' h2o.merge(left, right)
#' @export
h2o.merge <- function(x, y, by = intersect(names(x), names(y)), by.x = by, by.y = by,
                      all = FALSE, all.x = all, all.y = all, method = "auto") {
  name_of <- function(which, frame) if (is.numeric(which)) names(frame)[which] else which
  how <- if (all.x && all.y) "outer" else if (all.x) "left" else if (all.y) "right" else "inner"
  frame_by("merge",
    left = check_frame(x, "x"), right = check_frame(y, "y"),
    by_left = I(name_of(by.x, x)), by_right = I(name_of(by.y, y)), how = how
  )
}

#' @rdname h2o.merge
#' @export
merge.H2OFrame <- function(x, y, ...) h2o.merge(x, y, ...)

#' Sort the rows of a frame
#'
#' @param x An H2OFrame.
#' @param ... Columns to sort by; `desc(column)` for the other way round.
#' @return An H2OFrame.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' head(h2o.arrange(frame, Species, desc(Sepal.Length)))
#' @export
h2o.arrange <- function(x, ...) {
  by <- as.list(substitute(list(...)))[-1L]
  decreasing <- vapply(by, function(column) is.call(column) && identical(column[[1L]], quote(desc)), NA)
  columns <- vapply(by, function(column) as.character(if (is.call(column)) column[[2L]] else column), "")
  frame_by("sort", frame = check_frame(x, "x"), columns = I(columns), decreasing = I(decreasing))
}

#' Types of columns
#'
#' `as.factor` sorts texts by code point and numbers by size. `as.numeric` of a
#' factor gives the numbers that its levels are, else, as H2O, the index of the
#' level from 0.
#'
#' @param x An H2OFrame; for the functions of base R anything that they take.
#' @param ... Ignored.
#' @return An H2OFrame, or for `is.factor` and its kin a logical value a column.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(data.frame(y = c(0, 1, 1)))
#' frame$y <- as.factor(frame$y)
#' h2o.levels(frame$y)
#' @export
h2o.asfactor <- function(x) frame_by("as_factor", frame = check_frame(x, "x"))

#' @rdname h2o.asfactor
#' @export
as.factor <- function(x) if (is.h2o(x)) h2o.asfactor(x) else base::as.factor(x)

#' @rdname h2o.asfactor
#' @export
h2o.asnumeric <- function(x) frame_by("as_numeric", frame = check_frame(x, "x"))

#' @rdname h2o.asfactor
#' @export
as.double.H2OFrame <- function(x, ...) h2o.asnumeric(x)

#' @rdname h2o.asfactor
#' @export
as.integer.H2OFrame <- function(x, ...) h2o.asnumeric(x)

#' @rdname h2o.asfactor
#' @export
h2o.ascharacter <- function(x) frame_by("as_character", frame = check_frame(x, "x"))

#' @rdname h2o.asfactor
#' @export
as.character.H2OFrame <- function(x, ...) h2o.ascharacter(x)

#' @rdname h2o.asfactor
#' @export
h2o.isfactor <- function(x) attr(check_frame(x, "x"), "kinds") %in% c("factor", "logical")

#' @rdname h2o.asfactor
#' @export
is.factor <- function(x) if (is.h2o(x)) h2o.isfactor(x) else base::is.factor(x)

#' @rdname h2o.asfactor
#' @export
h2o.isnumeric <- function(x) attr(check_frame(x, "x"), "kinds") %in% c("integer", "integer64", "double")

#' @rdname h2o.asfactor
#' @export
is.numeric.H2OFrame <- function(x) h2o.isnumeric(x)

#' @rdname h2o.asfactor
#' @export
h2o.ischaracter <- function(x) attr(check_frame(x, "x"), "kinds") == "character"

#' @rdname h2o.asfactor
#' @export
is.character <- function(x) if (is.h2o(x)) h2o.ischaracter(x) else base::is.character(x)

#' Levels of factors
#'
#' @param x An H2OFrame.
#' @param i A column of it; all if not given.
#' @param levels New levels: in the order of the old ones, which they rename.
#' @param in.place Ignored: x stays as it is.
#' @param y The level to come first.
#' @return Levels, how many there are, or an H2OFrame.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.levels(frame, "Species")
#' h2o.levels(h2o.relevel(frame$Species, "virginica"))
#' @export
h2o.levels <- function(x, i) {
  frame <- check_frame(x, "x")
  if (!missing(i)) frame <- choose_columns(frame, i)
  found <- lapply(call_session("levels", list(frame = frame)), function(levels) {
    if (is.null(levels) || (length(levels) == 1L && is.na(levels))) NULL else as.character(levels)
  })
  if (length(frame) == 1L) found[[1L]] else found
}

#' @rdname h2o.levels
#' @export
h2o.nlevels <- function(x) {
  found <- h2o.levels(x)
  if (is.list(found)) vapply(found, length, 0L) else length(found)
}

#' @rdname h2o.levels
#' @export
levels.H2OFrame <- function(x) h2o.levels(x)

#' @rdname h2o.levels
#' @export
h2o.setLevels <- function(x, levels, in.place = TRUE) {
  frame_by("set_levels", frame = check_frame(x, "x"), levels = I(levels))
}

#' @rdname h2o.levels
#' @export
h2o.relevel <- function(x, y) {
  old <- h2o.levels(check_frame(x, "x"))
  if (!y %in% old) stop("y must be a level; got \"", y, "\".", call. = FALSE)
  frame_by("set_levels", frame = x, levels = I(c(y, setdiff(old, y))), match = TRUE)
}

#' Values in a table
#'
#' @param x,table Frames of one column, or what [base::match()] takes.
#' @return For a frame, a frame of 1 and 0.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' sum(frame$Species %in% c("setosa", "virginica"))
#' @export
`%in%` <- function(x, table) {
  if (!is.h2o(x)) return(base::`%in%`(x, if (is.h2o(table)) as.vector(table) else table))
  values <- unique(if (is.h2o(table)) as.vector(table) else as.vector(table))
  if (length(values) == 0L) return(is.na(x) * 0)
  found <- lapply(values, function(value) x == value)
  Reduce(`|`, found)
}

#' Texts of columns
#'
#' @param x An H2OFrame of texts or factors.
#' @return An H2OFrame.
#' @examplesIf h2olite:::has_session()
#' h2o.toupper(as.h2o(data.frame(a = c("x", "y"))))
#' @export
h2o.toupper <- function(x) frame_by("unary", op = "toupper", frame = check_frame(x, "x"))

#' @rdname h2o.toupper
#' @export
h2o.tolower <- function(x) frame_by("unary", op = "tolower", frame = check_frame(x, "x"))

#' @rdname h2o.toupper
#' @export
h2o.trim <- function(x) frame_by("unary", op = "trim", frame = check_frame(x, "x"))
