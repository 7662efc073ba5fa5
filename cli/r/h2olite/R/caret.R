# A method for caret's train(). An engine for parsnip would be made of the same
# two functions, fit_table() and predict_table().

#' A method for caret
#'
#' `train(x, y, method = h2olite_caret())` tunes `hidden`, `l1`, `l2` and
#' `dropout`. Arguments of [h2o.deeplearning()] such as `epochs` and `seed` go
#' along in `train(...)`.
#'
#' @return A list as [caret::train()] takes it for `method`; `hidden` are units of
#'   the hidden layers joined by "-", such as "50-50".
#' @examplesIf h2olite:::has_session() && requireNamespace("caret", quietly = TRUE)
#' # A grid of several rows and trainControl("cv") choose among settings.
#' grid <- data.frame(hidden = "8-8", l1 = 0, l2 = 1e-5, dropout = 0)
#' caret::train(iris[1:4], iris$Species,
#'   method = h2olite_caret(), tuneGrid = grid, epochs = 5, seed = 1,
#'   trControl = caret::trainControl("none")
#' )
#' @export
h2olite_caret <- function() {
  list(
    label = "Deep learning by h2olite", library = "h2olite", type = c("Classification", "Regression"),
    parameters = data.frame(
      parameter = c("hidden", "l1", "l2", "dropout"), class = c("character", "numeric", "numeric", "numeric"),
      label = c("Units of the hidden layers", "L1 penalty", "L2 penalty", "Dropout of hidden units")
    ),
    grid = caret_grid, loop = NULL, fit = caret_fit,
    predict = function(modelFit, newdata, submodels = NULL) caret_predict(modelFit, newdata)$predict,
    prob = function(modelFit, newdata, submodels = NULL) {
      probabilities <- caret_predict(modelFit, newdata)[-1L]
      setNames(probabilities, modelFit$obsLevels)
    },
    levels = function(x) x$obsLevels,
    predictors = function(x, ...) x$xNames,
    varImp = function(object, ...) {
      found <- h2o.varimp(object$model)
      data.frame(Overall = found$relative_importance, row.names = found$variable)
    },
    tags = c("Neural Network", "L1 Regularization", "L2 Regularization"),
    sort = function(x) x[order(vapply(strsplit(as.character(x$hidden), "-"), function(units) sum(as.numeric(units)), 0), -x$l1, -x$l2), ]
  )
}

caret_grid <- function(x, y, len = NULL, search = "grid") {
  hidden <- c("50-50", "100-100", "200-200", "20", "100", "50-50-50")[seq_len(min(max(len, 1L), 6L))]
  penalties <- c(0, 10^-(5:2))[seq_len(min(max(len, 1L), 5L))]
  if (search == "grid") return(expand.grid(hidden = hidden, l1 = penalties, l2 = 0, dropout = 0, stringsAsFactors = FALSE))
  data.frame(
    hidden = sample(hidden, len, TRUE), l1 = 10^stats::runif(len, -6, -2), l2 = 10^stats::runif(len, -6, -2),
    dropout = sample(c(0, 0.2, 0.5), len, TRUE)
  )
}

caret_fit <- function(x, y, wts, param, lev, last, classProbs, ...) {
  units <- as.numeric(strsplit(as.character(param$hidden), "-")[[1L]])
  settings <- list(hidden = units, l1 = param$l1, l2 = param$l2)
  if (param$dropout > 0) {
    settings$activation <- "RectifierWithDropout"
    settings$hidden_dropout_ratios <- rep(param$dropout, length(units))
  }
  table <- as.data.frame(x)
  table$.outcome <- y
  if (!is.null(wts)) settings$weights_column <- ".weights"
  if (!is.null(wts)) table$.weights <- wts
  frame <- as.h2o(table)
  model <- do.call(h2o.deeplearning, c(list(y = ".outcome", training_frame = frame), settings, list(...)))
  file <- tempfile(fileext = ".h2olite")
  h2o.saveModel(model, dirname(file), filename = basename(file))
  on.exit(unlink(file))
  list(model = model, bytes = readBin(file, "raw", file.size(file)))
}

# Predictions of a fitted model, which is put into the session again if that is
# another one by now, as in the workers of a parallel search.
caret_predict <- function(fit, newdata) {
  frame <- as.h2o(as.data.frame(newdata))
  held <- is_running() && fit$model@model_id %in% h2o.list_models()
  if (!held) {
    file <- tempfile(fileext = ".h2olite")
    on.exit(unlink(file))
    writeBin(fit$bytes, file)
    h2o.loadModel(file)
  }
  as.data.frame(h2o.predict(fit$model, frame))
}
