library(h2olite)
h2o.init()
iris_hf <- as.h2o(iris)
splits <- h2o.splitFrame(iris_hf, ratios = 0.8, seed = 42)
train <- splits[[1]]
test <- splits[[2]]
x <- setdiff(names(train), "Species")
y <- "Species"

m3 <- h2o.deeplearning(
  model_id = "dl_model_tuned", x = x, y = y, training_frame = train, validation_frame = test,
  hidden = c(128, 128, 128), l1 = 1e-5, l2 = 1e-5, epochs = 5, seed = 42, reproducible = TRUE
)
m3
summary(m3)
pred <- h2o.predict(m3, test)
mean(pred$predict == test$Species)
plot(m3)
h2o.exportFile(train, "train.parquet")
h2o.exportFile(test, "test.parquet")
h2o.exportFile(pred, "predictions.csv")
