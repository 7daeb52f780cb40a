"""What may go wrong in a night: kills, full disks, damaged files, and other questions."""

import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import slow_run
from made_models import Dense, Killed, always_killed
from stored import contents, explained, files, library

import polyattr
from polyattr.datasets.shards import atomic

zarr = library("zarr")
library("pyarrow")

HERE = Path(__file__).parent


def run_folder(out):
    return out.with_name(out.name + ".run")


def records(out):
    return sorted((run_folder(out) / "shards").glob("*.json"))


def started(out):
    """A process that makes a run, and has finished some shards of it."""
    command = [sys.executable, str(HERE / "slow_run.py"), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wanted, last = random.randint(1, 6), time.monotonic() + 200
    while len(records(out)) < wanted and process.poll() is None and time.monotonic() < last:
        time.sleep(0.005)
    time.sleep(random.random() * 0.04)
    return process


def test_a_killed_run_goes_on_and_leaves_the_same_bytes(named, x, tmp_path):
    process = started(tmp_path / "killed.zarr")
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    done = len(records(tmp_path / "killed.zarr"))
    assert 0 < done < 13
    whole = explained(slow_run.worker(), x, tmp_path / "whole.zarr")
    rest = explained(slow_run.worker(), x, tmp_path / "killed.zarr")
    assert rest.totals.made == 13 - done
    assert files(rest.path) == files(whole.path)
    assert rest.column("id").tolist() == list(range(len(x)))
    left = {path.name for path in run_folder(rest.path).iterdir()}
    assert left == {"manifest.json", "shards", "summaries"}
    assert np.array_equal(rest.summary().values, whole.summary().values)


def test_ctrl_c_finishes_the_shard_in_hand_and_says_how_to_go_on(named, x, tmp_path):
    process = started(tmp_path / "a.zarr")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=200)
    done = len(records(tmp_path / "a.zarr"))
    last = told.strip().splitlines()[-1]
    assert re.search(r"KeyboardInterrupt: stopped after [\d,]+ of 400 rows", last)
    assert "make the same call again to go on" in last
    assert f"stopped after {min(32 * done, 400)} of" in last
    assert not list(run_folder(tmp_path / "a.zarr").glob("tmp~*"))


def test_a_killed_worker_is_replaced_and_its_shard_made_again(named, lab, x, tmp_path):
    spoil = Killed(x[200, 0], str(tmp_path))
    work = polyattr.worker("made_models:made_method", targets=0, prepare=spoil)
    done = explained(work, x, tmp_path / "pool.zarr", executor=1)
    assert (tmp_path / "killed").exists()
    assert done.complete
    plain = polyattr.worker("made_models:made_method", targets=0)
    assert contents(done) == contents(explained(plain, x, tmp_path / "alone.zarr"))


def test_a_worker_that_always_dies_ends_the_run_with_the_likely_causes(named, x, tmp_path):
    work = polyattr.worker("made_models:made_method", targets=0, prepare=always_killed)
    with pytest.raises(
        RuntimeError, match=r"shard \d+ ended 5 times without a word.*memory.*__main__"
    ):
        explained(work, x[:20], tmp_path / "a.zarr", executor=1)


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "another byte": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("out", ["a.zarr", "a.parquet"])
def test_damaged_shards_are_found_and_made_again(method, x, tmp_path, caplog, kind, out):
    before = files(explained(method, x, tmp_path / out).path)
    names = {"a.zarr": "attribution/c/3/0", "a.parquet": "part-000003.parquet"}
    DAMAGE[kind](tmp_path / out / names[out])
    again = explained(method, x, tmp_path / out)
    assert again.totals.made == again.totals.again == 1
    assert "(13 shards, 1 made by this call, 1 of them again)" in repr(again)
    assert files(again.path) == before
    said = {"truncated": "has .* of .* bytes", "another byte": "checksum", "gone": "is missing"}
    assert re.search(f"shard 3 of .* is made again: .*{said[kind]}", caplog.text)


def test_damaged_records_and_summaries_are_made_again(method, x, tmp_path):
    explained(method, x, tmp_path / "a.zarr")
    records(tmp_path / "a.zarr")[2].write_text('{"check": "0", "rows": [0, 1]}')
    (run_folder(tmp_path / "a.zarr") / "summaries" / "000005.npz").write_bytes(b"")
    assert explained(method, x, tmp_path / "a.zarr").totals.again == 2
    assert explained(method, x, tmp_path / "a.zarr").totals.again == 0


def test_sizes_alone_are_compared_where_that_is_asked(method, x, tmp_path):
    explained(method, x, tmp_path / "a.zarr")
    DAMAGE["another byte"](tmp_path / "a.zarr" / "score" / "c" / "1")
    assert explained(method, x, tmp_path / "a.zarr", verify=False).totals.made == 0
    assert explained(method, x, tmp_path / "a.zarr").totals.made == 1


def test_an_edited_manifest_is_refused(method, x, tmp_path):
    explained(method, x, tmp_path / "a.zarr")
    path = run_folder(tmp_path / "a.zarr") / "manifest.json"
    path.write_text(path.read_text().replace("steps=5", "steps=9"))
    with pytest.raises(
        polyattr.InputError, match=r"manifest.json is damaged or was edited.*restore"
    ):
        explained(method, x, tmp_path / "a.zarr")
    path.write_text("{")
    with pytest.raises(polyattr.InputError, match="is damaged or was edited"):
        explained(method, x, tmp_path / "a.zarr")


def refused(text, *call, **options):
    with pytest.raises(polyattr.InputError, match=text):
        explained(*call, **options)


def test_another_question_is_refused_with_the_difference(lab, method, x, tmp_path):
    out = tmp_path / "a.zarr"
    explained(method, x, out, targets=1)
    before = files(out)
    other = polyattr.IntegratedGradients(method.model, backend=lab.name, steps=6,
                                         operator="classification")  # fmt: skip
    refused(r"(?s)another question:\n.*method.text: .*steps=5.* before, .*steps=6.* now",
            other, x, out, targets=1)  # fmt: skip
    trained = polyattr.IntegratedGradients(Dense(lab.name, scale=1.0001), backend=lab.name, steps=5,
                                           operator="classification")  # fmt: skip
    refused(
        r"another question:\n  method.weights: \w+ before, \w+ now\n", trained, x, out, targets=1
    )
    refused("call.targets: 1 before, 2 now", method, x, out, targets=2)
    refused("store.rows_per_shard: 32 before, 64 now", method, x, out, targets=1, rows_per_shard=64)
    refused("source.rows: 400 before, 399 now", method, x[1:], out, targets=1)
    refused("rows.where: nothing before", method, x, out, targets=1, where=np.arange(5))
    assert files(out) == before


@pytest.mark.parametrize("kept", ["array", "npy", "batches"])
def test_a_changed_source_is_refused_by_its_rows(method, x, tmp_path, kept):
    path, spoilt = tmp_path / "x.npy", x.copy()
    spoilt[70, 3] += 1

    def source(rows):
        np.save(path, rows)
        return {"array": rows, "npy": path, "batches": iter(np.array_split(rows, 7))}[kept]

    explained(method, source(x), tmp_path / "a.zarr")
    assert explained(method, source(x), tmp_path / "a.zarr").totals.made == 0  # merely touched
    with pytest.raises(
        polyattr.InputError, match=r"source was changed: rows 64 to 95 are not those"
    ):
        explained(method, source(spoilt), tmp_path / "a.zarr")


def test_a_row_that_is_not_finite_is_marked_and_the_rest_is_done(method, x, tmp_path):
    clean = explained(method, x, tmp_path / "clean.zarr", targets=0)
    spoilt = x.copy()
    spoilt[200, 3], spoilt[[17, 18]] = np.nan, np.inf
    spoilt[48:64] = np.nan  # all rows of one call
    done = explained(method, spoilt, tmp_path / "spoilt.zarr", targets=0)
    lost = np.isnan(done.column("attribution")).all(axis=1)
    assert np.flatnonzero(lost).tolist() == [17, 18, *range(48, 64), 200]
    assert not done.column("converged")[lost].any()
    for name in ("attribution", "score", "gap", "error"):
        assert np.array_equal(done.column(name)[~lost], clean.column(name)[~lost])
    assert "not finite, and marked with NaN: 19 rows (id 17, " in repr(done)
    assert np.isfinite(done.summary().mean).all()


def test_a_gradient_that_is_not_finite_is_marked_too(lab, x, tmp_path):
    ops = lab.ops
    method = polyattr.Saliency(lambda rows: ops.sum(ops.sqrt(rows)), backend=lab.name)
    rows = np.abs(x) + 1
    rows[9, 0] = 0
    done = explained(method, rows, tmp_path / "a.zarr")
    assert np.isnan(done.column("attribution")).any(axis=1).nonzero()[0].tolist() == [9]
    assert np.allclose(done.column("attribution")[10], 0.5 / np.sqrt(rows[10]), rtol=1e-5)


def test_a_folder_that_cannot_be_written_to_is_named(method, x):
    for place in ("/proc/polyattr/a.zarr", "/dev/null/a.zarr"):
        with pytest.raises(
            polyattr.InputError, match=r"the manifest could not be written to .*a.zarr"
        ):
            explained(method, x, place)


def test_a_full_disk_is_told_and_what_is_finished_stays(method, x, tmp_path, monkeypatch):
    moved, whole = atomic.move, explained(method, x, tmp_path / "whole.zarr")
    left = [40]

    def full(staged, place):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        moved(staged, place)

    with monkeypatch.context() as patch:
        for module in ("records", "zarr_store", "atomic"):
            patch.setattr(f"polyattr.datasets.shards.{module}.move", full)
        with pytest.raises(
            OSError, match=r"the disk is full: shard \d+ could not .* bytes are free"
        ) as told:
            explained(method, x, tmp_path / "a.zarr")
    assert told.value.errno == errno.ENOSPC
    done = len(records(tmp_path / "a.zarr"))
    assert 0 < done < 13
    again = explained(method, x, tmp_path / "a.zarr")
    assert again.totals.made == 13 - done
    assert files(again.path) == files(whole.path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk of a few kilobytes")
def test_a_disk_of_few_kilobytes(method, x, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        with pytest.raises(OSError, match="the disk is full"):
            explained(method, x, disk / "a.zarr")
        size = "remount,size=4m"
        subprocess.run(["mount", "-o", size, str(disk)], check=True, capture_output=True)
        whole = files(explained(method, x, tmp_path / "whole.zarr").path)
        assert files(explained(method, x, disk / "a.zarr").path) == whole
    finally:
        subprocess.run(["umount", str(disk)], check=False, capture_output=True)


def test_an_error_of_the_users_own_code_passes_and_finished_shards_stay(lab, method, x, tmp_path):
    calls = []

    def fails(inputs):
        calls.append(len(inputs))
        if len(calls) == 9:
            raise RuntimeError("the network is down")
        return inputs

    with pytest.raises(RuntimeError, match="the network is down"):
        explained(method, x, tmp_path / "a.zarr", prepare=fails)
    assert len(records(tmp_path / "a.zarr")) == 4


def test_two_runs_into_one_folder_at_once_do_no_harm(method, x, tmp_path):
    whole = files(explained(method, x, tmp_path / "whole.zarr").path)
    failed = []

    def run():
        try:
            explained(method, x, tmp_path / "a.zarr")
        except Exception as error:
            failed.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert not failed
    assert files(tmp_path / "a.zarr") == whole


def test_records_say_what_they_are_of(method, x, tmp_path):
    explained(method, x, tmp_path / "a.zarr", targets=0)
    told = json.loads(records(tmp_path / "a.zarr")[1].read_text())
    assert told["rows"] == [32, 64]
    assert told["report"]["rows"] == 32
    assert set(told["files"]) >= {"out/attribution/c/1/0", "out/id/c/1", "run/000001.npz"}
    assert told["facts"]["backend"] == method.backend
