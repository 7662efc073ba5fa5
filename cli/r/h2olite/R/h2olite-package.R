#' Deep learning on tables with the functions of H2O
#'
#' `library(h2olite)` takes the place of `library(h2o)` in scripts that do deep
#' learning. Frames and models live in one process of the Python package
#' h2olite, the session. It is started by the first function that needs it, or
#' by [h2o.init()], and ends with R.
#'
#' How the package is laid out: `session.R` starts the process and speaks to it,
#' in lines of JSON (`json.R`); `transfer.R` moves tables there and back, as
#' files of plain binary columns in R's temporary folder; `frames.R`, `ops.R`
#' and `summaries.R` are H2O's functions of frames; `deeplearning.R`, which is
#' generated, `models.R`, `metrics.R`, `grid.R` and `plots.R` those of models;
#' `own.R` and `caret.R` what H2O has not.
#'
#' @keywords internal
#' @importFrom grDevices dev.off png
#' @importFrom graphics abline axis barplot hist legend lines par plot points
#' @importFrom methods is new setClass setClassUnion setGeneric setMethod show
#' @importFrom methods slotNames validObject
#' @importFrom stats median na.omit predict quantile setNames
#' @importFrom utils head str tail setTxtProgressBar txtProgressBar
"_PACKAGE"
