library(h2olite)
h2o.init(nthreads = 2)
h2o.no_progress()
prostate <- h2o.uploadFile(path = "prostate.csv")
prostate$CAPSULE <- as.factor(prostate$CAPSULE)
prostate$RACE <- as.factor(prostate$RACE)
print(prostate)
str(prostate)
dim(prostate)
model <- h2o.deeplearning(
  x = 3:9, y = 2, training_frame = prostate, nfolds = 5, fold_assignment = "Modulo",
  keep_cross_validation_predictions = TRUE, hidden = c(10, 10), epochs = 5, seed = 1, reproducible = TRUE
)
print(model@model$training_metrics)
print(model@model$cross_validation_metrics)
print(model@model$cross_validation_metrics_summary)
stopifnot(
  is(model, "H2OBinomialModel"),
  model@model$cross_validation_metrics@metrics$AUC == h2o.auc(model, xval = TRUE),
  model@parameters$nfolds == 5,
  length(h2o.cross_validation_models(model)) == 5
)
print(model@model$variable_importances)
print(model@model$scoring_history)
perf <- h2o.performance(model)
threshold <- h2o.find_threshold_by_max_metric(perf, "f1")
stopifnot(threshold == model@model$default_threshold)
pred <- h2o.predict(model, prostate)
flagged <- h2o.ifelse(pred$p1 >= threshold, "yes", "no")
stopifnot(sum(flagged == "yes") == sum(pred$predict == "1"))
cv_pred <- h2o.cross_validation_holdout_predictions(model)
both <- h2o.cbind(prostate["CAPSULE"], cv_pred)
h2o.table(both$CAPSULE, both$predict)
old <- prostate[prostate$AGE > 65 & !is.na(prostate$PSA), ]
h2o.mean(old$PSA)
quantile(prostate$PSA, probs = c(0.25, 0.5, 0.75))
path <- h2o.saveModel(model, path = getwd(), force = TRUE)
again <- h2o.loadModel(path)
stopifnot(all(as.vector(h2o.predict(again, prostate)$p1) == as.vector(pred$p1)))
h2o.exportFile(prostate, "train.parquet")
h2o.exportFile(prostate, "test.parquet")
h2o.exportFile(pred, "predictions.csv")
