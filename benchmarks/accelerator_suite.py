"""The conformance suite with all tensors on the device, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from xml.etree import ElementTree

from accelerator_places import Place
from accelerator_sizes import Result, Sizes

HERE = Path(__file__).parent
PATHS = (HERE.parent, HERE.parent / "backends", HERE)
QUIET = ("-q", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "filterwarnings=", "-W", "ignore")


def conformance(place: Place, sizes: Sizes) -> Result:
    """Runs the suite on the device; fails if a check does, or if it takes too long."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        started = perf_counter()
        ended = _pytest(place, sizes, report)
        seconds = perf_counter() - started
        if ended is None or not report.is_file():
            why = f"not finished in {sizes.suite_seconds:.0f} s" if ended is None else ended
            return Result("suite", False, why, {"seconds": seconds})
        return _read(report, seconds)


def _pytest(place: Place, sizes: Sizes, report: Path) -> str | None:
    """Returns the end of what pytest printed, or None if it ran out of time."""
    command = [sys.executable, "-m", "pytest", *QUIET, f"--junitxml={report}"]
    only = ["-k", sizes.checks] if sizes.checks else []
    earlier = [path for path in [os.environ.get("PYTHONPATH")] if path]
    try:
        run = subprocess.run(
            [*command, *only, str(HERE / "accelerator_conformance.py")],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([*map(str, PATHS), *earlier]),
                "POLYATTR_PLACE": f"{place.framework}:{place.device}",
            },
            cwd=HERE.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=sizes.suite_seconds,
        )
    except subprocess.TimeoutExpired:
        return None
    return (run.stdout + run.stderr)[-1000:]


def _read(report: Path, seconds: float) -> Result:
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = [
        f"{case.get('name')}: {found.get('message', '').strip().splitlines()[:1]}"
        for case in cases
        for found in case
        if found.tag in {"failure", "error"}
    ]
    skipped = sum(found.tag == "skipped" for case in cases for found in case)
    passed = len(cases) - len(failed) - skipped
    said = f"{passed} checks pass, {len(failed)} fail, {skipped} skipped, {seconds:.0f} s"
    figures = {"passed": passed, "failed": failed, "skipped": skipped, "seconds": seconds}
    return Result("suite", passed > 0 and not failed, "; ".join([said, *failed[:3]]), figures)
