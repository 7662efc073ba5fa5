import pytest
from click.testing import CliRunner

from h2olite.settings.parameters import GROUPS, declared
from h2olite_cli.params import params


def run(*arguments):
    return CliRunner(env={"COLUMNS": "80"}).invoke(params, arguments)


def test_all_parameters_are_listed_by_group():
    lines = run().stdout.splitlines()
    assert [line for line in lines if line in GROUPS.values()] == list(GROUPS.values())
    titles = [line.split()[0] for line in lines if "(" in line and line[0] != " "]
    assert sorted(titles) == sorted(declared())


@pytest.mark.parametrize("name", ["stopping_tolerance", "stopping-tolerance"])
def test_one_parameter_tells_type_default_range_and_meaning(name):
    assert run(name).stdout == (
        "stopping_tolerance  (float; default 0; >= 0 and < 1)\n"
        "    Smallest relative improvement that counts. For example, 0.01 is 1 %.\n"
    )


def test_enums_list_their_values():
    assert "(enum; default MeanImputation; MeanImputation, Skip)" in run("missing_values_handling").stdout


def test_unknown_parameter_suggests_the_nearest():
    result = run("hiden")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no parameter 'hiden'; did you mean 'hidden'?\n"
