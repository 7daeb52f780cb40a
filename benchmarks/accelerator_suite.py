"""The conformance suite with all tensors on the device, in processes of its own, side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from accelerator_places import Place
from accelerator_sizes import Result, Sizes

HERE = Path(__file__).parent
PATHS = (HERE.parent, HERE.parent / "backends", HERE)
QUIET = ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "filterwarnings=", "-W", "ignore")
MOST_PROCESSES, CPUS_EACH, SLOWEST = 4, 2, 5
RAN = (0, 1, 5)
"""What pytest ends with after tests that pass, that fail, and where the share has none."""
# Many small programs are compiled and run a few times each: to search for their fastest kernels
# does not pay. Nor does a cache on disk that the processes share, which is cold for all of them at
# once: two of them took 110 s with one and 111 s without, on a CPU.
UNSOUGHT = "--xla_gpu_autotune_level=0"


def conformance(place: Place, sizes: Sizes) -> Result:
    """Runs the suite on the device; fails if a check does, or if it takes too long."""
    with TemporaryDirectory() as folder:
        started = perf_counter()
        notes = [Path(folder) / f"notes{number}" for number in range(processes())]
        ended = _run(place, sizes, notes)
        seconds = perf_counter() - started
        return _read(notes, ended, seconds, sizes)


def processes() -> int:
    """How many processes run side by side: compiling takes the time, on the CPU."""
    return max(1, min(MOST_PROCESSES, (os.cpu_count() or 1) // CPUS_EACH))


def _run(place: Place, sizes: Sizes, notes: list[Path]) -> list[str | None]:
    """Returns what each process printed if it broke, else nothing; None if it ran out of time."""
    runs = [_started(place, sizes, notes, number) for number in range(len(notes))]
    until = perf_counter() + sizes.suite_seconds
    ended: list[str | None] = []
    for run, note in zip(runs, notes, strict=True):
        try:
            code = run.wait(timeout=max(0.1, until - perf_counter()))
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            ended.append(None)
        else:
            ended.append("" if code in RAN else _printed(note).read_text()[-1000:])
    return ended


def _printed(note: Path) -> Path:
    return note.with_suffix(".txt")


def _started(place: Place, sizes: Sizes, notes: list[Path], number: int) -> subprocess.Popen[bytes]:
    """Starts pytest on one share of the tests."""
    only = ["-k", sizes.checks] if sizes.checks else []
    command = [sys.executable, "-m", "pytest", *QUIET, "-p", "accelerator_share", *only]
    earlier = [path for path in [os.environ.get("PYTHONPATH")] if path]
    own = {
        "PYTHONPATH": os.pathsep.join([*map(str, PATHS), *earlier]),
        "POLYATTR_PLACE": f"{place.framework}:{place.device}",
        "POLYATTR_SHARE": f"{number}/{len(notes)}",
        "POLYATTR_NOTES": str(notes[number]),
    }
    if place.framework == "jax" and place.accelerated:
        own["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {UNSOUGHT}".strip()
    with _printed(notes[number]).open("wb") as printed:
        return subprocess.Popen(
            [*command, str(HERE / "accelerator_conformance.py")],
            env={**os.environ, **own},
            cwd=HERE.parent,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )


def _read(notes: list[Path], ended: list[str | None], seconds: float, sizes: Sizes) -> Result:
    """Puts together what the processes noted, also of one that did not end."""
    lines = [line for note in notes if note.is_file() for line in note.read_text().splitlines()]
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    cases = [note for note in found if "name" in note]
    expected = sum(note.get("tests", 0) for note in found)
    failed = [
        f"{case['name']}: {(case['said'].strip().splitlines() or [''])[0]}"
        for case in cases
        if case["outcome"] == "failed"
    ]
    counts = {kind: sum(c["outcome"] == kind for c in cases) for kind in ("passed", "skipped")}
    said = f"{counts['passed']} checks pass, {len(failed)} fail, {counts['skipped']} skipped"
    said += f", {seconds:.0f} s in {len(notes)} processes"
    if None in ended:
        said = f"not finished in {sizes.suite_seconds:.0f} s: {len(cases)} of {expected}; {said}"
    broken = [text for text in ended if text]
    slow = sorted(cases, key=lambda case: -case["seconds"])[:SLOWEST]
    figures = {
        **counts,
        "failed": failed,
        "seconds": seconds,
        "processes": len(notes),
        "slowest": {case["name"]: case["seconds"] for case in slow},
        "broken": broken,
    }
    passed = counts["passed"] > 0 and not failed and all(text == "" for text in ended)
    return Result("suite", passed, "; ".join([said, *failed[:3], *broken[:1]]), figures)
