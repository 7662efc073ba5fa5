"""Names of columns and levels that are hard on text formats."""

import numpy as np
import pandas as pd

COLUMNS = [
    "a = b",
    "a: b",
    "[brackets]",
    "quote \" and '",
    "ünïcödé 名前 😀",
    "back\\slash n\\n",
    "tab\tinside",
    "5",
    "x#y",
]

RESPONSE = "response = ?"

LEVELS = [
    *(
        "",
        " leading",
        "trailing ",
        "two\nlines",
        "carriage\rreturn",
        "back\\slash",
        "\\n",
        "# sharp",
        "a=b",
        '"quoted"',
    ),
    *(
        "ünïcödé",
        "😀",
        "tab\t",
        "[info]",
        "null",
        "line\u2028separator",
        "next\x85line",
        "vertical\x0btab",
        "no-break\xa0",
    ),
]


def table(n_rows=200) -> pd.DataFrame:
    """A column of each name, the first of which has all the levels, and a response with two of them."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.normal(size=n_rows) for name in COLUMNS})
    frame[COLUMNS[0]] = random.permutation(np.resize(LEVELS, n_rows))
    frame[RESPONSE] = np.where(random.random(n_rows) < 0.5, "two\nlines", " leading")
    return frame
