# Tests need a session, which needs the Python package.
skip_without_session <- function() {
  skip_if_not(h2olite:::has_session(), "the Python package h2olite is not found")
}

h2o.no_progress()
if (h2olite:::has_session()) capture.output(h2o.init(nthreads = 2))

iris_model <- function(...) {
  h2o.deeplearning(y = "Species", training_frame = as.h2o(iris), hidden = 5, epochs = 2, seed = 1, ...)
}

two_classes <- function() as.h2o(droplevels(iris[iris$Species != "setosa", ]))
