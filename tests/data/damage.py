"""Reads damaged tables, one after the other, in a process that may die of them; says which one it is at.

`python damage.py KIND FIRST LAST` reads the mutants of these numbers. What is printed is the number of each before it
is read, and ``wrong`` with the error where it is no DataError.
"""

import io
import random
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from h2olite.data.reader import read_blocks, read_table
from h2olite.errors import DataError, LackOfMemoryError


def whole(kind):
    """The bytes of an undamaged table."""
    n = 50
    table = pa.table(
        {
            "number": [i / 7 for i in range(n)],
            "gaps": [None if i % 3 else i for i in range(n)],
            "text": [f"word{i % 11}é" for i in range(n)],
            "level": pa.array([f"l{i % 5}" for i in range(n)]).dictionary_encode(),
            "flag": [i % 2 == 0 for i in range(n)],
            "time": pa.array(range(n), pa.timestamp("us")),
            "view": pa.array([f"a longer text, number {i}" for i in range(n)], pa.string_view()),
            "decimal": pa.array(range(n), pa.decimal128(20, 2)),
        }
    )
    if kind == "parquet":
        table = table.set_column(6, "view", table["view"].cast(pa.string()))
    sink = io.BytesIO()
    if kind == "parquet":
        pq.write_table(table, sink, row_group_size=20, compression="none")
    elif kind == "feather":
        feather.write_feather(table.drop_columns(["view"]), sink, compression="lz4")
    else:
        with (pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream)(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=20)
    return sink.getvalue()


def mutated(data, number):
    """The bytes with some of them changed, or with a piece cut out or written twice."""
    choose = random.Random(number)
    data = bytearray(data)
    for _ in range(choose.choice([1, 1, 2, 5])):
        place = choose.randrange(len(data))
        way = choose.randrange(5)
        if way == 0:
            data[place] ^= 1 << choose.randrange(8)
        elif way == 1:
            data[place] = choose.choice([0, 1, 127, 128, 255])
        elif way == 2:
            data[place : place + 4] = choose.choice(
                [b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\x01\0\0"]
            )
        elif way == 3:
            del data[place : place + choose.choice([1, 8, 64])]
        else:
            data[place:place] = data[place : place + choose.choice([1, 8, 64])]
    return bytes(data)


def main(kind, first, last):
    """Read the mutants from one number to another."""
    data = whole(kind)
    schema = {"number": "numeric", "gaps": "numeric", "text": "categorical", "level": "categorical", "time": "time"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t.{kind}"
        for number in range(first, last):
            path.write_bytes(mutated(data, number))
            print(number, flush=True)
            for read in (read_table, lambda source: list(read_blocks(source, schema, rows=16, keep=["text", "level"]))):
                try:
                    read(path)
                except (DataError, LackOfMemoryError):
                    pass
                except Exception as error:  # every other one is a fault
                    print("wrong", number, repr(error)[:300], flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
