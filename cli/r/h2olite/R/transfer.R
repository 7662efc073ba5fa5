# Tables to the session and back, as files of plain binary columns; see
# h2olite_cli/session/transfer.py of the Python package.

# Elements written or read at a time: a call takes at most 2^31 bytes.
CHUNK <- 1e7

# Write a data.frame to the session, and give the frame's description.
put_frame <- function(x, destination_frame = NULL) {
  path <- tempfile("h2olite-", fileext = ".columns")
  on.exit(unlink(path))
  con <- file(path, "wb")
  columns <- tryCatch(
    lapply(seq_along(x), function(i) write_column(x[[i]], names(x)[i], con)),
    finally = close(con)
  )
  call_session("put", list(
    path = path, rows = NROW(x), columns = unname(columns), destination_frame = destination_frame
  ))
}

write_column <- function(values, name, con) {
  described <- list(name = enc2utf8(name), kind = column_kind(values, name))
  if (base::is.factor(values)) {
    write_numbers(as.integer(values), con)
    described$bytes <- write_texts(levels(values), con)
    described$ordered <- is.ordered(values)
  } else if (base::is.character(values)) {
    texts <- unique(values[!is.na(values)])
    write_numbers(match(values, texts, incomparables = NA), con)
    described$bytes <- write_texts(texts, con)
  } else if (described$kind %in% c("integer", "logical")) {
    write_numbers(as.integer(values), con)
  } else {
    if (inherits(values, "POSIXlt")) values <- as.POSIXct(values)
    if (described$kind == "POSIXct") described$tz <- time_zone(values)
    numbers <- unclass(values)
    write_numbers(if (described$kind == "integer64") numbers else as.double(numbers), con)
  }
  described
}

column_kind <- function(values, name) {
  if (base::is.factor(values)) return("factor")
  if (inherits(values, "integer64")) return("integer64")
  if (inherits(values, c("POSIXct", "POSIXlt"))) return("POSIXct")
  if (inherits(values, "Date")) return("Date")
  if (!is.atomic(values) || is.complex(values) || is.raw(values) || !is.null(dim(values))) {
    stop("column '", name, "' must hold numbers, text, factors, logical values or times; got class ",
      class(values)[1L], ".",
      call. = FALSE
    )
  }
  if (is.logical(values)) return("logical")
  if (is.integer(values)) return("integer")
  if (base::is.character(values)) return("character")
  "double"
}

time_zone <- function(values) {
  zone <- attr(values, "tzone")
  if (length(zone) && nzchar(zone[1L])) zone[1L] else "UTC"
}

write_numbers <- function(numbers, con) {
  attributes(numbers) <- NULL
  for (start in seq.int(1, max(length(numbers), 1), by = CHUNK)) {
    end <- min(start + CHUNK - 1, length(numbers))
    if (end >= start) writeBin(if (start == 1 && end == length(numbers)) numbers else numbers[start:end], con, endian = "little")
  }
}

# Write texts, each ended by a zero byte, and give how many bytes that were.
write_texts <- function(texts, con) {
  texts <- enc2utf8(texts)
  writeBin(texts, con, useBytes = TRUE)
  sum(nchar(texts, "bytes")) + length(texts)
}

# The data.frame of a frame that the session holds.
take_frame <- function(frame) {
  path <- tempfile("h2olite-", fileext = ".columns")
  on.exit(unlink(path))
  columns <- call_session("take", list(frame = frame, path = path))
  rows <- attr(frame, "rows")
  con <- file(path, "rb")
  on.exit(close(con), add = TRUE, after = FALSE)
  x <- lapply(seq_len(NROW(columns)), function(i) read_column(columns[i, ], rows, con))
  names(x) <- columns$name
  structure(x, class = "data.frame", row.names = .set_row_names(rows))
}

read_column <- function(column, rows, con) {
  switch(column$kind,
    factor = {
      codes <- read_numbers(con, "integer", 4L, rows)
      levels <- read_texts(con, column$levels)
      structure(codes, levels = levels, class = c(if (isTRUE(column$ordered)) "ordered", "factor"))
    },
    character = {
      codes <- read_numbers(con, "integer", 4L, rows)
      read_texts(con, column$levels)[codes]
    },
    integer = read_numbers(con, "integer", 4L, rows),
    logical = as.logical(read_numbers(con, "integer", 4L, rows)),
    integer64 = {
      numbers <- read_numbers(con, "double", 8L, rows)
      class(numbers) <- "integer64"
      if (requireNamespace("bit64", quietly = TRUE)) numbers else integer64_as_double(numbers)
    },
    POSIXct = structure(
      read_numbers(con, "double", 8L, rows),
      class = c("POSIXct", "POSIXt"), tzone = column$tz
    ),
    Date = structure(read_numbers(con, "double", 8L, rows), class = "Date"),
    read_numbers(con, "double", 8L, rows)
  )
}

# 64-bit integers as numbers, without the package bit64: from their two halves.
integer64_as_double <- function(numbers) {
  halves <- matrix(readBin(writeBin(unclass(numbers), raw(), endian = "little"), "integer", 2L * length(numbers),
    endian = "little"
  ), nrow = 2L)
  low <- halves[1L, ]
  values <- halves[2L, ] * 2^32 + base::ifelse(low < 0, low + 2^32, low)
  values[is.na(halves[2L, ])] <- NA # the high half of the missing value is that of an integer
  values
}

read_numbers <- function(con, what, size, rows) {
  if (rows <= CHUNK) return(readBin(con, what, rows, size, endian = "little"))
  numbers <- vector(what, rows)
  for (start in seq.int(1, rows, by = CHUNK)) {
    end <- min(start + CHUNK - 1, rows)
    numbers[start:end] <- readBin(con, what, end - start + 1, size, endian = "little")
  }
  numbers
}

read_texts <- function(con, count) {
  texts <- readBin(con, "character", count)
  Encoding(texts) <- "UTF-8"
  texts
}
