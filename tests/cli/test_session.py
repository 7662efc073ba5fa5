"""The protocol of `h2olite session`, and that its operations are those of the public Python functions."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from program import DATASETS

import h2olite
from h2olite_cli.session import cells, columns, explanations, frames, models, rows, training
from h2olite_cli.session.protocol import CONTROL, Session

IRIS = {"frame": "iris"}
SETTINGS = {"y": "species", "hidden": [8], "epochs": 3, "seed": 1, "reproducible": True}
START = {"id": 1, "op": "import_file", "args": {"path": str(DATASETS / "iris.csv"), "destination_frame": "iris"}}


def serve(*requests):
    """All that a session writes for these requests."""
    lines = "".join((request if isinstance(request, str) else json.dumps(request)) + "\n" for request in requests)
    answers = io.StringIO()
    Session(io.StringIO(lines), answers).serve()
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def ask(*operations):
    """The results of operations on a session that holds the iris table; only the last error is not raised."""
    requests = [START, *({"id": i, "op": op, "args": args} for i, (op, args) in enumerate(operations, 2))]
    answers = [answer for answer in serve(*requests) if "event" not in answer]
    assert [answer["id"] for answer in answers] == list(range(1, len(requests) + 1))
    for answer in answers[:-1]:
        assert "error" not in answer, answer
    return [answer.get("result", answer.get("error")) for answer in answers[1:]]


@pytest.fixture
def session():
    """A process that serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "h2olite_cli.session"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def tell(process, message):
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def test_every_operation_has_a_name_of_its_own():
    names = [
        name for module in (frames, rows, cells, columns, models, training, explanations) for name in module.OPERATIONS
    ]
    assert len(names) == len(set(names)) > 50
    assert not set(names) & set(CONTROL)


@pytest.mark.parametrize(("interval", "told"), [(3600.0, ["begin"]), (0.0, ["begin", "1 of 3", "2 of 3", "3 of 3"])])
def test_how_far_compiling_is_is_told_now_and_then(interval, told, monkeypatch):
    def compile_kernels(store):
        logging.getLogger("h2olite").warning("begin")
        for n_done in (1, 2, 3):
            logging.getLogger("h2olite.compiling").warning("%d of 3", n_done)

    monkeypatch.setattr("h2olite_cli.session.protocol.PLAIN_INTERVAL", interval)
    monkeypatch.setitem(CONTROL, "version", compile_kernels)
    events = serve({"id": 1, "op": "version"})
    assert [event["text"] for event in events if event.get("event") == "note"] == told


def test_answers_have_the_id_of_their_request_and_errors_their_class_and_sentence():
    answers = serve(
        {"id": 7, "op": "version"},
        {"id": "text", "op": "nothing"},
        {"id": 8, "op": "get", "args": {"key": "none"}},
        {"id": 9, "op": "reduce", "args": {}},
        "no JSON",
    )
    assert [answer["id"] for answer in answers[:4]] == [7, "text", 8, 9]
    assert answers[0]["result"]["version"] == h2olite.__version__
    errors = [(answer["error"]["class"], answer["error"]["message"]) for answer in answers[1:]]
    assert errors[0] == ("ParameterError", "there is no operation 'nothing'.")
    assert errors[1] == ("DataError", "the session holds no frame 'none'; h2o.ls() lists what it holds.")
    assert errors[2][0] == "TypeError"
    assert errors[3][0] == "JSONDecodeError"
    assert "Traceback" in answers[3]["error"]["trace"]


def test_a_model_trained_in_a_session_predicts_what_python_s_does_bit_for_bit():
    answers = ask(
        ("train", {"parameters": {**SETTINGS, "training_frame": IRIS, "model_id": "m"}}),
        ("predict", {"model": {"model": "m"}, "frame": IRIS, "destination_frame": "p"}),
        ("reduce", {"frame": {"frame": "p"}, "op": "sum"}),
        ("performance", {"model": {"model": "m"}, "frame": IRIS}),
    )
    model = h2olite.deeplearning(training_frame=DATASETS / "iris.csv", **SETTINGS)
    expected = model.predict(DATASETS / "iris.csv")
    assert answers[0]["training_metrics"]["logloss"] == model.logloss()
    assert answers[1] == {
        "frame": "p", "rows": 150, "columns": list(expected.columns), "kinds": ["factor", "double", "double", "double"]
    }  # fmt: skip
    assert answers[2][1:] == [float(np.sum(expected[name].astype(float))) for name in expected.columns[1:]]
    assert answers[3]["logloss"] == model.model_performance(DATASETS / "iris.csv").logloss()


def test_training_tells_progress_and_the_measurements_of_verbose():
    answers = serve(
        START, {"id": 2, "op": "train", "args": {"parameters": {**SETTINGS, "training_frame": IRIS, "verbose": True}}}
    )
    events = [answer for answer in answers if "event" in answer]
    assert {answer["id"] for answer in events} == {2}
    assert 0 < next(event["share"] for event in events if event["event"] == "progress") <= 1
    assert any(event["text"].startswith("timestamp") for event in events if event["event"] == "measured")


def test_what_python_warns_of_comes_with_the_answer():
    answers = serve(
        START,
        {"id": 2, "op": "train", "args": {"parameters": {**SETTINGS, "training_frame": IRIS, "rate": 0.1}}},
    )
    assert any("rate" in sentence for sentence in answers[-1]["warnings"])


def test_stop_ends_a_training_which_gives_the_model_so_far(session):
    tell(session, START)
    session.stdout.readline()
    tell(
        session,
        {"id": 2, "op": "train", "args": {"parameters": {**SETTINGS, "training_frame": IRIS, "epochs": 1e7}}},
    )
    assert json.loads(session.stdout.readline())["event"] == "progress"
    tell(session, {"stop": True})
    answer = next(answer for line in session.stdout if "event" not in (answer := json.loads(line)))
    assert answer["result"]["interrupted"]
    assert 0 < answer["result"]["epochs"] < 1e7
    tell(session, {"id": 3, "op": "version"})
    assert json.loads(session.stdout.readline())["id"] == 3


def test_a_session_ends_with_its_input_or_when_told():
    done = subprocess.run(
        [sys.executable, "-m", "h2olite_cli", "session"],
        input='{"id": 1, "op": "shutdown"}\n{"id": 2, "op": "version"}\n',
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == '{"id": 1, "result": null}\n'
    assert serve() == []


def test_a_session_that_is_told_to_end_does_so_while_its_input_is_open(session):
    tell(session, {"id": 1, "op": "shutdown"})
    assert session.wait(10) == 0


def test_requests_of_any_length_arrive(session):
    text = "\u00fc" * 300_000
    tell(session, {"id": text, "op": "version"})
    tell(session, {"id": 2, "op": "version"})
    assert [json.loads(session.stdout.readline())["id"] for _ in range(2)] == [text, 2]


def test_a_session_whose_caller_is_gone_ends_within_a_training(session):
    tell(session, START)
    session.stdout.readline()
    tell(session, {"id": 2, "op": "train", "args": {"parameters": {**SETTINGS, "training_frame": IRIS, "epochs": 1e7}}})
    session.stdout.readline()
    session.stdin.close()
    session.stdout.close()
    assert session.wait(30) == 0


def test_ctrl_c_in_the_terminal_leaves_the_session_alone(session):
    tell(session, {"id": 1, "op": "version"})
    session.stdout.readline()
    os.kill(session.pid, signal.SIGINT)
    time.sleep(0.1)
    tell(session, {"id": 2, "op": "version"})
    assert json.loads(session.stdout.readline())["id"] == 2


def test_what_is_printed_in_a_session_does_not_stand_among_the_answers():
    code = "import h2olite_cli.session.protocol as p; p.CONTROL['version'] = lambda store: print('noise'); p.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], input='{"id": 1, "op": "version"}\n', capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ('{"id": 1, "result": null}\n', "noise\n")


def test_keys_that_are_free_are_forgotten():
    answers = serve(START, {"id": 2, "op": "keys", "free": ["iris", "unknown"]})
    assert answers[-1]["result"] == []


def test_limits_of_memory_and_threads_are_kept(session):
    tell(session, {"id": 1, "op": "start", "args": {"nthreads": 1, "max_mem_size": 1e8}})
    assert json.loads(session.stdout.readline())["result"]["nthreads"] == 1
    rows = {"path": str(DATASETS / "digits.csv")}
    for number in (2, 3):  # the first loads what reading needs
        tell(session, {"id": number, "op": "import_file", "args": rows})
        answer = json.loads(session.stdout.readline())
    assert "error" in answer


def table(**values):
    return pa.table(values)


def test_comparisons_of_texts_and_numbers_are_refused_where_they_would_mean_nothing():
    frame = table(f=pa.array(["b", "a", None]).dictionary_encode(), n=[1.0, 2.0, None])
    assert columns.binary(None, "==", frame.select(["f"]), "a").column(0).to_pylist() == [0, 1, None]
    assert columns.binary(None, ">", frame.select(["n"]), 1).column(0).to_pylist() == [0, 1, None]
    levels = table(f=pa.array(["1", "0"]).dictionary_encode())
    assert columns.binary(None, "==", levels, 1).column(0).to_pylist() == [1, 0]
    assert columns.binary(None, "==", levels, 1.0).column(0).to_pylist() == [1, 0]
    with pytest.raises(h2olite.DataError, match="by == and != only"):
        columns.binary(None, "<", frame.select(["f"]), "b")
    with pytest.raises(h2olite.DataError, match="cannot be compared"):
        columns.binary(None, "==", frame.select(["f"]), frame.select(["n"]))


def test_arithmetic_keeps_whole_numbers_where_r_does():
    frame = table(i=pa.array([7, -7, None], pa.int32()))
    for op, expected in {"+": [9, -5, None], "%%": [1, 1, None], "%/%": [3, -4, None]}.items():
        result = columns.binary(None, op, frame, 2).column(0)
        assert (result.type, result.to_pylist()) == (pa.int32(), expected)
    assert columns.binary(None, "/", frame, 2).column(0).to_pylist() == [3.5, -3.5, None]
    assert columns.binary(None, "/", frame, 0).column(0).to_pylist() == [np.inf, -np.inf, None]


def test_rows_are_chosen_by_masks_and_by_numbers():
    frame = table(a=[10, 20, 30])
    mask = table(m=pa.array([1, None, 1], pa.int32()))
    assert rows.choose(None, frame, table(m=[0.0, 1.0, 1.0]))["a"].to_pylist() == [20, 30]
    with pytest.raises(h2olite.DataError, match="got a column of texts"):
        rows.choose(None, frame, table(m=["a", "b", "c"]))
    chosen = [
        rows.choose(None, frame, which)["a"].to_pylist() for which in (mask, [3, 1, 3], [-1], [], table(r=[2.0, 3.0]))
    ]
    assert chosen == [[10, 30], [30, 10, 30], [20, 30], [], [20, 30]]
    factor = table(f=pa.array(["v", "u", None]).dictionary_encode())
    nothing = table(m=pa.array([0, 0, 0], pa.int32()))
    for none in (rows.choose(None, factor, nothing), rows.complete(None, rows.choose(None, factor, [3]))):
        assert (none.num_rows, columns.levels(None, none)) == (0, [["v", "u"]])
    with pytest.raises(h2olite.DataError, match="from 1 to 3; got 4"):
        rows.choose(None, frame, [4])
    with pytest.raises(h2olite.DataError, match="all positive or all negative"):
        rows.choose(None, frame, [1, -2])


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
def test_merging_agrees_with_pandas_and_keeps_types(how):
    left = pd.DataFrame({"k": ["b", "a", "b"], "u": [1.0, 2.0, 3.0]})
    right = pd.DataFrame({"key": ["b", "c"], "v": [5.0, 6.0]})
    arrow = [pa.Table.from_pandas(left), pa.Table.from_pandas(right)]
    merged = rows.merge(None, *arrow, ["k"], ["key"], how)
    expected = left.merge(right.rename(columns={"key": "k"}), on="k", how=how, sort=True)
    pd.testing.assert_frame_equal(merged.to_pandas(), expected, check_dtype=False)


def test_numbers_become_factors_by_size_and_texts_by_code_point():
    frame = table(n=[10.0, 2.0, None, 0.5], t=["b", "B", "a", None], l=[True, None, False, True])
    made = columns.as_factor(None, frame)
    assert columns.levels(None, made) == [["0.5", "2", "10"], ["B", "a", "b"], ["FALSE", "TRUE"]]
    assert made.cast(pa.schema([(name, pa.string()) for name in "ntl"])).to_pydict() == {
        "n": ["10", "2", None, "0.5"],
        "t": ["b", "B", "a", None],
        "l": ["TRUE", None, "FALSE", "TRUE"],
    }
    assert columns.as_numeric(None, made.select(["n", "t"])).to_pydict() == {
        "n": [10, 2, None, 0.5],
        "t": [2, 0, 1, None],
    }


def test_cells_are_set_by_constants_columns_and_masks():
    frame = table(a=[1.0, 2.0, 3.0], f=pa.array(["u", "v", "u"]).dictionary_encode())
    mask = table(m=pa.array([0, 1, 1], pa.int32()))
    assert cells.set_column(None, frame, "a", 9, mask)["a"].to_pylist() == [1, 9, 9]
    assert cells.set_column(None, frame, 0, table(x=[7.0, 8.0]), mask)["a"].to_pylist() == [1, 7, 8]
    assert cells.set_column(None, frame, "f", "w", [1])["f"].to_pylist() == ["w", "v", "u"]
    assert cells.set_column(None, frame, "b", None)["b"].to_pylist() == [None] * 3
    assert cells.set_column(None, frame, "b", 1).schema.field("b").type == pa.int32()
    with pytest.raises(h2olite.DataError, match="must get 3 values"):
        cells.set_column(None, frame, "a", table(x=[1.0, 2.0]))


def test_splits_are_the_same_for_the_same_seed_and_hold_every_row_once():
    answers = ask(
        ("split", {"frame": IRIS, "ratios": [0.6, 0.2], "seed": 3}),
        ("split", {"frame": IRIS, "ratios": [0.6, 0.2], "seed": 3, "keys": ["a", "b", "c"]}),
        ("bind_rows", {"frames": [{"frame": "a"}, {"frame": "b"}, {"frame": "c"}]}),
        ("reduce", {"frame": {"frame": "RTMP_4"}, "op": "sum"}),
        ("reduce", {"frame": IRIS, "op": "sum"}),
        ("split", {"frame": IRIS, "ratios": [1.0]}),
    )
    assert [part["rows"] for part in answers[0]] == [part["rows"] for part in answers[1]]
    assert sum(part["rows"] for part in answers[1]) == answers[2]["rows"] == 150
    np.testing.assert_allclose(answers[3][:4], answers[4][:4])
    assert answers[5]["message"] == "ratios must be > 0 and add up to less than 1; got 1.0."
