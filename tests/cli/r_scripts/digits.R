# Images of digits: an autoencoder whose largest errors are the ugliest digits,
# features of a hidden layer, and a classifier.
library(h2olite)
h2o.init()
digits <- h2o.importFile("digits.csv")
response <- "digit"
digits[[response]] <- as.factor(digits[[response]])
predictors <- setdiff(colnames(digits), response)
split <- h2o.splitFrame(digits, ratios = 0.7, seed = 99)
train_digits <- split[[1]]
test_digits <- split[[2]]

ae_model <- h2o.deeplearning(
  x = predictors, training_frame = train_digits, activation = "Tanh", autoencoder = TRUE, hidden = c(20, 10, 20),
  l1 = 1e-5, ignore_const_cols = FALSE, epochs = 2, seed = 5, reproducible = TRUE
)
test_rec_error <- as.data.frame(h2o.anomaly(ae_model, test_digits))
stopifnot(nrow(test_rec_error) == h2o.nrow(test_digits), all(test_rec_error$Reconstruction.MSE >= 0))
ugliest <- order(-test_rec_error$Reconstruction.MSE)[1:25]
test_recon <- h2o.predict(ae_model, test_digits)
summary(test_recon[1:3])
features <- h2o.deepfeatures(ae_model, train_digits, layer = 2)
stopifnot(ncol(features) == 10)
features$digit <- train_digits[[response]]
on_features <- h2o.deeplearning(
  x = setdiff(names(features), "digit"), y = "digit", training_frame = features, hidden = 20, epochs = 2, seed = 5
)
h2o.confusionMatrix(on_features)

model <- h2o.deeplearning(
  x = predictors, y = response, training_frame = train_digits, activation = "RectifierWithDropout",
  input_dropout_ratio = 0.1, hidden_dropout_ratios = c(0.2, 0.2), hidden = c(32, 32), epochs = 10, seed = 5,
  reproducible = TRUE
)
print(h2o.hit_ratio_table(h2o.performance(model, test_digits)))
pred <- h2o.predict(model, test_digits)
stopifnot(names(pred) == c("predict", h2o.levels(digits[[response]])))
accuracy <- mean(pred$predict == test_digits[[response]])
stopifnot(accuracy > 0.7)
h2o.exportFile(train_digits, "train.parquet")
h2o.exportFile(test_digits, "test.parquet")
h2o.exportFile(pred, "predictions.csv")
