"""Hot loops are vectorised on every kind of processor: whole registers, no store on a condition, and no call."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROCESSORS = {"haswell": "%ymm", "skylake-avx512": "%[yz]mm", "neoverse-n1": None}
"""The full registers of each, but for NEON, whose instructions say it by another word."""

X86 = {
    "divide": r"vdivps\t.*REGISTER",
    "root": r"vsqrtps\t.*REGISTER",
    "multiply-add": r"vfn?m(add|sub)\d+ps\t.*REGISTER",
    "multiply": r"vmulps\t.*REGISTER",
    "add": r"v(add|sub)ps\t.*REGISTER",
    "store": r"vmov[au]p?(s|d|dqu|dqa)\w*\tREGISTER\d+, .*\(",
}
NEON = {
    "divide": r"fdiv\tv\d+\.4s",
    "root": r"fsqrt\tv\d+\.4s",
    "multiply-add": r"fml[as]\tv\d+\.4s",
    "multiply": r"fmul\tv\d+\.4s",
    "add": r"f(add|sub)\tv\d+\.4s",
    "store": r"st[rp]\tq\d+",
}

LOOPS = {
    "_adadelta": ["divide", "root", "multiply-add", "store"],
    "_momentum": ["multiply-add", "store"],
    "average": ["multiply-add", "store"],
    "add_product": ["multiply-add", "store"],
    "combine": ["multiply-add", "store"],
    "fill_products": ["multiply-add"],
    "multiply_slopes": ["multiply", "store"],
    "scale_row": ["multiply", "store"],
    "copy_row": ["store"],
    "add_squares": ["multiply-add", "store"],
    "scale_columns": ["multiply", "store"],
    "drop_units": ["multiply", "store"],
    "activate": ["divide", "multiply-add", "store"],
    "give": ["store"],
    "add_up": ["add", "store"],
    "gather": ["store"],
    "soft_threshold": ["divide", "root", "store"],
    "multiply": ["multiply-add", "store"],
    "move_towards": ["multiply-add", "store"],
    "keep_most_in": ["add", "store"],
    "add_sums": ["divide", "multiply-add", "store"],
    "pull": ["divide", "root", "multiply-add", "store"],
}
"""What the hot loop of each kernel does; that of `activate` is Tanh's."""

STORES_ON_CONDITION = r"vmaskmov\w+\t%\wmm\d+, %\wmm\d+, .*\(|vmov\w+\t%\wmm\d+, .*\(.*\{%k|vpscatter|vscatter"
STORES_OF_ONE = r"vmovss\t%xmm\d+, .*\(|vextractps\t.*\(|str\ts\d+|st1\t\{ ?v\d+\.s ?\}\["
CALLS = r"call|bl\t|blr\t"


@pytest.fixture(scope="module")
def assembly():
    """The assembly of the hot kernels for each processor, compiled in a process of its own."""
    program = Path(__file__).with_name("assembly.py")
    return json.loads(subprocess.check_output([sys.executable, program, *PROCESSORS], text=True))


def innermost_loops(text):
    """The instructions of each loop that no other loop is in: from a label to the last jump back to it."""
    lines = [line.strip() for line in text.splitlines()]
    labels = {line.split(":")[0]: place for place, line in enumerate(lines) if re.match(r"\.LBB\w+:", line)}
    starts = {}
    for place, line in enumerate(lines):
        jump = re.match(r"(?:j\w+|b|b\.\w+|cbn?z|tbn?z)\t.*?(\.LBB\w+)$", line)
        if jump and labels[jump[1]] < place:
            starts[labels[jump[1]]] = place
    return [
        lines[start : end + 1]
        for start, end in starts.items()
        if not any(start < other and starts[other] <= end for other in starts if other != start)
    ]


def has(loop, pattern):
    return any(re.match(pattern, line) for line in loop)


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("kernel", LOOPS)
def test_hot_loops_work_on_whole_registers_and_store_all_of_them(assembly, kernel, processor):
    register = PROCESSORS[processor]
    does = {name: pattern.replace("REGISTER", register) for name, pattern in X86.items()} if register else NEON
    text = assembly[processor][kernel]
    hot = [loop for loop in innermost_loops(text) if all(has(loop, does[name]) for name in LOOPS[kernel])]
    assert hot
    for loop in hot:
        assert not has(loop, STORES_OF_ONE), loop
        assert not has(loop, CALLS), loop
    assert not has(map(str.strip, text.splitlines()), STORES_ON_CONDITION)


@pytest.mark.parametrize("processor", ["haswell", "neoverse-n1"])
def test_a_loop_that_stores_on_a_condition_would_be_found(processor):
    bad = {
        "haswell": ".LBB0_1:\n\tvdivps\t%ymm6, %ymm5, %ymm5\n\tvmaskmovps\t%ymm14, %ymm6, (%r15,%r9,4)\n\tjne\t.LBB0_1",
        "neoverse-n1": ".LBB0_1:\n\tfdiv\tv1.4s, v2.4s, v3.4s\n\tst1\t{ v1.s }[2], [x8]\n\tb.ne\t.LBB0_1",
    }[processor]
    (loop,) = innermost_loops(bad)
    assert has(loop, STORES_ON_CONDITION) or has(loop, STORES_OF_ONE)
