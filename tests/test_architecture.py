"""Imports run one way, every package is listed, modules have readable sizes and telling names."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"h2olite": ROOT / "h2olite", "h2olite_cli": ROOT / "cli"}
MODULES = {
    ".".join([package, *path.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__"): path
    for package, folder in FOLDERS.items()
    for path in sorted(folder.rglob("*.py"))
}

STOREYS = [
    {"h2olite.errors", "h2olite.display", "h2olite.kinds"},
    {"h2olite.machine"},
    {"h2olite.settings"},
    {"h2olite.data", "h2olite.metrics"},
    {"h2olite.kernels"},
    {"h2olite.network"},
    {"h2olite.predicting"},
    {"h2olite.training"},
    {"h2olite.trained"},
    {"h2olite.formats"},
    {"h2olite.pictures"},
    {"h2olite.model"},
    {"h2olite.fitting"},
    {"h2olite.selection"},
    {"h2olite.jobs"},
    {"h2olite.api"},
    {"h2olite.scikit"},
    {"h2olite.dask"},
    {"h2olite_cli"},
]
"""From the ground up: a module may import from its own part and from lower storeys."""


def part_of(module):
    """The part of the house a module belongs to: `h2olite.data` for `h2olite.data.table`."""
    name, *inner = module.split(".")
    return name if name == "h2olite_cli" or not inner else f"{name}.{inner[0]}"


def storey_of(part):
    return next(number for number, parts in enumerate(STOREYS) if part in parts)


def imports_of(module, path):
    """The names of the package's own modules that a module imports, also those imported inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in FOLDERS)


def test_every_module_has_its_storey():
    parts = {part_of(module) for module in MODULES} - {"h2olite"}
    assert parts <= set().union(*STOREYS)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "h2olite"])
def test_imports_run_one_way(module):
    part = part_of(module)
    for imported in imports_of(module, MODULES[module]):
        other = part_of(imported)
        # The package itself holds the version; the rest of what it offers it loads on first use.
        allowed = other in (part, "h2olite") or storey_of(other) < storey_of(part)
        assert allowed, f"{module} imports {imported}"


def test_relative_and_nested_imports_are_seen():
    found = list(imports_of("h2olite.network.network", MODULES["h2olite.network.network"]))
    own = {"h2olite.network.topology", "h2olite.settings.parameters", "h2olite.kinds.activations"}
    assert own | {"h2olite.kernels.layout", "h2olite.kernels.penalties"} == set(found)


def circle(arrows):
    """Modules that import each other in a circle, in order; nothing without one."""
    done = set()

    def follow(module, way):
        if module in way:
            return way[way.index(module) :]
        if module in done:
            return []
        for imported in arrows.get(module, ()):
            if found := follow(imported, [*way, module]):
                return found
        done.add(module)
        return []

    return next(filter(None, (follow(module, []) for module in arrows)), [])


def test_circles_are_seen():
    assert circle({"a": ["b"], "b": ["c", "d"], "c": [], "d": ["e"], "e": ["b"]}) == ["b", "d", "e"]
    assert circle({"a": ["b", "c"], "b": ["c"], "c": []}) == []
    assert circle({"a": ["a"]}) == ["a"]


def test_no_modules_import_each_other():
    roots = set(FOLDERS)
    arrows = {module: [*imports_of(module, path)] for module, path in MODULES.items() if module not in roots}
    assert circle({module: [i for i in found if i not in roots] for module, found in arrows.items()}) == []


def test_every_package_folder_is_listed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(module for module, path in MODULES.items() if path.name == "__init__.py")
    for folder in {path.parent for path in MODULES.values()}:
        assert (folder / "__init__.py").exists(), folder


@pytest.mark.parametrize("module", [module for module in MODULES if module != "h2olite.settings.parameters"])
def test_modules_have_at_most_500_lines(module):
    assert len(MODULES[module].read_text().splitlines()) <= 500


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert not {name for module in MODULES for name in module.split(".")} & drawers


MOST_ARGUMENTS = 8
"""What a kernel may take: Numba takes tuples of arrays apart at every call, and readers hold no more in mind."""


def arguments_of(source):
    """The number of arguments of every function in a module."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {f.name: len(f.args.posonlyargs) + len(f.args.args) + len(f.args.kwonlyargs) for f in functions}


@pytest.mark.parametrize("path", sorted((ROOT / "h2olite" / "kernels").glob("*.py")), ids=lambda path: path.name)
def test_kernels_take_few_arguments(path):
    assert {name: n for name, n in arguments_of(path.read_text()).items() if n > MOST_ARGUMENTS} == {}


def test_functions_of_many_arguments_are_seen():
    assert arguments_of("def f(a, b, /, c, *, d=1):\n    def g(): pass") == {"f": 4, "g": 0}
