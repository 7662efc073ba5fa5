"""Messages are whole sentences."""

import ast

import pytest
from test_architecture import MODULES

from h2olite import errors

KINDS = {name for name in vars(errors) if name.endswith("Error")}
ENDS = (".", "?", "}")
"""A message may end with a sentence from elsewhere, such as `nearest`."""


def ending(node):
    """How the text of an expression ends; ``}`` when that is only known when it runs."""
    if isinstance(node, ast.Constant):
        return str(node.value)[-1:]
    if isinstance(node, ast.JoinedStr):
        last = node.values[-1]
        is_sentence = isinstance(last, ast.FormattedValue) and isinstance(last.value, ast.Call)
        return "}" if is_sentence else ending(last)
    return "{" if isinstance(node, ast.FormattedValue) else "}"


@pytest.mark.parametrize("module", MODULES)
def test_errors_end_as_sentences_do(module):
    raised = [
        call
        for call in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KINDS and call.args
    ]
    assert [ast.unparse(call) for call in raised if not ending(call.args[0]).endswith(ENDS)] == []
