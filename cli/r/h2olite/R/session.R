# The session: one process of h2olite, which holds frames and models. Requests
# and answers are lines of JSON on its standard streams; see
# h2olite_cli/session/__init__.py of the Python package.

# What this R knows of its session: `process`, its `number`, the id of the last
# `request`, keys to `free` with the next request, how many R objects refer to
# a `count`ed key, and whether to show `progress`.
state <- new.env(parent = emptyenv())
state$number <- 0L
state$request <- 0L
state$free <- character()
state$counts <- new.env(parent = emptyenv())
state$progress <- TRUE
state$key <- 0L

#' Start or end the session
#'
#' `h2o.init` starts the process that holds frames and models, unless it runs
#' already, and says what it is. Every function that needs the session starts
#' it by itself, so that calling `h2o.init` is only needed to give it settings.
#'
#' The Python to run is the one that the environment variable `H2OLITE_PYTHON`
#' names, else that of the program `h2olite` on the search path, else the one
#' that installed this package by `h2olite r-install`. There is no server and
#' no port: arguments that are about H2O's server are accepted as far as they
#' ask for a local one, and do nothing.
#'
#' @param ip,port,name,startH2O,forceDL,enable_assertions,license,min_mem_size
#'   Of H2O's server; they do nothing here.
#' @param nthreads Threads of a training; -1 for all cores that R may use.
#' @param max_mem_size Most memory that the session may take, as in `"4g"`.
#' @param ice_root,log_dir,log_level,strict_version_check,proxy,https,cacert
#'   Of H2O's server; they do nothing here.
#' @param insecure,username,password,use_spnego,cookies,context_path
#'   Of H2O's server; they do nothing here.
#' @param ignore_config,extra_classpath,jvm_custom_args,bind_to_localhost,telemetry
#'   Of H2O's server; they do nothing here.
#' @param prompt Whether to ask before the session ends.
#' @return `h2o.init` and `h2o.clusterInfo` give what they show, invisibly;
#'   `h2o.clusterStatus` a data.frame; `h2o.getVersion` the version as text.
#' @examplesIf h2olite:::has_session()
#' h2o.init(nthreads = 2)
#' h2o.getVersion()
#' h2o.shutdown(prompt = FALSE)
#' @export
h2o.init <- function(ip = "localhost", port = 54321, name = NA_character_, startH2O = TRUE,
                     forceDL = FALSE, enable_assertions = TRUE, license = NULL, nthreads = -1,
                     max_mem_size = NULL, min_mem_size = NULL, ice_root = tempdir(),
                     log_dir = NA_character_, log_level = NA_character_,
                     strict_version_check = TRUE, proxy = NA_character_, https = FALSE,
                     cacert = NA_character_, insecure = FALSE, username = NA_character_,
                     password = NA_character_, use_spnego = FALSE, cookies = NA_character_,
                     context_path = NA_character_, ignore_config = FALSE,
                     extra_classpath = NULL, jvm_custom_args = NULL,
                     bind_to_localhost = TRUE, telemetry = NULL) {
  if (!ip %in% c("localhost", "127.0.0.1", "::1")) {
    stop("h2olite works on this machine only: ip must be \"localhost\"; got \"", ip, "\".", call. = FALSE)
  }
  if (!is_running()) start_session()
  call_session("start", list(nthreads = threads(nthreads), max_mem_size = bytes(max_mem_size)))
  invisible(h2o.clusterInfo())
}

# Threads to use: at most 2 where R CMD check asks for restraint.
threads <- function(nthreads) {
  limited <- nzchar(Sys.getenv("_R_CHECK_LIMIT_CORES_")) && (nthreads < 1 || nthreads > 2)
  if (limited) 2 else nthreads
}

# A size such as "4g" in bytes.
bytes <- function(size) {
  if (is.null(size) || is.numeric(size)) return(size)
  parts <- regmatches(size, regexec("^([0-9.]+) *([kmgtKMGT]?)[bB]?$", size))[[1L]]
  if (length(parts) == 0L) {
    stop("max_mem_size must be a size such as \"4g\" or \"500m\"; got \"", size, "\".", call. = FALSE)
  }
  as.numeric(parts[2L]) * 1024^match(tolower(parts[3L]), c("", "k", "m", "g", "t"), nomatch = 1L) / 1024
}

#' @rdname h2o.init
#' @export
h2o.connect <- function(ip = "localhost", port = 54321, ...) {
  h2o.init(ip = ip, port = port)
}

#' @rdname h2o.init
#' @param ... Ignored.
#' @export
h2o.shutdown <- function(prompt = TRUE) {
  if (!is_running()) {
    stop("There is no session running; h2o.init() starts one.", call. = FALSE)
  }
  if (prompt && interactive()) {
    answer <- readline("Are you sure you want to shutdown the h2olite session? (Y/N) ")
    if (tolower(substr(answer, 1L, 1L)) != "y") return(invisible(FALSE))
  }
  call_session("shutdown")
  state$process$wait(2000)
  end_session()
  invisible(TRUE)
}

#' @rdname h2o.init
#' @export
h2o.clusterIsUp <- function(...) is_running()

#' @rdname h2o.init
#' @export
h2o.clusterInfo <- function() {
  info <- call_session("version")
  cat("h2olite session is running:\n",
    "    h2olite version:  ", info$version, "\n",
    "    Process:          ", info$pid, "\n",
    "    Threads:          ", info$nthreads, "\n",
    "    Python:           ", info$python, " (", info$python_version, ")\n",
    "    R version:        ", R.version.string, "\n",
    sep = ""
  )
  invisible(info)
}

#' @rdname h2o.init
#' @export
h2o.clusterStatus <- function() {
  info <- call_session("version")
  data.frame(
    h2o = "h2olite", healthy = TRUE, version = info$version, pid = info$pid,
    num_cpus = info$nthreads, stringsAsFactors = FALSE
  )
}

#' @rdname h2o.init
#' @export
h2o.getVersion <- function() call_session("version")$version

#' Show or hide the progress bar of trainings
#'
#' @param expr Code to run with or without progress bars; without one the
#'   setting stays.
#' @return The value of `expr`, invisibly nothing without one.
#' @examples
#' h2o.no_progress()
#' h2o.show_progress()
#' @export
h2o.no_progress <- function(expr) with_progress(FALSE, expr)

#' @rdname h2o.no_progress
#' @export
h2o.show_progress <- function(expr) with_progress(TRUE, expr)

with_progress <- function(shown, expr) {
  before <- state$progress
  state$progress <- shown
  if (missing(expr)) return(invisible(NULL))
  on.exit(state$progress <- before)
  expr
}

is_running <- function() {
  !is.null(state$process) && identical(state$pid, Sys.getpid()) && state$process$is_alive()
}

# Whether a session could be started here: examples and tests ask.
has_session <- function() {
  is_running() || !inherits(try(find_program(), silent = TRUE), "try-error")
}

# -P, since the working directory may hold something that is called h2olite.
PYTHON_ARGUMENTS <- c("-P", "-m", "h2olite_cli.session")

# The program and arguments that run a session.
find_program <- function() {
  python <- Sys.getenv("H2OLITE_PYTHON")
  if (nzchar(python)) {
    if (!nzchar(Sys.which(python))) {
      stop("H2OLITE_PYTHON must name a Python program; got \"", python, "\".", call. = FALSE)
    }
    return(list(python, PYTHON_ARGUMENTS))
  }
  program <- Sys.which("h2olite")
  if (nzchar(program)) return(list(unname(program), "session"))
  recorded <- system.file("python", package = "h2olite")
  if (nzchar(recorded)) {
    python <- readLines(recorded)
    if (file.exists(python)) return(list(python, PYTHON_ARGUMENTS))
  }
  stop("the Python package h2olite was not found: install it by `pip install h2olite`, and put the program h2olite on ",
    "the PATH or name its Python in the environment variable H2OLITE_PYTHON.",
    call. = FALSE
  )
}

start_session <- function() {
  program <- find_program()
  state$errors <- tempfile("h2olite-", fileext = ".log")
  state$process <- processx::process$new(
    program[[1L]], program[[2L]],
    stdin = "|", stdout = "|", stderr = state$errors, encoding = "UTF-8",
    env = c("current", PYTHONUTF8 = "1", LD_LIBRARY_PATH = library_path()), cleanup = TRUE
  )
  state$pid <- Sys.getpid()
  state$lines <- character()
  state$number <- state$number + 1L
  state$free <- character()
  state$counts <- new.env(parent = emptyenv())
  call_session("start", list(nthreads = threads(-1)))
  invisible(NULL)
}

# LD_LIBRARY_PATH as it was before R put its own folders in front, from which a
# Python that has a shared library of its own would take another one.
library_path <- function() {
  path <- Sys.getenv("LD_LIBRARY_PATH")
  paths <- file.path(R.home("etc"), "ldpaths")
  if (!nzchar(path) || !file.exists(paths)) return(path)
  code <- paste0("LD_LIBRARY_PATH=; R_HOME=", shQuote(R.home()), "; . ", shQuote(paths), "; printf %s \"$LD_LIBRARY_PATH\"")
  own <- suppressWarnings(system2("sh", c("-c", shQuote(code)), stdout = TRUE, stderr = FALSE))
  if (length(own) != 1L || !nzchar(own)) return(path)
  while (startsWith(path, own)) path <- sub("^:", "", substring(path, nchar(own) + 1L)) # R within R adds them again
  path
}

# In a forked R, let the session be that of the parent, which must stay alive:
# so the process object is kept, that nothing ends it.
leave_parent <- function() {
  if (is.null(state$process) || identical(state$pid, Sys.getpid())) return()
  state$parents <- c(state$parents, state$process)
  state$process <- NULL
}

# Forget a session that has ended.
end_session <- function() {
  if (!is.null(state$process) && identical(state$pid, Sys.getpid())) state$process$kill()
  state$process <- NULL
}

# Ask the session for an operation and give its result. `stoppable` operations
# end early at Ctrl-C and give what there is so far.
call_session <- function(op, args = list(), stoppable = FALSE) {
  leave_parent()
  if (is.null(state$process)) start_session()
  args <- args[!vapply(args, is.null, NA)]
  state$request <- state$request + 1L
  request <- paste0(
    "{\"id\":", state$request, ",\"op\":\"", op, "\",\"args\":", if (length(args)) list_json(args) else "{}",
    if (length(state$free)) paste0(",\"free\":", as_json(I(state$free))), "}\n"
  )
  state$free <- character()
  send(request)
  answer <- receive(state$request, stoppable)
  for (sentence in answer$warnings) warning(sentence, call. = FALSE)
  if (!is.null(answer$error)) {
    if (nzchar(Sys.getenv("H2OLITE_DEBUG"))) cat(answer$error$trace, file = stderr())
    stop(structure(
      class = c(answer$error$class, "h2olite_error", "error", "condition"),
      list(message = answer$error$message, call = NULL)
    ))
  }
  answer$result
}

send <- function(text) {
  left <- charToRaw(enc2utf8(text))
  while (length(left)) {
    left <- tryCatch(state$process$write_input(left), error = function(e) session_has_ended())
    if (length(left)) Sys.sleep(0.005)
  }
}

# The answer to a request; events before it are shown.
receive <- function(request, stoppable) {
  bar <- NULL
  on.exit(if (!is.null(bar)) close(bar))
  stops <- 0L
  repeat {
    answer <- tryCatch(
      {
        message <- next_message()
        if (!identical(as.integer(message$id), request)) next # of a request that was given up
        event <- message$event
        if (is.null(event)) {
          if (!is.null(bar)) setTxtProgressBar(bar, 1)
          return(message)
        }
        if (event == "progress" && state$progress) {
          if (is.null(bar)) bar <- txtProgressBar(style = 3)
          setTxtProgressBar(bar, message$share)
        } else if (event == "measured") {
          cat(message$text, "\n", sep = "")
        } else if (event == "note") {
          base::message(message$text)
        }
        NULL
      },
      interrupt = function(condition) "interrupted"
    )
    if (identical(answer, "interrupted")) {
      stops <- stops + 1L
      send("{\"stop\":true}\n")
      if (!stoppable || stops > 1L) stop("interrupted.", call. = FALSE)
      base::message("\nStopping after the running block; the model so far follows.")
    }
  }
}

# The next line that the session writes, as a list.
next_message <- function() {
  while (length(state$lines) == 0L) {
    lines <- state$process$read_output_lines()
    if (length(lines) == 0L) {
      if (!state$process$is_incomplete_output()) session_has_ended()
      state$process$poll_io(1000)
    }
    state$lines <- lines
  }
  line <- state$lines[1L]
  state$lines <- state$lines[-1L]
  from_json(line)
}

session_has_ended <- function() {
  state$process$wait(1000)
  status <- state$process$get_exit_status()
  said <- if (file.exists(state$errors)) utils::tail(grep("Error|error", readLines(state$errors, warn = FALSE), value = TRUE), 1L)
  end_session()
  # The status is NA where another part of R has collected it.
  how <- if (length(status) != 1L || is.na(status)) "" else if (status < 0) paste0(" (signal ", -status, ")") else paste0(" (exit code ", status, ")")
  stop("the h2olite session has ended", how, "; its frames and models are gone: h2o.init() starts a new one.",
    if (length(said) && nzchar(said)) paste0(" Its last words: ", said),
    call. = FALSE
  )
}
