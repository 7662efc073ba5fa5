"""Machine code is kept where nobody else can put any, and what is damaged is replaced."""

import contextlib
import logging
import os
import pickle
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numba
import pytest

from h2olite.kernels import caching, compiling
from h2olite.kernels.processors import AVX2, AVX512, Processor, levels_within, machine_code, processor_of

FOLDER = Path(caching.__file__).parent

OTHER_USER = 12345

needs_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="gives folders to another user")
needs_modes = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs users and modes of files")


def test_cache_folder_is_named_by_a_digest_of_the_kernels_text(tmp_path, monkeypatch):
    copy = shutil.copytree(FOLDER, tmp_path / "kernels")
    original = caching.fingerprint()
    monkeypatch.setattr(caching, "__file__", str(copy / "caching.py"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert caching.fingerprint() == original
    assert caching.cache_folder() == tmp_path / f"kernels-{original}"

    (copy / "losses.py").write_text((copy / "losses.py").read_text() + "\n")
    changed = caching.fingerprint()
    assert changed != original
    assert caching.cache_folder() == tmp_path / f"kernels-{changed}"

    monkeypatch.setenv("H2OLITE_CACHE_DIR", str(tmp_path / "own"))
    assert caching.cache_folder() == tmp_path / "own" / f"kernels-{changed}"


def test_cache_folder_depends_on_numbas_version(monkeypatch):
    original = caching.fingerprint()
    monkeypatch.setattr(numba, "__version__", "0.0")
    assert caching.fingerprint() != original


def test_cache_folder_has_the_same_name_in_every_process():
    script = "from h2olite.kernels.caching import fingerprint; print(fingerprint())"
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        printed = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
        assert printed == caching.fingerprint() + "\n"


def test_cache_falls_back_to_the_folder_for_temporary_files(tmp_path, monkeypatch):
    obstacle = tmp_path / "file"
    obstacle.touch()
    monkeypatch.delenv("H2OLITE_CACHE_DIR", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(obstacle))
    monkeypatch.setattr(caching.tempfile, "tempdir", str(tmp_path))
    folder = caching.cache_folder()
    assert folder is not None
    assert tmp_path in folder.parents
    monkeypatch.setattr(caching.tempfile, "tempdir", str(obstacle))
    assert caching.cache_folder() is None


@pytest.mark.parametrize("chosen", [True, False], ids=["folder chosen", "no folder chosen"])
def test_neither_a_home_nor_a_folder_for_temporary_files_is_needed(tmp_path, monkeypatch, chosen):
    def fail(*_):
        raise FileNotFoundError(2, "No usable temporary directory found")

    for name in ("H2OLITE_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as of a user who is not in the password file
    monkeypatch.setattr(caching.tempfile, "gettempdir", fail)
    if chosen:
        monkeypatch.setenv("H2OLITE_CACHE_DIR", str(tmp_path))
    assert caching.cache_folder() == (tmp_path / f"kernels-{caching.fingerprint()}" if chosen else None)


def double(x):
    return 2 * x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder that kernels are compiled into, not chosen by the environment."""
    for name in ("H2OLITE_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    made = tmp_path / "cache"
    made.mkdir(0o700)
    monkeypatch.setattr(compiling, "CACHE_FOLDER", made)
    return made


def compiled_anew():
    """Whether a new process had to compile the function, or its back end; what it computes is right in any case."""
    function = compiling.entry(double)
    with pytest.MonkeyPatch.context() as patch:
        made = []
        patch.setattr(caching, "machine_code", lambda *given: made.append(machine_code(*given)) or made[-1])
        assert function(21) == 42
    return sum(function.stats.cache_misses.values()) + len(made) == 1


def code_files(folder):
    """The files of machine code, without those of what the front end made."""
    return [path for path in folder.rglob("*") if path.is_file() and "-plain-" not in path.name]


def test_machine_code_is_kept_for_the_user_alone(folder):
    assert compiled_anew()
    assert not compiled_anew()
    (file,) = code_files(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(other.stat().st_mode) == 0o600 for other in file.parent.iterdir())


def flip(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES = {
    "empty": lambda content: b"",
    "shorter than a digest": lambda content: content[:20],
    "cut off": lambda content: content[: len(content) // 2],
    "garbage": lambda content: b"garbage" * 100,
    "a bit in the machine code": lambda content: flip(content, len(content) // 2),
    "a bit in the digest": lambda content: flip(content, 3),
    "longer": lambda content: content + b"more",
    "another pickle": lambda content: pickle.dumps(("key", "code")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_machine_code_is_noticed_and_replaced(damage, folder, caplog):
    assert compiled_anew()
    (file,) = code_files(folder)
    file.write_bytes(damage(file.read_bytes()))
    with caplog.at_level(logging.WARNING, "h2olite"):
        assert compiled_anew()
    assert f"Machine code in {file} is damaged; compiling it again." in caplog.text
    assert not compiled_anew()
    assert code_files(folder) == [file]


def test_machine_code_that_refers_to_what_is_gone_is_replaced(folder, caplog, monkeypatch):
    assert compiled_anew()
    monkeypatch.setattr(caching.pickle, "loads", lambda content: (_ for _ in ()).throw(AttributeError("no such thing")))
    assert compiled_anew()
    assert "cannot be loaded (no such thing); compiling it again." in caplog.text


def test_a_folder_in_the_place_of_machine_code_only_costs_time(folder, caplog):
    assert compiled_anew()
    (file,) = code_files(folder)
    file.unlink()
    file.mkdir()
    assert compiled_anew()
    assert f"Machine code in {file} cannot be read" in caplog.text
    assert f"Machine code cannot be kept in {file.parent}" in caplog.text
    assert code_files(folder) == []


def test_a_cache_folder_that_is_gone_only_costs_time(folder, caplog):
    function = compiling.entry(double)
    shutil.rmtree(folder)
    folder.touch()
    assert function(21) == 42
    assert f"Machine code cannot be kept in {folder}" in caplog.text


def given_to_another(path):
    os.chown(path, OTHER_USER, OTHER_USER)


HOLES = {
    "the folder is another user's": lambda base, inner: given_to_another(inner),
    "the one above is another user's": lambda base, inner: given_to_another(base),
    "anybody can write to the one above": lambda base, inner: os.chmod(base, 0o777),
    "a group can write to the one above": lambda base, inner: (os.chown(base, 0, OTHER_USER), os.chmod(base, 0o775)),
    "anybody can write to the folder, though only delete his own": lambda base, inner: os.chmod(inner, 0o1777),
}


@pytest.fixture
def reachable():
    """A folder that others can enter, as those that pytest makes are not."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in made.parents):
        pytest.skip("others cannot enter the folder for temporary files")
    yield made
    shutil.rmtree(made)


@needs_root
@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_a_folder_that_others_can_change_or_replace_keeps_no_machine_code(hole, reachable, monkeypatch):
    base = reachable / "base"
    monkeypatch.setenv("H2OLITE_CACHE_DIR", str(base))
    inner = caching.cache_folder()
    assert inner == base / f"kernels-{caching.fingerprint()}"
    assert stat.S_IMODE(inner.stat().st_mode) == stat.S_IMODE(base.stat().st_mode) == 0o755
    assert caching.cache_folder() == inner
    hole(base, inner)
    assert caching.cache_folder() is None


@needs_root
def test_the_fallback_is_not_used_where_another_user_made_it_first(reachable, monkeypatch):
    for name in ("H2OLITE_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    monkeypatch.setattr(caching.tempfile, "tempdir", str(reachable))
    reachable.chmod(0o1777)
    (reachable / "h2olite-0").mkdir(0o777)
    given_to_another(reachable / "h2olite-0")
    assert caching.cache_folder() is None
    shutil.rmtree(reachable / "h2olite-0")
    assert caching.cache_folder() == reachable / "h2olite-0" / f"kernels-{caching.fingerprint()}"


@needs_root
def test_a_link_leads_to_a_folder_that_is_as_private_as_any_other(reachable, monkeypatch):
    monkeypatch.setenv("H2OLITE_CACHE_DIR", str(reachable / "link"))
    (reachable / "elsewhere").mkdir()
    (reachable / "link").symlink_to(reachable / "elsewhere")
    assert caching.cache_folder() == reachable / "elsewhere" / f"kernels-{caching.fingerprint()}"
    given_to_another(reachable / "elsewhere")
    assert caching.cache_folder() is None


@needs_modes
@pytest.mark.parametrize("mode", [0o777, 0o757, 0o1777], ids=oct)
def test_machine_code_is_not_run_once_others_can_write_where_it_is(mode, reachable, monkeypatch):
    monkeypatch.setattr(compiling, "CACHE_FOLDER", reachable)
    assert compiled_anew()
    (file,) = code_files(reachable)
    os.chmod(file.parent, mode)
    assert compiled_anew()
    os.chmod(file.parent, 0o755)
    assert not compiled_anew()


@needs_modes
@pytest.mark.parametrize("mode", [0o602, 0o666, 0o777], ids=oct)
def test_machine_code_that_others_can_write_is_not_run_but_replaced(mode, reachable, monkeypatch, caplog):
    for name in ("H2OLITE_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(compiling, "CACHE_FOLDER", reachable)
    assert compiled_anew()
    (file,) = code_files(reachable)
    os.chmod(file, mode)
    assert compiled_anew()
    assert [record.getMessage() for record in caplog.records] == [
        f"Machine code in {file} is within reach of other users; compiling it again."
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not compiled_anew()


@needs_modes
def test_the_users_own_group_may_write(reachable, monkeypatch):
    import grp

    group = grp.getgrgid(os.getgid())
    reachable.chmod(0o775)
    monkeypatch.setattr("pwd.getpwuid", lambda _: pwd_entry(group.gr_name))
    assert caching.is_private(reachable)
    monkeypatch.setattr("grp.getgrgid", lambda _: group_of(group.gr_name, "somebody"))
    assert not caching.is_private(reachable)
    monkeypatch.setattr("grp.getgrgid", lambda _: group_of("staff"))
    assert not caching.is_private(reachable)


def pwd_entry(name):
    return SimpleNamespace(pw_name=name)


def group_of(name, *members):
    return SimpleNamespace(gr_name=name, gr_mem=list(members))


@needs_modes
def test_folders_are_made_for_the_user_alone_whatever_the_umask(reachable, monkeypatch):
    for name in ("H2OLITE_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(reachable / "a" / "b"))
    before = os.umask(0)
    try:
        folder = caching.cache_folder()
        monkeypatch.setattr(compiling, "CACHE_FOLDER", folder)
        assert compiled_anew()
        assert not compiled_anew()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, *list(folder.parents)[:3])} == {0o700}


@needs_root
def test_what_root_keeps_in_a_chosen_folder_serves_other_users_who_keep_their_own_elsewhere(reachable, monkeypatch):
    code = Path(__file__).resolve(), Path(caching.__file__).resolve()
    if not all(parent.stat().st_mode & stat.S_IXOTH for file in code for parent in file.parents):
        pytest.skip("others cannot read the code of the kernels")
    monkeypatch.setenv("H2OLITE_CACHE_DIR", str(reachable / "image"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(reachable / "home"))
    image = caching.cache_folder()
    assert (caching.shared_folder(), stat.S_IMODE(image.stat().st_mode)) == (None, 0o755)
    monkeypatch.setattr(compiling, "CACHE_FOLDER", image)
    assert compiled_anew()
    (file,) = code_files(image)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644

    (reachable / "home").mkdir()
    os.chown(reachable / "home", OTHER_USER, OTHER_USER)
    os.seteuid(OTHER_USER)
    try:
        monkeypatch.setattr(os, "getuid", lambda: OTHER_USER)
        own = caching.cache_folder()
        assert (caching.shared_folder(), own.is_relative_to(reachable / "home")) == (image, True)
        monkeypatch.setattr(compiling, "CACHE_FOLDER", own)
        monkeypatch.setattr(compiling, "SHARED_FOLDER", image)
        assert not compiled_anew()
        assert code_files(own) == []
        for folder in (None, own):  # another processor: code is made each time where it cannot be kept
            monkeypatch.setattr(compiling, "CACHE_FOLDER", folder)
            with another_processor(monkeypatch):
                assert compiled_anew()
                assert compiled_anew() == (folder is None)
        assert len(code_files(own)) == 1
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def another_processor(monkeypatch, name="x86-64-v2", features=""):
    """Numba takes this processor for another kind, in the names of files."""
    codegen = type(compiling.entry(double).targetctx.codegen())
    with monkeypatch.context() as patch:
        patch.setattr(codegen, "magic_tuple", lambda self: (self._llvm_module.triple, name, features))
        yield


def test_another_processor_needs_the_back_end_of_the_compiler_only(folder, monkeypatch):
    assert compiled_anew()
    with another_processor(monkeypatch):
        assert compiled_anew()
        function = compiling.entry(double)
        assert function(21) == 42
        assert sum(function.stats.cache_hits.values()) == 1
        assert ("x86-64-v2", 1, True) in caching.served_processors(function)
    assert not compiled_anew()
    assert len(code_files(folder)) == 2
    shutil.rmtree(folder / code_files(folder)[0].parent)
    assert compiled_anew()


def test_damage_to_what_the_front_end_made_is_noticed_by_another_processor(folder, monkeypatch, caplog):
    assert compiled_anew()
    (plain,) = folder.rglob("*-plain-*")
    plain.write_bytes(plain.read_bytes()[:-1])
    with another_processor(monkeypatch):
        function = compiling.entry(double)
        assert function(21) == 42
    assert sum(function.stats.cache_misses.values()) == 1
    assert f"Machine code in {plain} is damaged; compiling it again." in caplog.text


@pytest.mark.skipif(platform.machine() != "x86_64", reason="is about levels of x86-64")
def test_code_for_a_level_serves_every_processor_that_has_its_instructions(folder, monkeypatch):
    function = compiling.entry(double)
    assert function(21) == 42
    codegen = function.targetctx.codegen()
    host = processor_of(codegen).name
    assert function._cache.keep_for_others(function.signatures, codegen) == 2
    assert function._cache.keep_for_others(function.signatures, codegen) == 0
    assert {(name, n) for name, n, _ in caching.served_processors(function)} == {
        (host, 1),
        ("x86-64-v3", 1),
        ("x86-64-v4", 1),
    }
    avx2 = "+" + ",+".join(sorted(AVX2))
    for features, names in ((avx2, ["x86-64-v3"]), (avx2.replace("+fma", "-fma"), [])):
        with another_processor(monkeypatch, "znver9", features):
            assert [level.name for level in levels_within(processor_of(codegen))] == names
            assert compiling.is_compiled(compiling.entry(double), [21]) == bool(names)
            assert compiled_anew() != bool(names)


@pytest.mark.parametrize(
    ("triple", "features", "names"),
    [
        ("aarch64-unknown-linux-gnu", "+neon,+sve", ["generic"]),
        ("arm64-apple-darwin24", "+neon", ["generic"]),
        ("x86_64-pc-windows-msvc", "+" + ",+".join(sorted(AVX512)), ["x86-64-v4", "x86-64-v3"]),
        ("powerpc64le-unknown-linux-gnu", "+vsx", []),
    ],
)
def test_levels_of_other_architectures(triple, features, names):
    assert [level.name for level in levels_within(Processor(triple, "some", features))] == names
