test_that("a classifier of several classes has H2O's classes, slots and getters", {
  skip_without_session()
  model <- iris_model(validation_frame = as.h2o(iris[seq(1, 150, 3), ]))
  expect_s4_class(model, "H2OMultinomialModel")
  expect_s4_class(model@model$training_metrics, "H2OMultinomialMetrics")
  expect_equal(h2o.logloss(model), model@model$training_metrics@metrics$logloss)
  expect_equal(names(h2o.mse(model, train = TRUE, valid = TRUE)), c("train", "valid"))
  expect_equal(model@parameters$hidden, 5)
  expect_equal(model@allparameters$activation, "Rectifier")
  expect_equal(row.names(h2o.confusionMatrix(model)), c(levels(iris$Species), "Totals"))
  expect_equal(h2o.hit_ratio_table(model)$k, 1:3)
  expect_equal(nrow(h2o.varimp(model)), 4L)
  expect_true(all(c("epochs", "training_logloss", "validation_logloss") %in% names(h2o.scoreHistory(model))))
  expect_warning(h2o.auc(model), "No AUC for H2OMultinomialModel")
  expect_output(print(model), "Status of Neuron Layers: predicting Species, 3-class classification")
  expect_output(summary(model), "Variable Importances")
  predicted <- as.data.frame(predict(model, as.h2o(iris)))
  expect_equal(names(predicted), c("predict", levels(iris$Species)))
  expect_equal(rowSums(predicted[-1]), rep(1, 150), tolerance = 1e-6, ignore_attr = TRUE)
})

test_that("a classifier of two classes has thresholds, curves and gains", {
  skip_without_session()
  frame <- two_classes()
  model <- h2o.deeplearning(x = 1:4, y = 5, frame, hidden = 5, epochs = 2, seed = 1)
  expect_s4_class(model, "H2OBinomialModel")
  measured <- h2o.performance(model, frame)
  expect_s4_class(measured, "H2OBinomialMetrics")
  best <- h2o.find_threshold_by_max_metric(measured, "f1")
  expect_equal(h2o.F1(measured, best), max(h2o.F1(measured)$f1))
  expect_equal(h2o.confusionMatrix(measured), h2o.confusionMatrix(measured, thresholds = best), ignore_attr = TRUE)
  expect_length(h2o.confusionMatrix(measured, metrics = c("f2", "accuracy")), 2L)
  everything <- h2o.confusionMatrix(measured, thresholds = 0)
  expect_equal(everything$virginica, c(50, 50, 100))
  nothing <- h2o.confusionMatrix(measured, thresholds = 1)
  expect_equal(sum(nothing[1:2, 1:2]), 100)
  expect_equal(h2o.accuracy(measured, 0.5) + h2o.error(measured, 0.5), 1)
  expect_equal(h2o.giniCoef(measured), 2 * h2o.auc(measured) - 1)
  expect_equal(h2o.gainsLift(measured), h2o.gainsLift(model, frame))
  expect_equal(model@model$default_threshold, best)
  h2o.reset_threshold(model, 0)
  expect_equal(unique(as.vector(h2o.predict(model, frame)$predict)), "virginica")
  expect_error(h2o.metric(measured, 0.5, "f9"), "must be one of")
  expect_null(model@model$validation_metrics@metrics)
})

test_that("numbers are regressed", {
  skip_without_session()
  model <- h2o.deeplearning(y = "mpg", training_frame = as.h2o(mtcars), hidden = 5, epochs = 5, seed = 1)
  expect_s4_class(model, "H2ORegressionModel")
  expect_equal(h2o.rmse(model)^2, h2o.mse(model))
  expect_equal(h2o.mean_residual_deviance(model), h2o.mse(model))
  expect_true(h2o.mae(model) > 0 && h2o.rmsle(model) > 0)
  expect_warning(expect_null(h2o.confusionMatrix(model)), "No Confusion Matrices")
})

test_that("a logical response makes classes FALSE and TRUE", {
  skip_without_session()
  table <- data.frame(iris[1:4], large = iris$Sepal.Length > 6)
  model <- h2o.deeplearning(y = "large", training_frame = as.h2o(table), hidden = 5, epochs = 1, seed = 1)
  expect_equal(names(h2o.predict(model, as.h2o(table))), c("predict", "FALSE", "TRUE"))
})

test_that("autoencoders reconstruct, and have no response", {
  skip_without_session()
  frame <- as.h2o(iris)
  model <- h2o.deeplearning(x = 1:4, training_frame = frame, autoencoder = TRUE, hidden = c(3, 2), epochs = 1, seed = 1)
  expect_s4_class(model, "H2OAutoEncoderModel")
  expect_equal(names(h2o.anomaly(model, frame)), "Reconstruction.MSE")
  expect_equal(ncol(h2o.anomaly(model, frame, per_feature = TRUE)), 4)
  expect_equal(names(h2o.deepfeatures(model, frame, layer = 2)), c("DF.L2.C1", "DF.L2.C2"))
  expect_error(h2o.anomaly(iris_model(), frame), "needs an autoencoder")
  expect_error(h2o.deepfeatures(model, frame, 3), "from 0 to 1")
})

test_that("cross-validation gives models, predictions and a summary", {
  skip_without_session()
  model <- iris_model(
    nfolds = 3, keep_cross_validation_predictions = TRUE, keep_cross_validation_fold_assignment = TRUE
  )
  expect_length(h2o.cross_validation_models(model), 3L)
  expect_length(h2o.cross_validation_predictions(model), 3L)
  expect_equal(dim(h2o.cross_validation_holdout_predictions(model)), c(150, 4))
  expect_equal(sort(unique(as.vector(h2o.cross_validation_fold_assignment(model)))), 0:2)
  expect_true("logloss" %in% row.names(model@model$cross_validation_metrics_summary))
  expect_equal(h2o.logloss(model, xval = TRUE), model@model$cross_validation_metrics@metrics$logloss)
  expect_null(h2o.cross_validation_models(iris_model()))
})

test_that("models are saved, loaded, exported and imported with the same predictions", {
  skip_without_session()
  frame <- two_classes()
  model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
  expected <- as.data.frame(h2o.predict(model, frame))
  folder <- tempfile()
  path <- h2o.saveModel(model, folder)
  expect_error(h2o.saveModel(model, folder), "is there")
  h2o.rm(model)
  expect_error(h2o.getModel(model@model_id), "holds no model")
  loaded <- h2o.loadModel(path)
  expect_identical(as.data.frame(h2o.predict(loaded, frame)), expected)
  name <- h2o.download_mojo(loaded, folder)
  imported <- h2o.import_mojo(file.path(folder, name))
  expect_s4_class(imported, "H2OBinomialModel")
  expect_equal(as.data.frame(h2o.predict(imported, frame))$virginica, expected$virginica, tolerance = 1e-5)
})

test_that("training goes on from a model, its key or its file", {
  skip_without_session()
  frame <- as.h2o(iris)
  first <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1, keep_state = TRUE)
  path <- h2o.saveModel(first, tempfile())
  for (from in list(first, first@model_id, path)) {
    expect_equal(h2o.deeplearning(y = "Species", training_frame = frame, checkpoint = from, epochs = 3)@model$epochs, 3)
  }
})

test_that("weights are read and given again", {
  skip_without_session()
  frame <- as.h2o(iris)
  model <- iris_model()
  weights <- lapply(1:2, function(i) h2o.weights(model, i))
  biases <- lapply(1:2, function(i) h2o.biases(model, i))
  expect_equal(dim(weights[[1]]), c(5, 4))
  again <- h2o.deeplearning(
    y = "Species", training_frame = frame, hidden = 5, epochs = 0, initial_weights = weights, initial_biases = biases
  )
  expect_equal(as.data.frame(h2o.predict(again, frame)), as.data.frame(h2o.predict(model, frame)), tolerance = 1e-6)
})

test_that("faults of parameters are R errors with h2olite's sentence", {
  skip_without_session()
  frame <- as.h2o(iris)
  expect_error(iris_model(l1 = -1), "l1 must be >= 0; got -1", class = "h2olite_error")
  expect_error(iris_model(hiden = 3), "unused argument")
  expect_error(h2o.deeplearning(y = "Sort", training_frame = frame), "no column \"Sort\"")
  expect_error(h2o.deeplearning(y = "Species"), "training_frame")
  expect_error(h2o.deeplearning(y = "Species", training_frame = iris), "make one by as.h2o")
  expect_warning(
    h2o.deeplearning(x = 1:5, y = 5, training_frame = frame, hidden = 5, epochs = 1), "removing response variable"
  )
})

test_that("grids are sorted, and hold what failed", {
  skip_without_session()
  grid <- h2o.grid("deeplearning",
    grid_id = "flowers_grid", x = 1:4, y = "Species", training_frame = as.h2o(iris), epochs = 1, seed = 1,
    hyper_params = list(hidden = list(c(3, 3), 5), l1 = c(0, 1e-3)), search_criteria = list(strategy = "Cartesian")
  )
  expect_s4_class(grid, "H2OGrid")
  expect_length(grid@model_ids, 4L)
  expect_false(is.unsorted(grid@summary_table$logloss))
  by_error <- h2o.getGrid("flowers_grid", sort_by = "err", decreasing = FALSE)
  expect_true("error" %in% names(by_error@summary_table))
  by_accuracy <- h2o.getGrid("flowers_grid", sort_by = "accuracy", decreasing = TRUE)
  expect_equal(by_accuracy@summary_table, by_error@summary_table)
  expect_equal(h2o.getModel(grid@model_ids[[1]])@parameters$epochs, 1)
  expect_output(show(grid), "Number of models: 4")
  expect_error(h2o.grid("gbm", y = "Species", training_frame = as.h2o(iris)), "must be \"deeplearning\"")
  one <- h2o.grid("deeplearning",
    y = "Species", training_frame = as.h2o(iris), epochs = 1, hidden = 5, seed = 1, hyper_params = list(l1 = c(0, -1))
  )
  expect_length(one@failed_params, 1L)
  expect_match(one@failure_details[[1]], "l1 must be >= 0")
})

test_that("every segment has a model of its own", {
  skip_without_session()
  models <- h2o.train_segments("deeplearning",
    segment_columns = "Species", y = "Sepal.Width", training_frame = as.h2o(iris), hidden = 5, epochs = 1, seed = 1
  )
  table <- as.data.frame(models)
  expect_equal(table$Species, levels(iris$Species))
  expect_equal(unique(table$status), "SUCCEEDED")
  expect_s4_class(h2o.getModel(table$model[2]), "H2ORegressionModel")
  expect_output(show(models), "Segment Models ID")
})

test_that("plots give what they draw", {
  skip_without_session()
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  frame <- two_classes()
  model <- h2o.deeplearning(y = "Species", training_frame = frame, validation_frame = frame, hidden = 5, epochs = 2, seed = 1)
  expect_equal(names(plot(model, metric = "rmse")), c("epochs", "training_rmse", "validation_rmse"))
  expect_error(plot(model, metric = "nothing"), "metric one of")
  expect_equal(plot(h2o.performance(model, frame), type = "roc")$tpr[1], 0)
  expect_equal(nrow(h2o.varimp_plot(model)), 4L)
  dependence <- h2o.partialPlot(model, frame, cols = c("Petal.Length", "Petal.Width"), nbins = 3)
  expect_equal(names(dependence[[1]])[1:2], c("Petal.Length", "mean_response"))
  importance <- h2o.permutation_importance(model, frame, seed = 1)
  expect_equal(names(importance)[1], "Variable")
})

test_that("metrics are made of any predictions", {
  skip_without_session()
  frame <- two_classes()
  model <- h2o.deeplearning(y = "Species", training_frame = frame, hidden = 5, epochs = 1, seed = 1)
  made <- h2o.make_metrics(h2o.predict(model, frame)[3], frame$Species)
  expect_equal(h2o.auc(made), h2o.auc(h2o.performance(model, frame)))
  numbers <- h2o.make_metrics(as.h2o(c(1, 2)), as.h2o(c(1, 4)))
  expect_equal(h2o.mse(numbers), 2)
})

test_that("a user's own functions are there, or say what is missing", {
  skip_without_session()
  frame <- as.h2o(iris)
  path <- h2olite_path(y = "Species", training_frame = frame, l1 = c(1e-4, 1e-1), hidden = 5, epochs = 1, seed = 1)
  expect_equal(path$table$l1, c(1e-4, 1e-1))
  expect_s4_class(path$model, "H2OMultinomialModel")
  expect_output(print(path), "Regularisation path over l1")
  selection <- h2olite_select(
    y = "Species", training_frame = frame, columns = 2, resamples = 2, refit = TRUE, hidden = 5, epochs = 5, seed = 1
  )
  expect_length(selection$columns, 2L)
  expect_equal(sort(selection$ranking$column), sort(names(iris)[1:4]))
  expect_equal(sort(h2o.varimp(selection$model)$variable), sort(selection$columns))
  expect_output(print(selection), "2 of 4 columns by")
  tuning <- h2olite_tune(
    y = "Species", training_frame = frame, max_models = 4, hidden = 5, epochs = 5, seed = 1, nthreads = 1
  )
  expect_equal(tuning$model@allparameters$hidden, 5)
  expect_equal(tuning$tried$rank, seq_len(nrow(tuning$tried)))
  expect_output(print(tuning), "settings tried in")
  compared <- h2olite_compare(list(iris_model(), iris_model(l2 = 0.1)), frame, n_resamples = 20)
  expect_equal(compared$verdict[1], NA_character_)
  expect_error(h2o.gbm(y = "Species"), "h2o.gbm is not in h2olite")
})
