every_type <- function() {
  data.frame(
    double = c(0.1 + 0.2, NA, -1e300), integer = c(1L, NA, -3L), logical = c(TRUE, NA, FALSE),
    factor = factor(c("b", NA, "a"), levels = c("b", "a", "unused")),
    ordered = factor(c("low", "high", NA), levels = c("low", "high"), ordered = TRUE),
    text = c("\u00fcber", NA, "a \"quoted\", text\nof lines"),
    time = as.POSIXct(c("2020-02-29 10:00:00", NA, "1960-05-05"), tz = "Europe/Berlin"),
    date = as.Date(c("2020-02-29", NA, "1950-01-01")), stringsAsFactors = FALSE
  )
}

test_that("a data.frame of every type comes back as it went", {
  skip_without_session()
  table <- every_type()
  expect_identical(as.data.frame(as.h2o(table)), table)
})

test_that("a table without rows and one of a single cell come back", {
  skip_without_session()
  expect_identical(as.data.frame(as.h2o(every_type()[0, ])), every_type()[0, ])
  expect_identical(as.data.frame(as.h2o(data.frame(a = 1))), data.frame(a = 1))
})

test_that("64-bit integers travel exactly", {
  skip_without_session()
  skip_if_not_installed("bit64")
  table <- data.frame(big = bit64::as.integer64(c("9007199254740993", NA, "-5")))
  expect_identical(as.data.frame(as.h2o(table)), table)
  expect_equal(h2olite:::integer64_as_double(bit64::as.integer64(c("4294967297", NA, "-5"))), c(4294967297, NA, -5))
})

test_that("a column of a class that no session holds is refused by name", {
  skip_without_session()
  table <- data.frame(a = 1:2)
  table$b <- list(1, 2)
  expect_error(as.h2o(table), "column 'b' must hold numbers, text, factors")
})

test_that("vectors, matrices and frames become frames", {
  skip_without_session()
  expect_equal(as.vector(as.h2o(c(2.5, NA))), c(2.5, NA))
  expect_equal(dim(as.h2o(matrix(1:6, 2))), c(2, 3))
  frame <- as.h2o(iris)
  expect_identical(as.h2o(frame), frame)
})

test_that("numbers in JSON keep all their digits", {
  expect_equal(as.numeric(h2olite:::as_json(0.1 + 0.2)), 0.1 + 0.2, tolerance = 0)
  expect_equal(h2olite:::as_json(list(a = NULL, b = c(1, NA), c = "\"\\\n")), "{\"a\":null,\"b\":[1,null],\"c\":\"\\\"\\\\\\n\"}")
})
