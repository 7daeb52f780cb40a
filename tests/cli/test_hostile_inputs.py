"""Inputs that are broken, or made to harm: one clear line, the right code, nothing written."""

import io
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from users import TABLE, write_module, write_picture, write_table

FILES = ("--out", "a.npz", "--out", "a.png")


def header(shape, dtype="<f8", version=1):
    stream = io.BytesIO()
    fields = {"descr": dtype, "fortran_order": False, "shape": shape}
    write = [np.lib.format.write_array_header_1_0, np.lib.format.write_array_header_2_0]
    write[version - 1](stream, fields)
    return stream.getvalue()


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def npz(**entries):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def png():
    stream = io.BytesIO()
    Image.fromarray(np.arange(300).astype(np.uint8).reshape(10, 10, 3)).save(stream, "PNG")
    return stream.getvalue()


class Hostile:
    def __reduce__(self):
        return (exec, ("open('hacked', 'w').close()",))


OBJECTS = npy(np.array([Hostile()], dtype=object), allow_pickle=True)
BOMB = npz(x=npy(np.zeros((3, 2**25))))  # 805 MB of zeros in one file of 800 kB

CODE = b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').abort()".ljust(32)

CASES = {
    "an npz that claims 2 GB": ("x.npz", npz(x=header((2**28,)) + b"abc"), 3, "claims an array"),
    "2 GB in a later format": ("x.npz", npz(x=header((2**28,), version=2)), 3, "claims an array"),
    "an npz that unfolds to much": ("x.npz", BOMB, 3, "more than --max-bytes 100,000,000"),
    "an npz of objects": ("x.npz", npz(x=OBJECTS), 3, "holds Python objects, which are never"),
    "an npz of texts": ("x.npz", npz(x=npy(np.array(["a"]))), 3, "expected numbers (N, ...)"),
    "an npz of a number": ("x.npz", npz(x=npy(np.array(1.0))), 3, "expected numbers (N, ...)"),
    "an npz of no array": ("x.npz", npz(x=b"no array"), 3, "is no array of NumPy"),
    "an npz cut short": ("x.npz", npz(x=npy(np.ones((9, 3))))[:90], 3, "is no .npz archive"),
    "an npz of nothing": ("x.npz", npz(), 2, "has 0 arrays"),
    "an npy that claims 2 GB": ("x.npy", header((2**28,)) + b"abc", 3, "claims an array of shape"),
    "an npy of huge claims": ("x.npy", header((2**40, 2**40)), 3, "claims an array of shape"),
    "an npy of objects": ("x.npy", OBJECTS, 3, "holds Python objects, which are never loaded"),
    "an npy cut short": ("x.npy", npy(np.ones((9, 3)))[:-8], 3, "and holds 208"),
    "an empty npy": ("x.npy", b"", 3, "is no array of NumPy"),
    "an npy of no samples": ("x.npy", npy(np.ones((0, 3))), 3, "holds no samples"),
    "a pickle called npy": ("x.npy", b"\x80\x04K\x01.", 3, "is no array of NumPy"),
    "a header that is code": ("x.npy", CODE, 3, "is no array of NumPy"),
    "an empty table": ("x.csv", b"", 3, "is empty; expected a line with the columns' names"),
    "a table of names alone": ("x.csv", b"a,b,c\n", 3, "has names of columns and no rows"),
    "a column of texts": ("x.csv", TABLE.encode(), 3, "'id' (such as 'Ann'); leave out what the"),
    "a missing number": ("x.csv", b"a,b,c\n1,2,3\n1,,3\n", 3, "the first in sample 1, column 'b'"),
    "an infinite number": ("x.csv", b"a,b,c\n1,inf,3\n", 3, "without a finite number"),
    "a row that is too short": ("x.csv", b"a,b,c\n1,2\n", 3, "row 2 has 2 cells, the first 3"),
    "two columns of a name": ("x.csv", b"a,a,c\n1,2,3\n", 3, "more than one column 'a'"),
    "a table that is no text": ("x.csv", b"\xff\xfe\x00a,b\n", 3, "is no table"),
    "an open quote": ("x.csv", b'a,b,c\n1,"2,3\n', 3, "is no table"),
    "a picture cut short": ("x.png", png()[:-40], 3, "is no picture"),
    "a picture that is a text": ("x.png", b"<html>", 3, "is no picture: it cannot be identified"),
    "an empty picture": ("x.jpg", b"", 3, "is no picture"),
    "a text": ("x.txt", b"1 2 3", 3, "is of no kind that can be read; expected a folder"),
    "a parquet that is none": ("x.parquet", b"PAR1", None, ""),
}  # fmt: skip


@pytest.fixture
def model(folder, backend_name):
    write_module(folder, backend_name)
    return "mine:model"


def left(folder):
    return {path.name for path in folder.iterdir()} - {"mine.py", "__pycache__"}


@pytest.mark.parametrize("case", CASES)
def test_one_line_and_nothing_written(run, folder, model, case):
    name, content, code, said = CASES[case]
    (folder / name).write_bytes(content)
    done = run("explain", model, name, "--max-bytes", 10**8, *FILES)
    if code is None:  # by what is installed
        assert done.code in (1, 3)
        code = done.code
    done.refused(code, said)
    assert left(folder) == {name}


@pytest.mark.parametrize(
    ("side", "said"), [(8000, "claims 192,000,000 bytes, more than --max-bytes"), (60_000, "bomb")]
)
def test_a_picture_that_claims_much(run, folder, model, side, said):
    content = bytearray(png())
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (folder / "x.png").write_bytes(content)
    run("explain", model, "x.png", "--max-bytes", 10**8, *FILES).refused(3, said)


def test_a_folder_without_pictures(run, folder, model):
    (folder / "photos").mkdir()
    (folder / "photos" / "notes.txt").write_text("none")
    done = run("explain", model, "photos", "--layout", "CHW", "--scale", "unit", *FILES)
    done.refused(3, "the folder 'photos' has no pictures; expected names that end with .png")
    assert left(folder) == {"photos"}


def test_a_folder_with_a_broken_picture_names_it(run, folder, model):
    (folder / "photos").mkdir()
    write_picture(folder / "photos" / "a.png")
    (folder / "photos" / "b.png").write_bytes(png()[:50])
    done = run("explain", model, "photos", "--layout", "CHW", "--scale", "unit", *FILES)
    done.refused(3, "b.png' is no picture")


def test_an_input_that_is_not_there(run, folder, model):
    run("explain", model, "nowhere.csv", *FILES).refused(3, "there is no file 'nowhere.csv'")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--target", "5"], 2, "target 5 is out of range"),
        (["--target", "cat"], 2, "--target 'cat' is neither the index of a class"),
        (["--target", "-1"], 2, "--target '-1' is neither"),
        (["--classes", "nowhere.txt"], 3, "cannot be read"),
        (["--classes", "table.csv", "--target", "Anne"], 2, "--target 'Anne'"),
        (["--drop", "agge"], 2, "--drop names a column 'agge' that 'table.csv' has not. Did you"),
        (["--columns", "age,size"], 2, "--columns names a column 'size'"),
        (["--id-column", "ID"], 2, "--id-column names a column 'ID'"),
        (["--drop", "age", "--drop", "dose", "--drop", "rate"], 3, "no column of"),
        (["--out", "nowhere/a.npz"], 5, "there is no folder 'nowhere'"),
        (["--out", "table.csv/a.npz"], 5, "there is no folder 'table.csv'"),
        (["--out", "folder.npz"], 5, "it is a folder"),
        (["--out", "a.txt"], 2, "ends with no kind that is written; expected .npz"),
        (["--out", "a.npz", "--out", "a.npz"], 2, "is given twice"),
        (["--backend", "tourch"], 1, "unknown backend 'tourch'. Did you mean 'torch'?"),
        (["--output-layer", "logits"], 2, "output_layer"),
        (["--baseline", "start.npy"], 3, "there is no file 'start.npy'"),
        (["--where", "score"], 2, "where a comparison is expected"),
        (["--where", "name == 'Ann'"], 2, "names name, which this result does not have"),
        (["--preprocess", "mine:nothing"], 4, "mine has no 'nothing'"),
        (["--preprocess", "mine"], 2, "is not module:object"),
        (["--max-bytes", "10"], 3, "claims 52 bytes, more than --max-bytes 10"),
    ],
)
def test_options_that_do_not_fit(run, folder, model, options, code, said):
    write_table(folder)
    (folder / "folder.npz").mkdir()
    kept = [] if "--drop" in options or "--id-column" in options else ["--drop", "id"]
    if "dose" in options:
        kept = ["--drop", "id"]
    files = ["--report", "a.html"] if "--out" in options else FILES
    done = run("explain", model, "table.csv", *kept, *options, *(files if code != 5 else ()))
    if "--out" in options and code == 2:
        done.refused(2)
    else:
        done.refused(code, said)
    assert left(folder) == {"table.csv", "folder.npz"}


def test_a_tag_in_a_class_name_stays_text(run, folder, model):
    write_table(folder)
    (folder / "classes.txt").write_text("<script>alert(1)</script>\n[red]b\n", encoding="utf-8")
    asked = ("explain", model, "table.csv", "--drop", "id", "--classes", "classes.txt")
    told = run(*asked, "--json", "--out", "a.npz", "--out", "a.png").json
    assert {s["class"] for s in told["samples"]} == {"<script>alert(1)</script>", "[red]b"}
    out = run("show", "a.npz").out
    assert "<script>alert(1)</script>" in out
    assert "[red]b" in out


def test_a_disk_that_is_full(run, folder, model, monkeypatch):
    write_table(folder)

    def full(self, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polyattr.Attribution.save", full)
    done = run("explain", model, "table.csv", "--drop", "id", "--out", "a.npz")
    done.refused(5, "'a.npz' cannot be written: No space left on device")
    assert left(folder) == {"table.csv"}
