import json
import os
import subprocess
import sys
from pathlib import Path

import guard
import pytest


@pytest.fixture
def stored(monkeypatch, tmp_path):
    """The file of stored ratios, while the only ratio that is measured is 10, by AVX2 instructions."""
    monkeypatch.setattr(guard, "seconds_of", lambda work, n_rows: n_rows * work(n_rows))
    monkeypatch.setattr(guard, "comparisons", lambda: {"a": guard.Comparison(lambda n: 1, 5, lambda n: 10, 2)})
    monkeypatch.setattr(guard, "instruction_set", lambda: "AVX2")
    monkeypatch.setattr(guard, "STORED", tmp_path / "guard.json")
    return guard.STORED


@pytest.mark.parametrize(("before", "code"), [(10, 0), (19, 0), (21, 1)])
@pytest.mark.parametrize("others", [{}, {"AVX-512": {"a": 100}, "NEON": {"a": 1}}], ids=["alone", "others"])
def test_only_a_ratio_less_than_half_of_the_one_stored_for_the_same_instructions_fails(
    stored, monkeypatch, capsys, before, code, others
):
    stored.write_text(json.dumps(others | {"AVX2": {"a": before}}))
    monkeypatch.setattr("sys.argv", ["guard.py"])
    assert guard.main() == code
    assert capsys.readouterr().out == f"AVX2, a: 10 times as fast (stored: {before}){'  TOO SLOW' * code}\n"


@pytest.mark.parametrize(("lowest", "code"), [(19, 0), (21, 1)])
def test_unknown_instructions_are_compared_with_the_lowest_ratio_known(stored, monkeypatch, lowest, code):
    stored.write_text(json.dumps({"AVX-512": {"a": 100}, "NEON": {"a": lowest}}))
    monkeypatch.setattr("sys.argv", ["guard.py"])
    assert guard.main() == code


def test_update_stores_the_ratios_beside_those_for_other_instructions(stored, monkeypatch):
    stored.write_text(json.dumps({"AVX-512": {"a": 100}, "AVX2": {"a": 1}}))
    monkeypatch.setattr("sys.argv", ["guard.py", "--update"])
    assert guard.main() == 0
    assert json.loads(stored.read_text()) == {"AVX-512": {"a": 100}, "AVX2": {"a": 10.0}}


def test_both_sides_of_every_comparison_run_and_have_a_stored_ratio_for_each_instruction_set():
    comparisons = guard.comparisons()
    for ratios in json.loads(guard.STORED.read_text()).values():
        assert comparisons.keys() == ratios.keys()
    for comparison in comparisons.values():
        comparison.ours(128)  # a whole mini-batch
        comparison.theirs(128)


@pytest.mark.parametrize(
    ("processor", "instructions"), [("haswell", "AVX2"), ("skylake-avx512", "AVX-512"), ("core2", "SSE")]
)
def test_instructions_are_those_that_numba_is_told_to_compile_for(processor, instructions):
    program = Path(guard.__file__).with_name("processor.py")
    environment = os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    assert subprocess.check_output([sys.executable, program], env=environment, text=True) == f"{instructions}\n"
