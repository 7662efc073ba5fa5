# What is done with models: trained, asked, looked into, saved.

# Train by the arguments that were given to h2o.deeplearning.
train_model <- function(given) {
  given <- prepare(given)
  answer <- call_session("train", list(parameters = given), stoppable = TRUE)
  if (isTRUE(answer$interrupted)) warning("training was interrupted; this is the model so far.", call. = FALSE)
  new_model(answer, given)
}

# Arguments as the session takes them: columns by name, frames and models as such.
prepare <- function(given) {
  given <- given[!vapply(given, is.null, NA)]
  for (name in intersect(c("training_frame", "validation_frame"), names(given))) {
    if (base::is.character(given[[name]])) given[[name]] <- h2o.getFrame(given[[name]])
    check_frame(given[[name]], name)
  }
  frame <- given$training_frame
  if (is.null(frame)) stop("argument \"training_frame\" is missing, with no default", call. = FALSE)
  for (name in intersect(c("x", "y", "weights_column", "offset_column", "fold_column"), names(given))) {
    given[[name]] <- names(frame)[column_indices(frame, given[[name]])]
  }
  if (!is.null(given$x)) {
    if (!is.null(given$y) && given$y %in% given$x) {
      warning("removing response variable from the explanatory variables", call. = FALSE)
    }
    roles <- unlist(given[c("y", "weights_column", "offset_column", "fold_column")])
    given$x <- I(setdiff(given$x, roles))
  }
  if (isTRUE(given$autoencoder)) given$y <- NULL
  if (base::is.character(given$seed)) given$seed <- as.numeric(given$seed)
  if (!is.null(given$seed) && given$seed < -1) given$seed <- -given$seed # h2olite has no negative seeds
  for (name in intersect(c("checkpoint", "pretrained_autoencoder"), names(given))) {
    given[[name]] <- model_reference(given[[name]])
  }
  given
}

# A model of the session, or a file.
model_reference <- function(model) {
  if (!base::is.character(model) || file.exists(model)) model else list(model = model)
}

check_model <- function(object, what = "object") {
  if (!is(object, "H2OModel")) stop("`", what, "` must be an H2OModel; got ", class(object)[1L], ".", call. = FALSE)
  object
}

#' Predict by a model
#'
#' @param object A model.
#' @param newdata An H2OFrame.
#' @param ... `data`, the older name of `newdata`.
#' @return An H2OFrame: `predict`, and of classes a column of probabilities for
#'   each; an autoencoder gives its reconstruction of every input.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' head(h2o.predict(model, frame))
#' @export
h2o.predict <- function(object, newdata, ...) {
  if (missing(newdata)) newdata <- list(...)$data
  if (is.null(newdata)) stop("predictions with a missing `newdata` argument is not implemented yet", call. = FALSE)
  frame_by("predict", model = check_model(object), frame = check_frame(newdata, "newdata"))
}

#' @rdname h2o.predict
#' @export
predict.H2OModel <- function(object, newdata, ...) h2o.predict(object, newdata, ...)

#' How unusual rows are to an autoencoder, and what hidden layers make of rows
#'
#' @param object A model; for `h2o.anomaly` an autoencoder.
#' @param data An H2OFrame.
#' @param per_feature Whether to tell the error of every input.
#' @param layer A hidden layer, from 1.
#' @return An H2OFrame: `Reconstruction.MSE`, or a column for each input or unit.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris[1:4])
#' model <- h2o.deeplearning(
#'   x = 1:4, training_frame = frame, autoencoder = TRUE, hidden = 2, epochs = 1, seed = 1
#' )
#' head(h2o.anomaly(model, frame))
#' head(h2o.deepfeatures(model, frame, layer = 1))
#' @export
h2o.anomaly <- function(object, data, per_feature = FALSE) {
  frame_by("anomaly", model = check_model(object), frame = check_frame(data), per_feature = per_feature)
}

#' @rdname h2o.anomaly
#' @export
h2o.deepfeatures <- function(object, data, layer = 1) {
  frame_by("deepfeatures", model = check_model(object), frame = check_frame(data), layer = layer - 1)
}

#' What a model consists of
#'
#' @param object A model.
#' @param matrix_id,vector_id The layer, from 1; the last is the output layer.
#' @param ... Ignored.
#' @return `h2o.weights` gives a frame with a row for each unit and a column
#'   for each input, `h2o.biases` one of a single column, the others a data.frame.
#' @examplesIf h2olite:::has_session()
#' model <- h2o.deeplearning(
#'   y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 1, seed = 1
#' )
#' dim(h2o.weights(model, 1))
#' h2o.varimp(model)
#' h2o.scoreHistory(model)
#' @export
h2o.weights <- function(object, matrix_id = 1) {
  frame_by("weights", model = check_model(object), layer = matrix_id - 1)
}

#' @rdname h2o.weights
#' @export
h2o.biases <- function(object, vector_id = 1) {
  frame_by("biases", model = check_model(object), layer = vector_id - 1)
}

#' @rdname h2o.weights
#' @export
h2o.varimp <- function(object, ...) {
  found <- check_model(object)@model$variable_importances
  if (is.null(found)) {
    warning("This model doesn't have variable importances", call. = FALSE)
    return(invisible(NULL))
  }
  found
}

#' @rdname h2o.weights
#' @export
h2o.scoreHistory <- function(object) check_model(object)@model$scoring_history

#' What cross-validation gave
#'
#' @param object A model trained with `nfolds` or `fold_column`.
#' @return Models of the folds; frames of predictions, which must be kept by
#'   `keep_cross_validation_predictions`; a frame with the fold of each row,
#'   kept by `keep_cross_validation_fold_assignment`.
#' @examplesIf h2olite:::has_session()
#' model <- h2o.deeplearning(
#'   y = "Species", training_frame = as.h2o(iris), nfolds = 2, hidden = 5, epochs = 1, seed = 1,
#'   keep_cross_validation_predictions = TRUE
#' )
#' head(h2o.cross_validation_holdout_predictions(model))
#' @export
h2o.cross_validation_models <- function(object) {
  keys <- check_model(object)@model$cross_validation_models
  if (!length(keys)) return(NULL)
  lapply(keys, h2o.getModel)
}

#' @rdname h2o.cross_validation_models
#' @export
h2o.cross_validation_predictions <- function(object) {
  frames <- call_session("fold_predictions", list(model = check_model(object)))
  if (is.null(frames)) return(NULL)
  lapply(seq_len(NROW(frames)), function(i) new_frame(lapply(frames, `[[`, i)))
}

#' @rdname h2o.cross_validation_models
#' @export
h2o.cross_validation_holdout_predictions <- function(object) {
  frame_or_null("holdout_predictions", object)
}

#' @rdname h2o.cross_validation_models
#' @export
h2o.cross_validation_fold_assignment <- function(object) frame_or_null("fold_assignment", object)

frame_or_null <- function(op, object) {
  described <- call_session(op, list(model = check_model(object)))
  if (is.null(described)) NULL else new_frame(described)
}

#' Models by key
#'
#' @param model_id The key of a model.
#' @return A model; of `h2o.list_models` keys.
#' @examplesIf h2olite:::has_session()
#' h2o.deeplearning(
#'   y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 1, model_id = "flowers_model"
#' )
#' h2o.getModel("flowers_model")@model_id
#' @export
h2o.getModel <- function(model_id) new_model(call_session("get_model", list(key = model_id)))

#' @rdname h2o.getModel
#' @export
h2o.list_models <- function() as.character(unlist(call_session("models")))

#' Save and load models
#'
#' Models are saved as h2olite's model files, which Python and the command line
#' read too, and as MOJOs, which H2O reads.
#'
#' @param object,model A model.
#' @param path A folder, by default the working directory; of the functions that
#'   load, a file.
#' @param force Whether to replace a file that is there.
#' @param export_cross_validation_predictions Ignored: what is kept is saved.
#' @param filename The name of the file; that of the model if not given.
#' @param get_genmodel_jar,genmodel_name,genmodel_path Must not be set: there
#'   is no Java.
#' @param mojo_file_path,mojo_local_file_path The path of a MOJO.
#' @param model_id The key of the imported model.
#' @return The path of the file, or the model.
#' @examplesIf h2olite:::has_session()
#' model <- h2o.deeplearning(
#'   y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 1, seed = 1
#' )
#' path <- h2o.saveModel(model, tempdir(), force = TRUE)
#' h2o.loadModel(path)@model_id
#' h2o.download_mojo(model, tempdir())
#' @export
h2o.saveModel <- function(object, path = "", force = FALSE, export_cross_validation_predictions = FALSE,
                          filename = "") {
  target <- file_in(path, if (nzchar(filename)) filename else object@model_id)
  call_session("save", list(model = check_model(object), path = target, force = force))
}

#' @rdname h2o.saveModel
#' @export
h2o.download_model <- function(model, path = NULL, export_cross_validation_predictions = FALSE, filename = "") {
  h2o.saveModel(model, if (is.null(path)) "" else path, force = TRUE, filename = filename)
}

#' @rdname h2o.saveModel
#' @export
h2o.loadModel <- function(path) new_model(call_session("load", list(path = absolute(path))))

#' @rdname h2o.saveModel
#' @export
h2o.upload_model <- h2o.loadModel

#' @rdname h2o.saveModel
#' @export
h2o.download_mojo <- function(model, path = getwd(), get_genmodel_jar = FALSE, genmodel_name = "",
                              genmodel_path = "", filename = "") {
  if (isTRUE(get_genmodel_jar)) {
    stop("get_genmodel_jar must be FALSE: h2olite has no Java; take h2o-genmodel.jar from H2O.", call. = FALSE)
  }
  target <- file_in(path, if (nzchar(filename)) filename else paste0(model@model_id, ".zip"))
  written <- call_session("download_mojo", list(model = check_model(model, "model"), path = target))
  basename(written)
}

#' @rdname h2o.saveModel
#' @export
h2o.save_mojo <- function(object, path = "", force = FALSE, filename = "") {
  target <- file_in(path, if (nzchar(filename)) filename else paste0(object@model_id, ".zip"))
  call_session("download_mojo", list(model = check_model(object), path = target, force = force))
}

#' @rdname h2o.saveModel
#' @export
h2o.saveMojo <- h2o.save_mojo

#' @rdname h2o.saveModel
#' @export
h2o.import_mojo <- function(mojo_file_path, model_id = NULL) {
  new_model(call_session("import_mojo", list(path = absolute(mojo_file_path), model_id = model_id)))
}

#' @rdname h2o.saveModel
#' @export
h2o.upload_mojo <- function(mojo_local_file_path, model_id = NULL) h2o.import_mojo(mojo_local_file_path, model_id)

#' @rdname h2o.saveModel
#' @export
h2o.genericModel <- function(mojo_file_path, model_id = NULL) h2o.import_mojo(mojo_file_path, model_id)

file_in <- function(folder, name) {
  if (!nzchar(folder)) folder <- getwd()
  file.path(absolute(folder), name)
}

absolute <- function(path) {
  path <- path.expand(path)
  if (grepl("^(/|[A-Za-z]:|\\\\)", path)) path else file.path(getwd(), path)
}

#' The threshold between two classes
#'
#' @param object A model of two classes.
#' @param threshold The probability from which the second class is predicted.
#' @return The threshold before.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(droplevels(iris[-(1:50), ]))
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' h2o.reset_threshold(model, 0.5)
#' @export
h2o.reset_threshold <- function(object, threshold) {
  call_session("reset_threshold", list(model = check_model(object), threshold = threshold))
}

#' Explain what a model makes of its predictors
#'
#' @param object A model.
#' @param newdata An H2OFrame.
#' @param metric,n_samples,n_repeats,features,seed As in
#'   [h2o.performance()]: what gets worse, on how many rows, how often, for
#'   which columns.
#' @param background_frame Rows that predictions are compared with. Without
#'   them, the training rows that the model keeps.
#' @param output_format,output_space,output_per_reference Contributions by
#'   column or by input; scaled to add up to the prediction itself; against
#'   every background row.
#' @param method,n_permutations Not in H2O. Contributions layer by layer, by
#'   random orders of the columns and how many, or by all sets of columns.
#' @param ... Ignored; of contributions, H2O's other arguments, which must not
#'   be set.
#' @return A data.frame; of contributions an H2OFrame.
#' @examplesIf h2olite:::has_session()
#' frame <- as.h2o(iris)
#' model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
#' h2o.permutation_importance(model, frame, seed = 1)
#' @export
h2o.permutation_importance <- function(object, newdata, metric = "AUTO", n_samples = 10000, n_repeats = 1,
                                       features = NULL, seed = -1) {
  found <- call_session("permutation_importance", list(
    model = check_model(object), frame = check_frame(newdata, "newdata"), metric = metric[1L], n_samples = n_samples,
    n_repeats = n_repeats, features = if (is.null(features)) NULL else I(features), seed = seed
  ))
  if (n_repeats == 1) {
    names(found) <- c("Variable", "Relative Importance", "Scaled Importance", "Percentage")
  } else {
    names(found) <- c("Variable", paste("Run", seq_len(n_repeats)))
  }
  as.data.frame(found, check.names = FALSE, stringsAsFactors = FALSE)
}

#' @rdname h2o.permutation_importance
#' @export
h2o.predict_contributions <- function(object, newdata, output_format = c("compact", "original"),
                                      background_frame = NULL, output_space = FALSE, output_per_reference = FALSE,
                                      method = c("DeepSHAP", "permutation", "exact"), n_permutations = 10, seed = -1,
                                      ...) {
  refuse_others(list(...), "h2o.predict_contributions")
  if (!is.null(background_frame)) background_frame <- check_frame(background_frame, "background_frame")
  frame_by("contributions",
    model = check_model(object), frame = check_frame(newdata, "newdata"),
    background = background_frame, output_format = tolower(output_format[1L]), output_space = output_space,
    output_per_reference = output_per_reference, method = method[1L], n_permutations = n_permutations, seed = seed
  )
}

#' @rdname h2o.permutation_importance
#' @export
h2o.explain <- function(object, newdata, ...) {
  stop("h2o.explain is not in this version of h2olite; h2o.varimp_plot, h2o.partialPlot and ",
    "h2o.permutation_importance are.",
    call. = FALSE
  )
}
