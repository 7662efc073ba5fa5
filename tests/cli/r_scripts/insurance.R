library(h2olite)
h2o.init()
claims <- read.csv("insurance.csv", stringsAsFactors = TRUE)
claims$offset <- log(claims$Holders)
insurance <- as.h2o(claims, destination_frame = "insurance")
insurance$District <- as.factor(insurance$District)
model <- h2o.deeplearning(
  x = c("District", "Group", "Age"), y = "Claims", training_frame = insurance, distribution = "tweedie",
  tweedie_power = 1.6, offset_column = "offset", hidden = c(5, 5), epochs = 20, seed = 3, reproducible = TRUE
)
print(model)
h2o.mean_residual_deviance(model)
h2o.mae(model)
pred <- predict(model, insurance)
stopifnot(all(as.vector(pred) > 0))
h2o.partialPlot(model, insurance, cols = "Age", plot = FALSE)
h2o.exportFile(insurance, "train.parquet")
h2o.exportFile(insurance, "test.parquet")
h2o.exportFile(pred, "predictions.csv")
