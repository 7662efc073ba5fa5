library(h2olite)
h2o.init(nthreads = -1, max_mem_size = "4g")
h2o.removeAll()
airlines <- h2o.importFile(path = normalizePath("airlines.csv"), destination_frame = "airlines.hex")
airlines[, "Year"] <- as.factor(airlines[, "Year"])
airlines$DayOfWeek <- as.factor(airlines$DayOfWeek)
summary(airlines)
h2o.describe(airlines)
parts <- h2o.splitFrame(data = airlines, ratios = c(0.7, 0.15), destination_frames = c("train", "valid", "test"), seed = 1)
train <- parts[[1]]
valid <- parts[[2]]
test <- parts[[3]]
y <- "IsDepDelayed"
x <- c("Year", "DayOfWeek", "UniqueCarrier", "Origin", "Dest", "Distance")
stopifnot(h2o.levels(airlines$IsDepDelayed) == c("NO", "YES"))

hyper_params <- list(hidden = list(c(8, 8), c(16)), l1 = c(0, 1e-4), input_dropout_ratio = c(0, 0.1))
search_criteria <- list(strategy = "RandomDiscrete", max_models = 3, seed = 1234)
grid <- h2o.grid(
  algorithm = "deeplearning", grid_id = "dl_grid", training_frame = train, validation_frame = valid, x = x, y = y,
  epochs = 3, reproducible = TRUE, seed = 1, hyper_params = hyper_params, search_criteria = search_criteria
)
sorted <- h2o.getGrid("dl_grid", sort_by = "auc", decreasing = TRUE)
print(sorted@summary_table)
stopifnot(nrow(sorted@summary_table) == 3, !is.unsorted(rev(sorted@summary_table$auc)))
best_model <- h2o.getModel(sorted@model_ids[[1]])
perf <- h2o.performance(best_model, newdata = test)
print(h2o.auc(perf))
print(h2o.confusionMatrix(perf))
plot(perf, type = "roc")

m <- h2o.deeplearning(
  x = x, y = y, training_frame = train, validation_frame = valid, hidden = c(16, 16), epochs = 3,
  variable_importances = TRUE, stopping_rounds = 3, stopping_metric = "AUC", stopping_tolerance = 1e-3,
  seed = 7, reproducible = TRUE
)
h2o.varimp_plot(m)
head(as.data.frame(h2o.varimp(m)))
pred <- h2o.predict(m, test)
stopifnot(all(c("predict", "NO", "YES") == names(pred)))
table(as.vector(pred$predict), as.vector(test[[y]]))
h2o.exportFile(train, "train.parquet", force = TRUE)
h2o.exportFile(valid, "valid.parquet", force = TRUE)
h2o.exportFile(test, "test.parquet", force = TRUE)
h2o.exportFile(pred, "predictions.csv")
h2o.shutdown(prompt = FALSE)
