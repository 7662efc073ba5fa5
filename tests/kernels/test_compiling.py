"""Kernels share one set of compiler flags, and machine code is kept where it cannot grow stale."""

import ast
import gc
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from examples import from_python, network, objective, rule, table, train

from h2olite.kernels import compiling
from h2olite.kernels.caching import CACHE_FOLDER
from h2olite.kernels.losses import bounded_exp
from h2olite.kernels.randomness import uniform
from h2olite.kernels.rows import train_rows

FOLDER = Path(compiling.__file__).parent
OTHERS = ("__init__.py", "atomics.py", "caching.py", "compiling.py", "lanes.py", "parts.py", "processors.py")
KERNEL_FILES = [path for path in sorted(FOLDER.glob("*.py")) if path.name not in OTHERS]


@pytest.mark.parametrize("path", KERNEL_FILES, ids=lambda path: path.name)
def test_every_function_is_compiled_by_the_packages_decorators(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert len(node.decorator_list) == 1, node.name
            assert ast.unparse(node.decorator_list[0]) in ("kernel", "entry", "view"), node.name
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert "numba" not in ast.unparse(node)


def test_only_the_decorators_call_the_compiler():
    tree = ast.parse((FOLDER / "compiling.py").read_text())
    calling = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        if any(isinstance(node, ast.Attribute) and "jit" in node.attr for node in ast.walk(function))
    }
    assert calling == {"kernel", "entry", "view"}


def test_single_precision_stays_single():
    from_python(bounded_exp)(np.float32(1.5))
    from_python(uniform)(np.uint64(1), 2)
    assert bounded_exp.overloads[numba.float32,].signature.return_type == numba.float32
    assert uniform.overloads[numba.uint64, numba.int64].signature.return_type == numba.float32


def test_numbas_own_cache_setting_is_left_alone():
    assert os.environ.get("NUMBA_CACHE_DIR", "") == numba.config.CACHE_DIR


def run(script, **environment):
    """The standard output of a Python process, which imports what this one does: -P keeps the working folder out."""
    paths = os.pathsep.join(path for path in sys.path if path)
    finished = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_kernels_compile_where_no_cache_folder_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    script = (
        "from h2olite.kernels import compiling\n"
        "double = compiling.entry(lambda x: 2 * x)\n"
        "before, three = compiling.is_compiled(double, [3]), double(3)\n"
        "print(compiling.CACHE_FOLDER, before, three, compiling.is_compiled(double, [3]))"
    )
    assert run(script, NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache")) == "None False 6 True\n"


def test_kernels_are_compiled_as_parts_of_entries_and_tell_how_far_that_is(tmp_path):
    (tmp_path / "doubling.py").write_text(
        "from h2olite.kernels import compiling\n"
        "@compiling.kernel\ndef twice(x): return 2 * x\n"
        "@compiling.kernel\ndef four_times(x): return twice(twice(x))\n"
        "@compiling.entry\ndef eight_times(x): return twice(four_times(x))\n"
    )
    script = (
        f"import logging, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from doubling import *\n"
        "logger = logging.getLogger('h2olite.compiling')\n"
        "logger.addHandler(logging.StreamHandler(sys.stdout)); logger.setLevel(logging.INFO)\n"
        "print(compiling.compiling(lambda: eight_times(3)))\n"
        "print({type(made.library).__name__ for part in (twice, four_times) for made in part.overloads.values()})"
    )
    told = run(script, NUMBA_CACHE_DIR=str(tmp_path / "cache")).splitlines()
    for n_done, line in enumerate(told[:2], 1):
        assert re.fullmatch(rf"Compiling the kernels: {n_done} of about \d+, \d+ s left", line)
    assert told[2:] == ["24", "{'Part'}"]


def test_parts_of_later_entries_do_not_lengthen_the_time_left(tmp_path):
    (tmp_path / "doubling.py").write_text(
        "import time\n"
        "from h2olite.kernels import compiling\n"
        "@compiling.kernel\ndef twice(x): return 2 * x\n"
        "@compiling.kernel\ndef thrice(x): return 3 * x\n"
        "@compiling.entry\ndef double(x): return twice(x)\n"
        "@compiling.entry\ndef triple(x): return thrice(x)\n"
        "def work():\n    double(3); time.sleep(1); triple(3)\n"
    )
    script = (
        f"import logging, re, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from doubling import *\n"
        "logger = logging.getLogger('h2olite.compiling')\n"
        "logger.addHandler(logging.StreamHandler(sys.stdout)); logger.setLevel(logging.INFO)\n"
        "compiling.compiling(work)"
    )
    told = run(script, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    first, second = map(int, re.findall(r"(\d+) s left", told))
    assert second <= max(first - 1, 0)


def test_garbage_is_collected_again_after_compiling_and_errors_pass():
    def fail():
        assert not gc.isenabled()
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        compiling.compiling(fail)
    assert gc.isenabled()


def test_calls_in_turn_have_room_for_their_variables_while_compiling():
    def depth(n):
        return n and 1 + depth(n - 1)

    assert compiling.compiling(lambda: depth(500)) == 500
    assert compiling._with_room.__code__.co_stacksize * 8 > 2**20


@pytest.mark.skipif(CACHE_FOLDER is None, reason="no folder for machine code can be written")
def test_a_second_process_runs_the_machine_code_of_the_first():
    train(network(), objective(), rule(), table(2))
    script = (
        "from examples import network, objective, rule, table, train\n"
        "from h2olite.kernels import compiling\n"
        "from h2olite.kernels.rows import train_rows\n"
        "what = network(), objective(), rule(), table(2)\n"
        "print(train(*what, call=lambda *arguments: compiling.is_compiled(train_rows, arguments)))\n"
        "train(*what)\n"
        "print(sum(train_rows.stats.cache_hits.values()), sum(train_rows.stats.cache_misses.values()))"
    )
    assert run(script) == "True\n1 0\n"


@pytest.mark.skipif(CACHE_FOLDER is None, reason="no folder for machine code can be written")
def test_machine_code_is_kept_side_by_side_for_each_kind_of_processor(tmp_path):
    (tmp_path / "doubling.py").write_text(
        "from h2olite.kernels import compiling\n@compiling.entry\ndef double(x): return 2 * x\n"
    )
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from doubling import compiling, double\n"
        "print(compiling.is_compiled(double, [3]), double(3), *double.stats.cache_hits.values())"
    )
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    generic = {**cache, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert run(script, **cache) == "False 6\n"
    assert run(script, **generic) == "False 6 1\n"  # its back end only
    assert run(script, **generic) == run(script, **cache) == "True 6 1\n"


@pytest.mark.skipif(CACHE_FOLDER is None, reason="no folder for machine code can be written")
def test_another_installation_does_not_count_as_compiled(tmp_path):
    what = network(), objective(), rule(), table(2)
    train(*what)
    assert train(*what, call=lambda *arguments: compiling.is_compiled(train_rows, arguments))
    shutil.copytree(FOLDER.parent, tmp_path / "h2olite")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from h2olite.kernels import compiling, rows\n"
        "from examples import network, objective, rule, table, train\n"
        "what = network(), objective(), rule(), table(2)\n"
        "print(train(*what, call=lambda *arguments: compiling.is_compiled(rows.train_rows, arguments)))"
    )
    assert run(script) == "False\n"
