"""A server of H2O, and its predictions."""

import contextlib
import secrets
import subprocess
import time
from pathlib import Path

import pandas as pd


@contextlib.contextmanager
def started():
    """Start a server and give H2O's client, connected to it."""
    import h2o

    jar = Path(h2o.__file__).parent / "backend" / "bin" / "h2o.jar"
    port, name = 54_000 + 2 * secrets.randbelow(500), f"h2olite-{secrets.token_hex(4)}"
    command = ["java", "-Xmx1g", "-jar", jar, "-ip", "127.0.0.1", "-baseport", str(port), "-name", name]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "-nthreads", "1"], stdout=quiet, stderr=quiet) as server:
        try:
            _connect(h2o, f"http://127.0.0.1:{port}", time.monotonic() + 60)
            h2o.no_progress()
            yield h2o
            h2o.connection().close()
        finally:
            server.terminate()


def _connect(h2o, url, until):
    """Connect as soon as the server listens."""
    while True:
        try:
            h2o.connect(url=url, verbose=False, strict_version_check=False)
        except h2o.exceptions.H2OConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return


def predict(h2o, mojo, frame):
    """H2O's predictions from a MOJO for a DataFrame, in which times become milliseconds and truth values text."""
    columns, types = {}, {}
    for name, values in frame.items():
        if pd.api.types.is_datetime64_any_dtype(values):
            values = (values - pd.Timestamp(0)) / pd.Timedelta(1, "ms")
        is_number = pd.api.types.is_numeric_dtype(values) and values.dtype != bool
        columns[name] = values if is_number else values.map(lambda value: None if pd.isna(value) else str(value))
        types[name] = "real" if is_number else "enum"
    rows = h2o.H2OFrame(pd.DataFrame(columns), column_types=types)
    return h2o.import_mojo(str(mojo)).predict(rows).as_data_frame(use_pandas=True)
