"""The end of a command with a result: the samples that are meant, files, and what is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from polyattr.cli.asking.where import Facts, read_where
from polyattr.cli.files.outputs import Outputs
from polyattr.cli.lines import plain
from polyattr.cli.telling.as_json import document
from polyattr.cli.telling.distrust import distrust
from polyattr.cli.telling.facts import facts
from polyattr.cli.telling.table import print_result
from polyattr.results.attribution import Attribution

__all__ = ["Facts", "chosen", "finish"]


def chosen(result: Attribution, where: str | None) -> Attribution:
    """Returns the samples a filter is true of.

    Raises:
        WrongUseError: Not a filter, or the result has no such field.
    """
    if where is None:
        return result
    found: Attribution = result[read_where(where)(facts(result))]
    return found


def finish(
    result: Attribution,
    outputs: Outputs,
    options: dict[str, Any],
    warned: Sequence[Warning] = (),
    **head: Any,
) -> None:
    """Writes the files and prints the result.

    Args:
        result: With NumPy arrays.
        outputs: Where to write it.
        options: Those of `shown`.
        warned: Warnings that came with the result.
        **head: What else JSON says of it, "command" among it.

    Raises:
        OutputFileError: A file cannot be written.
    """
    kept = chosen(result, options["where"])
    n, total = len(kept.scores), len(result.scores)
    if n:
        outputs.write(kept)
    elif outputs.paths:
        print(f"no sample of {total} is meant by --where: nothing is written", file=sys.stderr)  # noqa: T201
    doubts = distrust(kept, warned)
    title = f"{n} of {total} samples" if n < total else f"{n} sample{'s' * (n != 1)}"
    if not options["as_json"]:
        print_result(kept, doubts, options["rows"], f"{title}, {plain(head['source'], 80)}")
        for path in outputs.paths if n else ():
            print(f"written: {plain(path)}")  # noqa: T201
        return
    head["files"] = [str(path) for path in outputs.paths] if n else []
    text = document(head.pop("command"), kept, doubts, options["top"], **head)
    print(json.dumps(text, indent=2, allow_nan=False))  # noqa: T201
