# A numeric 0/1 response: a regression, whose predictions are cut at 0.5.
dataset <- read.csv("churn.csv")
dataset <- dataset[4:14]
dataset$Geography <- as.numeric(factor(dataset$Geography, levels = c("France", "Spain", "Germany"), labels = c(1, 2, 3)))
dataset$Gender <- as.numeric(factor(dataset$Gender, levels = c("Female", "Male"), labels = c(1, 2)))

set.seed(123)
split <- sample(c(TRUE, FALSE), nrow(dataset), replace = TRUE, prob = c(0.8, 0.2))
training_set <- subset(dataset, split == TRUE)
test_set <- subset(dataset, split == FALSE)
training_set[-11] <- scale(training_set[-11])
test_set[-11] <- scale(test_set[-11])

library(h2olite)
h2o.init(nthreads = -1)
classifier <- h2o.deeplearning(
  y = "Exited",
  training_frame = as.h2o(training_set),
  activation = "Rectifier",
  hidden = c(6, 6),
  epochs = 10,
  train_samples_per_iteration = -2,
  seed = 123, reproducible = TRUE
)

prob_pred <- h2o.predict(classifier, newdata = as.h2o(test_set[-11]))
y_pred <- (prob_pred > 0.5)
y_pred <- as.vector(y_pred)
cm <- table(test_set[, 11], y_pred)
print(cm)
accuracy <- (cm[1, 1] + cm[2, 2]) / sum(cm)
stopifnot(accuracy > 0.5, identical(colnames(cm), c("0", "1")))

h2o.exportFile(as.h2o(training_set), "train.parquet")
h2o.exportFile(as.h2o(test_set[-11]), "test.parquet")
h2o.exportFile(prob_pred, "predictions.csv")
h2o.shutdown(prompt = FALSE)
