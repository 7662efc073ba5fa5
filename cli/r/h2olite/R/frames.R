# Frames: R's handle of a table that the session holds, H2O's ways to make,
# name and drop them, and what makes an H2OFrame look like a data.frame.
#
# A handle is an environment, so that R tells when nothing refers to it any
# more; what it knows stands in attributes: `id`, `rows`, `columns`, `kinds`
# and the number of the `session`.

# The handle of a frame that the session describes. A frame that is `owned` is
# dropped with its last handle.
new_frame <- function(described, owned = TRUE) {
  frame <- new.env(parent = emptyenv())
  id <- described$frame
  count <- state$counts[[id]]
  if (owned || !is.null(count)) {
    state$counts[[id]] <- c(count, 0L)[1L] + 1L
    session <- state$number
    reg.finalizer(frame, function(unused) release(id, session))
  }
  structure(frame,
    class = "H2OFrame", id = id, rows = described$rows,
    columns = as.character(described$columns), kinds = as.character(described$kinds), session = state$number
  )
}

# One handle less: the key of the last one is dropped with the next request,
# since this may run at any moment, within one too.
release <- function(id, session) {
  if (session != state$number || is.null(state$counts[[id]])) return()
  state$counts[[id]] <- state$counts[[id]] - 1L
  if (state$counts[[id]] <= 0L) {
    rm(list = id, envir = state$counts)
    state$free <- c(state$free, id)
  }
}

# The frame itself, if the session that holds it is still there.
check_held <- function(frame) {
  if (attr(frame, "session") != state$number || is.null(state$process)) {
    stop("the frame ", attr(frame, "id"), " was held by a session that has ended; make it anew.", call. = FALSE)
  }
  frame
}

# A new frame that an operation of the session makes.
frame_by <- function(.operation, ..., owned = TRUE) {
  new_frame(call_session(.operation, list(...)), owned)
}

check_frame <- function(x, what = "data") {
  if (!is.h2o(x)) stop("`", what, "` must be an H2OFrame; got ", class(x)[1L], ": make one by as.h2o().", call. = FALSE)
  x
}

#' @rdname h2o.dim
#' @export
is.h2o <- function(x) inherits(x, "H2OFrame")

# A key such as "iris_sid_1a2b_3".
new_key <- function(base) {
  state$key <- state$key + 1L
  base <- gsub("[^A-Za-z0-9_.-]", "_", substr(base[1L], 1L, 40L))
  if (!grepl("^[A-Za-z]", base)) base <- paste0("Key_Frame_", base)
  sprintf("%s_sid_%x_%d", base, Sys.getpid(), state$key)
}

#' Put a table into the session
#'
#' Factors keep their levels in order; text, logical values, whole numbers
#' (with the package bit64 also those of 64 bits), times and dates come back
#' from [as.data.frame()] as they went. Numbers travel exactly.
#'
#' @param x A data.frame, matrix, vector or H2OFrame.
#' @param destination_frame The key of the new frame; made up if not given.
#' @param ... Further arguments of methods.
#' @return An H2OFrame.
#' @examplesIf h2olite:::has_session()
#' iris_frame <- as.h2o(iris)
#' dim(iris_frame)
#' levels <- h2o.levels(iris_frame$Species)
#' @export
as.h2o <- function(x, destination_frame = "", ...) UseMethod("as.h2o")

#' @rdname as.h2o
#' @export
as.h2o.default <- function(x, destination_frame = "", ...) {
  key <- key_of(destination_frame, substitute(x))
  table <- if (is.null(dim(x))) data.frame(x = x, stringsAsFactors = FALSE) else as.data.frame(x, stringsAsFactors = FALSE)
  new_frame(put_frame(table, key), owned = destination_frame == "")
}

#' @rdname as.h2o
#' @export
as.h2o.data.frame <- function(x, destination_frame = "", ...) {
  new_frame(put_frame(x, key_of(destination_frame, substitute(x))), owned = destination_frame == "")
}

#' @rdname as.h2o
#' @export
as.h2o.H2OFrame <- function(x, destination_frame = "", ...) {
  if (destination_frame == "") x else h2o.assign(x, destination_frame)
}

key_of <- function(given, expression) {
  if (nzchar(given)) return(given)
  new_key(if (is.name(expression)) as.character(expression) else "data.frame")
}

#' Read a file into the session
#'
#' Text becomes factors with sorted levels, as in H2O. Files are CSV, Parquet or
#' Arrow, compressed or not; folders and globs of them work too.
#'
#' @param path The file.
#' @param destination_frame The key of the new frame; made up if not given.
#' @param parse Must be TRUE.
#' @param header Whether the first row holds names; NA takes it for names
#'   unless one of its cells is a number.
#' @param sep The character between cells; found out if empty.
#' @param col.names The names of the columns.
#' @param col.types Types of columns, as H2O names them: all in order, or
#'   `list(by.col.name = , types = )`, or a named vector.
#' @param na.strings Texts that mean missing.
#' @param pattern Not used: give a glob as `path`.
#' @param ... H2O's other arguments, which must not be set.
#' @return An H2OFrame.
#' @examplesIf h2olite:::has_session()
#' path <- tempfile(fileext = ".csv")
#' write.csv(iris, path, row.names = FALSE)
#' h2o.importFile(path)
#' @export
h2o.importFile <- function(path, destination_frame = "", parse = TRUE, header = NA, sep = "",
                           col.names = NULL, col.types = NULL, na.strings = NULL, ...) {
  refuse_others(list(...), "h2o.importFile")
  if (!isTRUE(parse)) stop("parse must be TRUE: h2olite reads and parses a file in one step.", call. = FALSE)
  path <- if (grepl("^[a-z0-9]+://", path)) path else path.expand(path)
  if (grepl("^https?://", path)) {
    local <- file.path(tempfile("h2olite-"), basename(path))
    dir.create(dirname(local))
    utils::download.file(path, local, quiet = TRUE, mode = "wb")
    path <- local
  } else if (!grepl("://", path)) {
    path <- file.path(normalizePath(dirname(path), mustWork = FALSE), basename(path))
  }
  key <- if (nzchar(destination_frame)) destination_frame else new_key(sub("[.].*", "", basename(path)))
  new_frame(
    call_session("import_file", list(
      path = path, sep = sep, header = if (is.na(header)) NULL else isTRUE(as.logical(header)),
      names = if (is.null(col.names)) NULL else I(col.names), types = column_types(col.types, col.names),
      na_strings = if (is.null(na.strings)) NULL else I(unique(unlist(na.strings))), destination_frame = key
    )),
    owned = !nzchar(destination_frame)
  )
}

column_types <- function(types, names) {
  if (is.null(types)) return(NULL)
  if (is.list(types)) {
    if (!is.null(types$by.col.name)) return(stats::setNames(as.list(types$types), types$by.col.name))
    stop("col.types must be a vector, or list(by.col.name = , types = ).", call. = FALSE)
  }
  if (!is.null(names(types))) return(as.list(types))
  if (is.null(names)) {
    stop("col.types must have names, or come with col.names: list(by.col.name = , types = ).", call. = FALSE)
  }
  stats::setNames(as.list(types), names)
}

# Stop at arguments of H2O's that are set here and do nothing.
refuse_others <- function(others, what) {
  others <- others[!vapply(others, is.null, NA)]
  if (length(others)) {
    stop(what, " has no argument ", names(others)[1L], " in h2olite; leave it out.", call. = FALSE)
  }
}

#' @rdname h2o.importFile
#' @export
h2o.uploadFile <- h2o.importFile

#' @rdname h2o.importFile
#' @export
h2o.importFolder <- function(path, pattern = "", ...) {
  if (nzchar(pattern)) stop("pattern is not in h2olite; give a glob as path, such as \"data/*.csv\".", call. = FALSE)
  h2o.importFile(path, ...)
}

#' Write a frame to a file
#'
#' @param data An H2OFrame.
#' @param path,filename The file: CSV, or by its extension Parquet or Arrow.
#' @param force Whether to replace a file that is there.
#' @param ... H2O's other arguments, which must not be set.
#' @return The path, invisibly.
#' @examplesIf h2olite:::has_session()
#' path <- tempfile(fileext = ".csv")
#' h2o.exportFile(as.h2o(iris), path)
#' @export
h2o.exportFile <- function(data, path, force = FALSE, ...) {
  refuse_others(list(...), "h2o.exportFile")
  path <- file.path(normalizePath(dirname(path.expand(path)), mustWork = FALSE), basename(path))
  call_session("export_file", list(frame = check_frame(data), path = path, force = force))
  invisible(path)
}

#' @rdname h2o.exportFile
#' @export
h2o.downloadCSV <- function(data, filename) h2o.exportFile(data, filename, force = TRUE)

#' Keys of frames and models
#'
#' @param data An H2OFrame.
#' @param key,id The key of a frame.
#' @param ids Keys, or an H2OFrame or a model, or a list of these.
#' @param cascade Ignored.
#' @param timeout_secs Ignored.
#' @param retained_elements Keys, frames or models to keep.
#' @param x An H2OFrame.
#' @return `h2o.assign` and `h2o.getFrame` give an H2OFrame, `h2o.ls` a
#'   data.frame of keys, `h2o.getId` a key.
#' @examplesIf h2olite:::has_session()
#' flowers <- h2o.assign(as.h2o(iris), "flowers")
#' h2o.ls()
#' h2o.getFrame("flowers")
#' h2o.rm("flowers")
#' @export
h2o.assign <- function(data, key) {
  frame_by("assign", frame = check_frame(data), destination_frame = key, owned = FALSE)
}

#' @rdname h2o.assign
#' @export
h2o.getFrame <- function(id) frame_by("get", key = id, owned = FALSE)

#' @rdname h2o.assign
#' @export
h2o.getId <- function(x) attr(check_frame(x, "x"), "id")

#' @rdname h2o.assign
#' @export
h2o.ls <- function() {
  data.frame(key = as.character(call_session("keys")), stringsAsFactors = FALSE)
}

#' @rdname h2o.assign
#' @export
h2o.rm <- function(ids, cascade = TRUE) {
  call_session("remove", list(keys = I(keys_of(ids))))
  invisible(NULL)
}

#' @rdname h2o.assign
#' @export
h2o.removeAll <- function(timeout_secs = 0, retained_elements = c()) {
  call_session("remove_all", list(retained = I(keys_of(retained_elements))))
  invisible(NULL)
}

keys_of <- function(ids) {
  if (is.h2o(ids)) return(attr(ids, "id"))
  if (is(ids, "H2OModel")) return(ids@model_id)
  if (is(ids, "H2OGrid")) return(ids@grid_id)
  as.character(unlist(lapply(ids, function(id) if (base::is.character(id)) id else keys_of(id))))
}

#' Shape and names of frames
#'
#' What `dim`, `names` and the like give for a frame.
#'
#' @param x,object An H2OFrame.
#' @param value New names, in order.
#' @param coltype A type of columns: numeric, categorical, string, time.
#' @param ... Ignored.
#' @return Numbers, names, or for `h2o.columns_by_type` indices of columns.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' h2o.dim(frame)
#' h2o.columns_by_type(frame, "categorical")
#' @name h2o.dim
NULL

#' @rdname h2o.dim
#' @export
dim.H2OFrame <- function(x) c(attr(x, "rows"), length(attr(x, "columns")))

#' @rdname h2o.dim
#' @export
h2o.dim <- function(x) dim(check_frame(x, "x"))

#' @rdname h2o.dim
#' @export
h2o.nrow <- function(x) dim(check_frame(x, "x"))[1L]

#' @rdname h2o.dim
#' @export
h2o.ncol <- function(x) dim(check_frame(x, "x"))[2L]

#' @rdname h2o.dim
#' @export
length.H2OFrame <- function(x) length(attr(x, "columns"))

#' @rdname h2o.dim
#' @export
names.H2OFrame <- function(x) attr(x, "columns")

#' @rdname h2o.dim
#' @export
dimnames.H2OFrame <- function(x) list(NULL, attr(x, "columns"))

#' @rdname h2o.dim
#' @export
h2o.names <- function(x) names(check_frame(x, "x"))

#' @rdname h2o.dim
#' @export
h2o.colnames <- h2o.names

#' @rdname h2o.dim
#' @export
`names<-.H2OFrame` <- function(x, value) frame_by("rename", frame = x, names = I(as.character(value)))

#' @rdname h2o.dim
#' @export
`dimnames<-.H2OFrame` <- function(x, value) {
  names(x) <- value[[2L]]
  x
}

#' @rdname h2o.dim
#' @export
h2o.getTypes <- function(x) {
  types <- c(
    factor = "enum", logical = "enum", integer = "int", integer64 = "int", double = "real",
    POSIXct = "time", Date = "time", character = "string"
  )
  as.list(unname(types[attr(check_frame(x, "x"), "kinds")]))
}

#' @rdname h2o.dim
#' @export
h2o.columns_by_type <- function(object, coltype = "numeric", ...) {
  wanted <- switch(coltype,
    numeric = c("int", "real"),
    categorical = "enum",
    string = "string",
    time = "time",
    uuid = , bad = character(),
    stop("coltype must be numeric, categorical, string, time, uuid or bad; got \"", coltype, "\".", call. = FALSE)
  )
  which(unlist(h2o.getTypes(object)) %in% wanted)
}

#' Frames as tables of R
#'
#' @param x An H2OFrame.
#' @param mode As in [base::as.vector()].
#' @param ... Ignored.
#' @return A data.frame, matrix, vector or list with the frame's values.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' str(as.data.frame(frame))
#' table(as.vector(frame$Species))
#' @export
as.data.frame.H2OFrame <- function(x, ...) take_frame(x)

#' @rdname as.data.frame.H2OFrame
#' @export
as.matrix.H2OFrame <- function(x, ...) as.matrix(take_frame(x))

#' @rdname as.data.frame.H2OFrame
#' @export
as.vector.H2OFrame <- function(x, mode = "any") {
  table <- take_frame(x)
  if (length(table) != 1L) return(as.vector(as.matrix(table), mode))
  values <- table[[1L]]
  as.vector(if (base::is.factor(values)) as.character(values) else unclass(values), mode)
}

#' @rdname as.data.frame.H2OFrame
#' @export
as.list.H2OFrame <- function(x, ...) {
  setNames(lapply(seq_along(attr(x, "columns")), function(i) x[[i]]), attr(x, "columns"))
}

#' @rdname as.data.frame.H2OFrame
#' @export
as.logical.H2OFrame <- function(x, ...) as.vector(x, "logical")

#' See a frame
#'
#' @param x,object An H2OFrame.
#' @param n How many rows; negative for all but so many.
#' @param m Most columns.
#' @param cols Ignored.
#' @param ... Ignored.
#' @return `head` and `tail` give an H2OFrame; the others print.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' head(frame, 3)
#' str(frame)
#' @export
h2o.head <- function(x, n = 6L, m = 200L, ...) {
  rows <- dim(check_frame(x, "x"))[1L]
  count <- if (n < 0) max(rows + n, 0) else min(n, rows)
  first_columns(frame_by("part", frame = x, start = 0, length = count), m)
}

#' @rdname h2o.head
#' @export
head.H2OFrame <- h2o.head

#' @rdname h2o.head
#' @export
h2o.tail <- function(x, n = 6L, m = 200L, ...) {
  rows <- dim(check_frame(x, "x"))[1L]
  count <- if (n < 0) max(rows + n, 0) else min(n, rows)
  first_columns(frame_by("part", frame = x, start = rows - count, length = count), m)
}

#' @rdname h2o.head
#' @export
tail.H2OFrame <- h2o.tail

first_columns <- function(frame, count) if (length(frame) > count) frame[seq_len(count)] else frame

#' @rdname h2o.head
#' @export
print.H2OFrame <- function(x, n = 6L, m = 200L, ...) {
  print(as.data.frame(h2o.head(x, n, m)))
  shape <- dim(x)
  cat("\n[", shape[1L], " ", if (shape[1L] == 1) "row" else "rows", " x ", shape[2L], " ",
    if (shape[2L] == 1) "column" else "columns", "] \n",
    sep = ""
  )
  invisible(x)
}

#' @rdname h2o.head
#' @export
h2o.print <- function(x, n = 6L) print(x, n)

#' @rdname h2o.head
#' @export
str.H2OFrame <- function(object, ..., cols = FALSE) {
  shape <- dim(object)
  cat("Class 'H2OFrame' ", attr(object, "id"), ": ", shape[1L], " obs. of ", shape[2L], " variables:\n", sep = "")
  first <- as.data.frame(h2o.head(object, 10L))
  for (name in names(first)) {
    cat(" $ ", format(name, width = max(nchar(names(first)))), ":", sep = "")
    str(first[[name]], give.head = TRUE, vec.len = 2)
  }
  invisible(NULL)
}

#' @rdname h2o.head
#' @export
h2o.str <- function(object, ..., cols = FALSE) str(object)
