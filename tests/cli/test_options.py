import click
import pytest

from h2olite.errors import ParameterError
from h2olite.settings.parameters import FUNCTIONS, declared
from h2olite.settings.validation import validate
from h2olite_cli.console import Command
from h2olite_cli.options import given, parameter_options, read_parameters


def parse(*arguments):
    """The parameters that these arguments of a command give."""
    found = {}
    command = Command("train", params=parameter_options(), callback=lambda **options: found.update(given(options)))
    command.main(arguments, standalone_mode=False)
    return found


def sample(parameter):
    """A value of the parameter other than its default, as text and as Python has it."""
    if parameter.choices is not None:
        return parameter.choices[-1].lower(), parameter.choices[-1]
    item, value = {int: ("3", 3), float: ("0.25", 0.25)}.get(parameter.type, ("a", "a"))
    return (f"{item},{item}", [value, value]) if parameter.is_list else (item, value)


@pytest.mark.parametrize("parameter", [p for p in declared().values() if p.name != "training_frame"])
def test_every_parameter_is_an_option(parameter):
    name = parameter.name.replace("_", "-")
    if parameter.type is bool:
        assert parse(f"--{name}") == {parameter.name: True}
        assert parse(f"--no-{name}") == {parameter.name: False}
    else:
        text, value = sample(parameter)
        expected = text if parameter.choices is not None else value
        assert parse(f"--{name}", text) == parse(f"--{parameter.name}={text}") == {parameter.name: expected}
        is_free = parameter.within is None and parameter.choices is None
        is_free &= parameter.name not in (*FUNCTIONS, "max_memory")  # whose texts have a form
        if is_free and parameter.type is not object:
            assert getattr(validate({parameter.name: value}), parameter.name) == value


def test_nothing_given_leaves_every_default_to_the_declaration():
    assert parse() == {}


def test_negated_flags_may_be_spelt_with_underscores():
    assert parse("--no_adaptive_rate") == {"adaptive_rate": False}


@pytest.mark.parametrize("text", ["20,10", "[20,10]", "[20, 10]"])
def test_numbers_may_stand_in_brackets_as_in_python(text):
    assert parse("--hidden", text) == {"hidden": [20, 10]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-y", "class"], {"y": "class"}),
        (["-x", "a,b"], {"x": ["a", "b"]}),
        (["--ignore", "a"], {"ignored_columns": ["a"]}),
        (["--factor", "a", "--numeric", "b"], {"factors": ["a"], "numeric": ["b"]}),
    ],
)
def test_short_spellings(arguments, expected):
    assert parse(*arguments) == expected


@pytest.mark.parametrize(("text", "items"), [("128,128, 64", [128, 128, 64]), ("200", [200]), ("", [])])
def test_lists_have_commas(text, items):
    assert parse("--hidden", text) == {"hidden": items}


def test_name_with_a_comma_goes_into_quotes():
    assert parse("-x", 'age,"height, cm"') == {"x": ["age", "height, cm"]}


def test_text_that_is_no_number_is_wrong_usage():
    with pytest.raises(click.UsageError, match="'many' is not a valid float"):
        parse("--epochs", "many")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.toml", "l1 = 1e-5\nstopping-rounds = 3\nhidden = [5, 5]\n"),
        ("p.json", '{"l1": 1e-5, "stopping-rounds": 3, "hidden": [5, 5]}'),
    ],
)
def test_parameter_file_is_toml_or_json(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_parameters(tmp_path / name) == {"l1": 1e-5, "stopping_rounds": 3, "hidden": [5, 5]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.toml", "l1 = ", "p.toml is not valid TOML: "),
        ("p.toml", "x = ['\xe9']", "p.toml is not valid TOML: 'utf-8' codec can't decode"),
        ("p.json", "{", "p.json is not valid JSON: "),
        ("p.json", "[1]", "p.json must hold parameter names and values; got a list"),
    ],
)
def test_damaged_parameter_file_is_a_parameter_error(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(ParameterError, match=message):
        read_parameters(tmp_path / name)
