"""A data set of many rows, explained while it is killed: the same bytes, what it costs, its memory.

`python benchmarks/explain_million.py` takes 1,000,000 rows of 100 features, Integrated Gradients of
32 points on an MLP 100-64-2; ``--rows 100000`` takes fewer, ``--framework jax`` another framework.

- bare: the same calls of `attribute` without a store, a plan or a summary, in turn with runs.
- kills: five times at random moments a SIGKILL, to the process that was called or to one of its
  workers, and then the same call again; all files are compared with those of an undisturbed run.
- memory: the peak of a process that explains 10,000 rows and of one that explains them all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import polyattr

STEPS, FEATURES, HIDDEN = 32, 100, 64


def weights() -> list[np.ndarray[Any, Any]]:
    """Of the MLP, the same in every process."""
    rng = np.random.default_rng(0)
    shapes = (FEATURES, HIDDEN), (HIDDEN,), (HIDDEN, 2), (2,)
    return [(rng.standard_normal(s) / np.sqrt(s[0])).astype(np.float32) for s in shapes]


def torch_model() -> Any:
    """The MLP in PyTorch."""
    import torch

    first, bias, second, last = (torch.from_numpy(w) for w in weights())
    model = torch.nn.Sequential(
        torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 2)
    )
    held = zip(model.parameters(), (first.T, bias, second.T, last), strict=True)
    with torch.no_grad():
        for parameter, value in held:
            parameter.copy_(value)
    return model.eval()


def jax_model() -> Any:
    """The MLP in JAX."""
    import jax

    first, bias, second, last = weights()
    return lambda x: jax.nn.relu(x @ first + bias) @ second + last


MODELS = {"torch": torch_model, "jax": jax_model}


def method() -> Any:
    """Integrated Gradients on the model of the framework that is named in the environment."""
    name = os.environ["EXPLAIN_MILLION"]
    options: dict[str, Any] = {"steps": STEPS, "operator": "classification", "backend": name}
    return polyattr.IntegratedGradients(MODELS[name](), on_nonfinite="mark", **options)


def run(source: Path, out: Path, processes: int | None) -> Any:
    """One run, as a user would write it."""
    worker = polyattr.worker("explain_million:method")
    return polyattr.explain_dataset(worker, source, out, executor=processes)


def clock() -> np.ndarray[Any, Any]:
    """Seconds that passed, and seconds of processors: others may use the machine as well."""
    return np.array([time.perf_counter(), time.process_time()])


def overhead(source: Path, folder: Path, rounds: int) -> None:
    """Runs in turn with the same calls alone."""
    rows, made = np.load(source, mmap_mode="r"), method()
    call = 4096
    made.attribute(rows[:call])
    run(source.with_name("few.npy"), folder / "warm.zarr", None)
    ratios = []
    for number in range(rounds):
        began = clock()
        for start in range(0, len(rows), call):
            made.attribute(rows[start : start + call])
        bare, began = clock() - began, clock()
        run(source, folder / f"round{number}.zarr", None)
        whole = clock() - began
        ratios.append(whole / bare)
        each = 1e6 * bare / len(rows)
        print(
            f"bare {bare[0]:.1f} s, {bare[1]:.1f} s of processors ({each[1]:.1f} microseconds a "
            f"row); run {whole[0]:.1f} s, {whole[1]:.1f} s",
            flush=True,
        )
        shutil.rmtree(folder / f"round{number}.zarr")
    middle = np.median(ratios, axis=0)
    print(f"run / bare, medians: {middle[0]:.3f} by the clock, {middle[1]:.3f} by processors")


def child(*arguments: object) -> subprocess.Popen[str]:
    """This program in a process of its own, and of its own group."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)


def workers_of(pid: int) -> list[int]:
    """The processes a process has started that make shards."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            line = (path / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == pid and b"spawn_main" in line:
            found.append(int(path.name))
    return found


def killed(source: Path, out: Path, kills: int, processes: int, whole: float) -> None:
    """Kills in turn the process that was called and one of its workers, at random moments."""
    records = out.with_name(f"{out.name}.run") / "shards"
    process = child("--run", source, out, processes)
    for number in range(1, kills + 1):
        before = len(list(records.glob("*.json")))
        while len(list(records.glob("*.json"))) == before and process.poll() is None:
            time.sleep(0.02)
        time.sleep(random.random() * whole / (2 * kills))
        victims = workers_of(process.pid) if number % 2 == 0 else []
        if process.poll() is not None:
            print(f"kill {number}: too late, it had finished")
            break
        if victims:  # the pool replaces it, and the same process goes on
            os.kill(random.choice(victims), signal.SIGKILL)
        else:
            process.kill()
            process.communicate()
        done = len(list(records.glob("*.json")))
        victim = "one of its workers" if victims else "the process that was called"
        print(f"kill {number}: {victim}, at {done} finished shards", flush=True)
        if not victims:
            process = child("--run", source, out, processes)
    print(process.communicate()[0].splitlines()[0])


def digest(folder: Path) -> str:
    """Of the names and bytes of all files."""
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(folder)).encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def most_memory() -> int:
    """Most memory this process had, in KiB; what `resource` tells includes that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def peak(source: Path, out: Path) -> int:
    """Most memory, in KiB, of a process that explains a file."""
    told, _ = child("--run", source, out, 0).communicate()
    return int(json.loads(told.splitlines()[-1])["peak"])


def main() -> None:
    """Measures what is asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--framework", choices=MODELS, default="torch")
    parser.add_argument("--folder", type=Path, default=Path("explain_million"))
    parser.add_argument("--parts", default="overhead,kills,memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        done = run(Path(given.run[0]), Path(given.run[1]), int(given.run[2]) or None)
        print(done, json.dumps({"peak": most_memory()}), sep="\n")
        return
    os.environ["EXPLAIN_MILLION"] = given.framework
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    measure(given)


def measure(given: Any) -> None:
    """Writes the rows, and measures the parts that are asked for."""
    folder: Path = given.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = np.random.default_rng(1).standard_normal((given.rows, FEATURES), dtype=np.float32)
    np.save(folder / "rows.npy", rows)
    np.save(folder / "few.npy", rows[:10_000])
    del rows
    source = folder / "rows.npy"
    if "overhead" in given.parts:
        overhead(source, folder, given.rounds)
    if "kills" in given.parts:
        began = time.monotonic()
        child("--run", source, folder / "whole.zarr", given.processes).communicate()
        took = time.monotonic() - began
        killed(source, folder / "killed.zarr", given.kills, given.processes, took)
        whole, other = digest(folder / "whole.zarr"), digest(folder / "killed.zarr")
        print(f"undisturbed {whole}, killed {other}: {'the same' if whole == other else 'NOT'}")
    if "memory" in given.parts:
        few = peak(folder / "few.npy", folder / "few.zarr")
        most = peak(source, folder / "most.zarr")
        print(f"peak: {few:,} KiB for 10,000 rows, {most:,} for {given.rows:,}: {most / few:.3f}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
