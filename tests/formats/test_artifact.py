import errno
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import h2olite
from h2olite.errors import ArtifactError, DataError, ParameterError
from h2olite.formats import archive, artifact
from h2olite.formats.archive import replacing
from h2olite.formats.artifact import read_artifact, write_artifact

FIXTURES = Path(__file__).parent / "fixtures"
DATASETS = Path(__file__).parents[2] / "datasets"

DOCUMENT = {
    "levels": ["ä", "\n", ""],
    "rate": 0.1 + 0.2,
    "epochs": 3,
    "nothing": None,
    "nested": {"deep": [[1, 2], []]},
}
ARRAYS = {
    "weights": np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32),
    "state.mean_square": np.zeros((40, 30)),
    "sparse": np.random.default_rng(0).normal(size=(40, 3, 11)).astype(np.float32).clip(0.5, None) % 0.5,
    "levels": np.arange(12, dtype=np.int32).reshape(3, 4).T,
    "empty": np.empty((0, 5)),
    "number": np.array(7.5),
    "mask": np.array([True, False]),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.h2olite"


@pytest.fixture
def written(path):
    write_artifact(path, DOCUMENT, ARRAYS)
    return path


def zip_of(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def contents(**changes):
    return json.dumps({"format": "h2olite model", "version": 1, "arrays": [], "document": {}} | changes)


def assert_same(arrays):
    assert list(arrays) == list(ARRAYS)
    for name, expected in ARRAYS.items():
        assert arrays[name].dtype == expected.dtype
        np.testing.assert_array_equal(arrays[name], expected, strict=True)


def test_what_was_written_is_read(written):
    document, arrays = read_artifact(written)
    assert document == DOCUMENT
    assert_same(arrays)
    assert all(array.flags.writeable for array in arrays.values())


def test_numpy_and_unzip_can_read_the_members(written):
    with np.load(written) as members:
        np.testing.assert_array_equal(members["weights"], ARRAYS["weights"])
    with zipfile.ZipFile(written) as archive:
        assert json.loads(archive.read("model.json"))["document"] == DOCUMENT
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o644}


def test_the_same_content_gives_the_same_bytes(written, tmp_path):
    write_artifact(tmp_path / "other", DOCUMENT, ARRAYS)
    assert (tmp_path / "other").read_bytes() == written.read_bytes()


@pytest.mark.parametrize(
    ("epoch", "date"),
    [("1700000000", (2023, 11, 14, 22, 13, 20)), ("0", (1980, 1, 1, 0, 0, 0)), ("9" * 30, (2107, 12, 31, 23, 59, 58))],
)
def test_source_date_epoch_dates_the_members(path, monkeypatch, epoch, date):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    write_artifact(path, DOCUMENT, ARRAYS)
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {date}


def test_a_source_date_epoch_that_is_no_number_is_an_error(path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    with pytest.raises(ParameterError, match="SOURCE_DATE_EPOCH must be seconds since 1970; got 'today'"):
        write_artifact(path, DOCUMENT, ARRAYS)
    assert os.listdir(path.parent) == []


def test_members_are_deflated_where_that_pays(written):
    with zipfile.ZipFile(written) as archive:
        assert archive.getinfo("weights.npy").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("state.mean_square.npy").compress_type == zipfile.ZIP_DEFLATED


def test_what_would_look_like_a_zip_bomb_is_not_deflated(path, monkeypatch):
    monkeypatch.setattr(artifact, "most_unpacked", lambda size: 10 * size)
    write_artifact(path, {}, {"zeros": np.zeros(100_000)})
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("zeros.npy").compress_type == zipfile.ZIP_STORED
    assert read_artifact(path)[1]["zeros"].shape == (100_000,)


def test_a_large_array_of_zeros_stays_readable_and_small(path):
    zeros = np.zeros(8_000_000, np.float32)
    zeros[7] = 1
    write_artifact(path, {}, {"zeros": zeros})
    assert path.stat().st_size < zeros.nbytes / 30
    assert np.array_equal(read_artifact(path)[1]["zeros"], zeros)


def test_a_file_has_the_permissions_of_any_new_file(written):
    plain = written.with_name("plain")
    plain.touch()
    assert written.stat().st_mode == plain.stat().st_mode


def test_nan_has_no_place_in_a_document(path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_artifact(path, {"rate": float("nan")}, {})
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "array"), [("a/b", np.zeros(2)), ("..", np.zeros(2)), ("x", np.array([None])), ("x", np.array(["text"]))]
)
def test_only_named_numbers_can_be_written(path, name, array):
    with pytest.raises(ValueError, match="cannot be kept in a model file"):
        write_artifact(path, {}, {name: array})
    assert os.listdir(path.parent) == []


def test_a_document_too_large_to_read_is_not_written(path, monkeypatch):
    monkeypatch.setattr(artifact, "MOST_DOCUMENT", 1 << 20)
    with pytest.raises(ArtifactError, match="must describe the model in at most 1 MiB; got 2 MiB"):
        write_artifact(path, {"text": "x" * (2 << 20)}, {})
    assert not path.exists()


def test_a_document_that_deflates_too_well_to_be_read_is_not_deflated(path):
    document = {"text": "x" * (2 << 20)}
    write_artifact(path, document, {})
    with zipfile.ZipFile(path) as file:
        assert file.getinfo("model.json").compress_type == zipfile.ZIP_STORED
    assert read_artifact(path)[0] == document


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"m\.h2olite cannot be written: there is no folder .*absent; make it"):
        write_artifact(tmp_path / "absent" / "m.h2olite", DOCUMENT, ARRAYS)


def test_a_file_in_place_of_the_folder_is_an_error(written):
    with pytest.raises(DataError, match=r"there is no folder .*m\.h2olite; make it"):
        write_artifact(written / "inner", DOCUMENT, ARRAYS)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="folder cannot be written: Is a directory; choose another place"):
        write_artifact(tmp_path / "folder", DOCUMENT, ARRAYS)
    assert os.listdir(tmp_path) == ["folder"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(written, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = written.read_bytes()
    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises(DataError, match=r"m\.h2olite cannot be written: No space left on device"):
        write_artifact(written, {}, {})
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


def interrupt(_written):
    raise KeyboardInterrupt("now")


def test_an_interrupt_leaves_the_old_file_and_nothing_else(written):
    before = written.read_bytes()
    with pytest.raises(KeyboardInterrupt, match="now"), replacing(written) as stream:
        interrupt(stream.write(b"half a file"))
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


def test_a_reader_never_sees_half_a_file(written):
    with replacing(written) as stream:
        stream.write(b"half a file")
        stream.flush()
        assert_same(read_artifact(written)[1])
    assert written.read_bytes() == b"half a file"


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
def test_a_killed_process_leaves_the_old_file_and_nothing_else(written):
    writing = (
        "import sys\nfrom h2olite.formats.archive import replacing\n"
        "with replacing(sys.argv[1]) as stream:\n"
        "    stream.write(b'half a file')\n    stream.flush()\n    print('half', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", writing, written]
    before = written.read_bytes()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


def test_where_files_need_a_name_they_are_written_beside_the_target(written, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    with replacing(written) as stream:
        stream.write(b"a file")
        assert len(os.listdir(written.parent)) == 2
    assert written.read_bytes() == b"a file"
    assert os.listdir(written.parent) == [written.name]


def test_a_missing_file_is_an_error(path):
    with pytest.raises(ArtifactError, match=r"model file .*m\.h2olite cannot be read: No such file or directory"):
        read_artifact(path)


def test_a_folder_is_no_model_file(tmp_path):
    with pytest.raises(ArtifactError, match="cannot be read: Is a directory"):
        read_artifact(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK", b"a,b\n1,2\n", b"\x93NUMPY" + bytes(200)])
def test_what_is_no_zip_is_no_model_file(path, content):
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="must be a model file of h2olite; got something else"):
        read_artifact(path)


@pytest.mark.parametrize(
    "members",
    [
        [("notes.txt", "[info]")],
        [("model.json", "[]")],
        [("model.json", "{}")],
        [("model.json", '{"format": "another", "version": 1, "arrays": [], "document": {}}')],
    ],
)
def test_another_zip_is_no_model_file(path, members):
    zip_of(path, members)
    with pytest.raises(ArtifactError, match="must be a model file of h2olite; got another kind of zip file"):
        read_artifact(path)


def test_a_mojo_is_led_to_the_import(path):
    zip_of(path, [("model.ini", "[info]")])
    with pytest.raises(ArtifactError, match=r"got a MOJO; import it \(h2olite import, import_mojo\)\.$"):
        read_artifact(path)


def test_a_newer_format_is_an_error_that_says_so(path):
    zip_of(path, [("model.json", contents(version=4, arrays={"of": "another kind"})), ("more.bin", "")])
    with pytest.raises(ArtifactError, match=r"must be of format version 3 or older; got 4; install a newer h2olite\."):
        read_artifact(path)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ('{"x":' * 100_000, "recursion"),
        (contents(document={"x": float("nan")}), "model.json contains NaN"),
        (contents(document={"x": float("-inf")}), "model.json contains -Infinity"),
        ("\ud800".encode("utf-8", "surrogatepass"), "codec can't decode"),
        (contents().encode("utf-16"), "codec can't decode"),
        (contents(document={"x": 0}).replace("0}", "9" * 5000 + "}"), "4300 digits"),
        (contents(version="1"), "its version is no number"),
        (contents(version=True), "its version is no number"),
        (contents(version=0), "its version is no number"),
        (contents(document=[]), "lacks its document"),
        (contents(arrays="weights"), "the names of its arrays"),
        (contents(arrays=["../weights"]), "the names of its arrays"),
        (contents(arrays=["/etc/passwd"]), "the names of its arrays"),
        (contents(arrays=[3]), "the names of its arrays"),
        (contents(arrays=["x", "x"]), "the names of its arrays"),
        (contents(arrays=["absent"]), "its members are not those it lists"),
    ],
)
def test_a_wrong_document_is_an_error(path, document, reason):
    zip_of(path, [("model.json", document)])
    with pytest.raises(ArtifactError, match=f"is damaged .*{reason}"):
        read_artifact(path)


@pytest.mark.parametrize("name", ["../evil.npy", "/etc/evil.npy", "extra.npy", "folder/", "model.json/x"])
def test_a_member_that_is_not_listed_is_an_error(path, name):
    zip_of(path, [("model.json", contents()), (name, b"")])
    with pytest.raises(ArtifactError, match=r"is damaged \(its members are not those it lists"):
        read_artifact(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_occurs_twice_is_an_error(path):
    zip_of(path, [("model.json", contents()), ("model.json", contents())])
    with pytest.raises(ArtifactError, match=r"is damaged \(a member occurs twice"):
        read_artifact(path)


HEADER = "{{'descr': {0}, 'fortran_order': False, 'shape': {1}, }}"


def raw_npy(descr, shape, body=b"", version=b"\x01\x00"):
    header = HEADER.format(descr, shape).encode("latin1")
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + body


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (b"", "EOF"),
        (b"not an array", "magic"),
        (npy(np.zeros(4))[:-1], "claims dtype float64"),
        (npy(np.zeros(4)) + b"x", "claims dtype float64"),
        (raw_npy("'<f4'", "(1000000000000,)", bytes(4)), "claims dtype float32 and shape"),
        (raw_npy("'<f4'", "(-1, -1)", bytes(4)), "claims dtype float32 and shape"),
        (raw_npy("'<f8'", "(2,)", bytes(8)), "claims dtype float64 and shape"),
        (raw_npy("'<U1'", "(1,)", bytes(4)), "claims dtype <U1"),
        (raw_npy("[('a', '<f4')]", "(1,)", bytes(4)), "claims dtype"),
        (raw_npy("'|O'", "(1,)", bytes(8)), "claims dtype object"),
        (npy(np.array([None]), allow_pickle=True), "claims dtype object"),
        (raw_npy("'<f4'", "(1.5,)", bytes(4)), "shape is not valid"),
        (raw_npy("'<f4'", "(" * 900 + ")" * 900, bytes(4)), r"(Cannot parse header|\(.too many nested parentheses)"),
        (raw_npy("'<f4'", "(" + "9" * 5000 + ",)", bytes(4)), r"(Cannot parse header|\(.too many nested parentheses)"),
        (raw_npy("__import__('os').abort()", "()", bytes(4)), "malformed node"),
        (raw_npy("'<f4'", "()", bytes(4), version=b"\x02\x00"), "unknown version"),
        (npy(np.zeros(4), version=(3, 0)), "unknown version"),
    ],
)
def test_a_wrong_array_is_an_error(path, member, reason):
    zip_of(path, [("model.json", contents(arrays=["x"])), ("x.npy", member)])
    with pytest.raises(ArtifactError, match=f"is damaged .*{reason}"):
        read_artifact(path)


def sparse(shape, values, places):
    """A file whose array x is kept without zeros."""
    document = contents(version=2, arrays=["x"], sparse={"x": shape})
    return [("model.json", document), ("x.npy", npy(values)), ("x-places.npy", npy(places))]


def test_only_numbers_other_than_0_are_kept_and_where_they_are(path):
    array = np.zeros((5, 400), np.float32)
    array[3, [7, 9]] = [1, np.nan]
    write_artifact(path, {}, {"x": array, "dense": array + 1})
    with zipfile.ZipFile(path) as file:
        members = {name: np.load(io.BytesIO(file.read(name))) for name in file.namelist() if name.endswith("npy")}
    assert members.keys() == {"x.npy", "x-places.npy", "dense.npy"}
    np.testing.assert_array_equal(members["x.npy"], np.array([1, np.nan], np.float32))
    np.testing.assert_array_equal(members["x-places.npy"], np.packbits(array != 0))
    np.testing.assert_array_equal(read_artifact(path)[1]["x"], array, strict=True)


def test_files_of_version_1_can_be_read(path):
    zip_of(path, [("model.json", contents(version=1, arrays=["x"])), ("x.npy", npy(np.zeros(4)))])
    np.testing.assert_array_equal(read_artifact(path)[1]["x"], np.zeros(4), strict=True)


PLACES = np.packbits(np.arange(12) % 2).astype(np.uint8)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (sparse([3, 4], np.ones(5, np.float32), PLACES), "has other than the 6 numbers"),
        (sparse([3, 4], np.ones(1, np.float32), PLACES), "has other than the 6 numbers"),
        (sparse([3, 4], np.ones((6, 1), np.float32), PLACES), "has other than the 6 numbers"),
        (sparse([3, 4], np.ones(6), PLACES), "is not of the shape"),
        (sparse([3, 4], np.ones(6, np.float32), PLACES.astype(np.int8)), "is not of the shape"),
        (sparse([3, 40], np.ones(6, np.float32), PLACES), "is not of the shape"),
        (sparse([3, 1 << 40], np.ones(6, np.float32), PLACES), "its arrays claim more than"),
        (sparse([3, -4], np.ones(6, np.float32), PLACES), "lacks its document or the names"),
        (sparse([3, 1 << 64], np.ones(6, np.float32), PLACES), "lacks its document or the names"),
        (sparse([2] * 65, np.ones(6, np.float32), PLACES), "lacks its document or the names"),
        (sparse([3, "4"], np.ones(6, np.float32), PLACES), "lacks its document or the names"),
        (sparse([3, 4], np.ones(6, np.float32), PLACES)[:2], "its members are not those it lists"),
    ],
)
def test_a_wrong_sparse_array_is_an_error(path, members, reason):
    zip_of(path, members)
    with pytest.raises(ArtifactError, match=f"is damaged .*{reason}"):
        read_artifact(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_an_error(path, compression):
    zip_of(path, [("model.json", contents())], compression)
    with pytest.raises(ArtifactError, match="a member is neither stored nor deflated"):
        read_artifact(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(path, monkeypatch):
    zip_of(path, [("model.json", contents(arrays=["x"])), ("x.npy", npy(np.zeros(1 << 18)))], zipfile.ZIP_DEFLATED)
    assert read_artifact(path)[1]["x"].size == 1 << 18
    monkeypatch.setattr(archive, "most_unpacked", lambda size: 100 * size)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *arguments: pytest.fail("a member was opened"))
    with pytest.raises(ArtifactError, match=r"is damaged \(its .* bytes claim to unpack to more than"):
        read_artifact(path)


def test_a_small_file_unpacks_to_little():
    assert archive.most_unpacked(1000) < 20e6


def test_a_document_of_more_values_than_its_file_has_bytes_is_refused_before_it_is_parsed(path, monkeypatch):
    document = json.dumps({"history": [{}] * 300_000}, separators=(",", ":"))
    zip_of(path, [("model.json", contents()[:-3] + document + "}")], zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(artifact.json, "loads", lambda *_, **__: pytest.fail("the document was parsed"))
    with pytest.raises(ArtifactError, match=r"is damaged \(model.json has more than 10\d{4} values\)"):
        read_artifact(path)


@pytest.mark.parametrize("values", [["level"] * 300_000, [0.0] * 300_000, [[]] * 300_000, [{"a": None}] * 200_000])
def test_documents_of_many_equal_values_can_be_read_again(values, path):
    write_artifact(path, {"values": values}, {})
    assert read_artifact(path)[0] == {"values": values}


@pytest.mark.parametrize(
    ("mebibytes", "compression", "most"), [(2, zipfile.ZIP_DEFLATED, "1[23]"), (33, zipfile.ZIP_STORED, "33554432")]
)
def test_an_oversized_document_is_refused_before_it_is_unpacked(path, mebibytes, compression, most):
    zip_of(path, [("model.json", contents(document={"x": " " * (mebibytes << 20)}))], compression)
    with pytest.raises(ArtifactError, match=rf"is damaged \(model\.json takes \d+ bytes instead of at most {most}"):
        read_artifact(path)


def test_members_that_claim_more_of_the_file_than_there_is_are_refused(path):
    """Or arrays might unpack to as much more."""
    zip_of(path, [("model.json", contents(arrays=["x"])), ("x.npy", npy(np.zeros(1000)))], zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as file:
        packed = file.getinfo("x.npy").compress_size
    path.write_bytes(path.read_bytes().replace(packed.to_bytes(4, "little"), (1 << 30).to_bytes(4, "little")))
    with pytest.raises(ArtifactError, match=r"is damaged \(its members claim to take more than its \d+ bytes"):
        read_artifact(path)


@pytest.mark.parametrize("declared", [100, 1 << 20, (1 << 32) - 2])
def test_a_declared_size_that_is_not_the_real_one_is_an_error(path, declared):
    size = len(npy(np.zeros(1000)))
    zip_of(path, [("model.json", contents(arrays=["x"])), ("x.npy", npy(np.zeros(1000)))], zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), declared.to_bytes(4, "little")))
    with pytest.raises(ArtifactError, match="is damaged"):
        read_artifact(path)


def test_every_truncation_is_an_error(written):
    content = written.read_bytes()
    for length in [*range(5), *range(5, len(content), 97), len(content) - 1]:
        written.write_bytes(content[:length])
        with pytest.raises(ArtifactError, match=r"is damaged \(.+\); get it again|must be a model file") as caught:
            read_artifact(written)
        assert "\n" not in str(caught.value)


def test_a_changed_byte_is_an_error_or_makes_no_difference(written):
    content = written.read_bytes()
    generator = random.Random(1)
    refused = 0
    for _ in range(400):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= generator.randrange(1, 256)
        written.write_bytes(changed)
        try:
            document, arrays = read_artifact(written)
        except ArtifactError:
            refused += 1
        else:
            assert document == DOCUMENT
            assert_same(arrays)
    assert refused > 200


OLD = {
    1: [("Chinstrap", 0.381486), ("Chinstrap", 0.031498), ("Chinstrap", 0.017592)],
    2: [("Adelie", 0.952976), ("Chinstrap", 0.038463), ("Gentoo", 0.033739)],
    3: [("Adelie", 0.949919), ("Chinstrap", 0.227258), ("Gentoo", 0.01749)],
}
"""What the model of penguins in each version's file predicts of rows 0, 200, 340: class, and probability of Adelie."""


@pytest.mark.parametrize("version", range(1, artifact.VERSION + 1))
def test_files_of_every_version_stay_readable(version):
    model = h2olite.load_model(FIXTURES / f"version{version}.h2olite")
    predictions = model.predict(DATASETS / "penguins.csv").iloc[[0, 200, 340]]
    classes, probabilities = zip(*OLD[version], strict=True)
    assert predictions["predict"].tolist() == list(classes)
    assert predictions["Adelie"].tolist() == pytest.approx(list(probabilities), abs=1e-5)
