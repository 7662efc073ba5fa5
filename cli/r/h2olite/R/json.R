# R values as JSON and back. Numbers are written with 17 digits, so that they
# arrive as they are; jsonlite writes at most 15.

# The JSON of a value: vectors of one element are single values unless they are
# I(...); frames and models are references to what the session holds.
as_json <- function(x) {
  if (is.null(x)) return("null")
  if (inherits(x, "H2OFrame")) return(reference("frame", h2o.getId(check_held(x))))
  if (is(x, "H2OModel")) return(reference("model", x@model_id))
  if (base::is.factor(x)) x <- as.character(x)
  if (is.list(x)) return(list_json(x))
  texts <- atom_json(x)
  if (length(texts) == 1L && !inherits(x, "AsIs")) return(texts)
  paste0("[", paste(texts, collapse = ","), "]")
}

reference <- function(kind, key) {
  paste0("{\"", kind, "\":", atom_json(key), "}")
}

list_json <- function(x) {
  items <- vapply(unname(x), as_json, "")
  if (is.null(names(x))) return(paste0("[", paste(items, collapse = ","), "]"))
  paste0("{", paste(atom_json(names(x)), items, sep = ":", collapse = ","), "}")
}

# The JSON of each element of a vector.
atom_json <- function(x) {
  if (is.logical(x)) return(base::ifelse(is.na(x), "null", tolower(as.character(x))))
  if (is.numeric(x)) {
    texts <- sprintf("%.17g", as.double(x))
    texts[is.na(x)] <- "null"
    texts[is.infinite(x)] <- base::ifelse(x[is.infinite(x)] > 0, "Infinity", "-Infinity")
    return(texts)
  }
  if (!is.character(x)) {
    stop("a value of class ", class(x)[1L], " cannot be sent to the session.", call. = FALSE)
  }
  x <- enc2utf8(x)
  plain <- !is.na(x) & !grepl("[\"\\\\[:cntrl:]]", x)
  texts <- paste0("\"", x, "\"")
  texts[!plain] <- vapply(x[!plain], function(text) {
    as.character(jsonlite::toJSON(text, auto_unbox = TRUE, na = "null"))
  }, "")
  texts
}

from_json <- function(text) {
  jsonlite::fromJSON(text, simplifyDataFrame = TRUE, simplifyMatrix = FALSE)
}

# Rows of a table that the session gives, as a data.frame, with NULL as NA.
as_rows <- function(x) {
  if (is.null(x) || length(x) == 0L) return(NULL)
  if (is.data.frame(x)) return(x)
  as.data.frame(lapply(x, unlist), stringsAsFactors = FALSE, check.names = FALSE)
}
