test_that("a killed session is an error, and a new one works", {
  skip_without_session()
  frame <- as.h2o(iris)
  h2olite:::state$process$signal(9L)
  expect_error(dim(as.data.frame(frame)), "session has ended( \\(signal 9\\))?;")
  capture.output(h2o.init(nthreads = 2))
  expect_error(as.data.frame(frame), "held by a session that has ended")
  expect_equal(dim(as.h2o(iris)), c(150, 5))
})

test_that("the answer to a request that was given up is left aside", {
  skip_without_session()
  capture.output(h2o.init())
  h2olite:::send("{\"id\": 0, \"op\": \"keys\"}\n")
  expect_equal(nchar(h2o.getVersion()) > 0, TRUE)
})

test_that("functions start a session by themselves", {
  skip_without_session()
  capture.output(h2o.init())
  h2o.shutdown(prompt = FALSE)
  expect_false(h2o.clusterIsUp())
  expect_equal(dim(as.h2o(iris)), c(150, 5))
  expect_true(h2o.clusterIsUp())
})

test_that("a forked R has a session of its own, and leaves that of its parent alone", {
  skip_without_session()
  skip_on_os("windows")
  frame <- as.h2o(iris)
  rows <- parallel::mclapply(1:2, function(i) h2o.nrow(as.h2o(iris[seq_len(i), ])), mc.cores = 2)
  expect_equal(rows, list(1, 2))
  expect_equal(dim(as.data.frame(frame)), c(150, 5))
})

test_that("settings of another machine are refused, those of this one are kept", {
  skip_without_session()
  expect_error(h2o.init(ip = "10.0.0.1"), "works on this machine only")
  expect_error(h2o.init(max_mem_size = "many"), "must be a size")
  expect_equal(h2olite:::bytes("4g"), 4 * 1024^3)
  expect_equal(h2olite:::bytes("500m"), 500 * 1024^2)
  capture.output(h2o.init(nthreads = 1, max_mem_size = "2g"))
  expect_equal(h2o.clusterStatus()$num_cpus, 1)
})

test_that("a missing Python is an error that says how to install", {
  before <- Sys.getenv(c("H2OLITE_PYTHON", "PATH"))
  on.exit(do.call(Sys.setenv, as.list(before)))
  Sys.setenv(H2OLITE_PYTHON = "/nowhere/python")
  expect_error(h2olite:::find_program(), "must name a Python program")
  skip_if(nzchar(system.file("python", package = "h2olite")))
  Sys.setenv(H2OLITE_PYTHON = "", PATH = "/nowhere")
  expect_error(h2olite:::find_program(), "pip install h2olite")
})
