"""The parts of the measurement, each of which yields (part, key, facts) as they are found."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from limits import first_call, growth, peak_memory
from limits.processes import answer, answers
from limits.workloads import MODELS, Cell, cells

Found = Iterator[tuple[str, str, Any]]


def compared(asked: argparse.Namespace) -> Found:
    """All ways in turn, in a process for each framework and model."""
    settings = {"rounds": asked.rounds, "seconds": asked.seconds, "peers": not asked.no_peers}
    for framework, letter in itertools.product(asked.frameworks, asked.models):
        wanted = [astuple(cell) for cell in cells([letter], asked.methods, asked.samples)]
        request = {"kind": "cells", "framework": framework, "cells": wanted, "asked": settings}
        for name, facts in answers(request) if wanted else ():
            yield "cells", f"{framework} {name}", facts


def first(asked: argparse.Namespace) -> Found:
    """First calls, each in a process of its own, in turn."""
    for framework, letter in itertools.product(asked.frameworks, asked.models):
        # One number of samples each: what is compiled does not depend on it, but for its shape.
        samples = asked.samples or [max(n for n in MODELS[letter].samples if n <= 32 or n > 1000)]
        for cell in cells([letter], asked.methods, samples):
            found: dict[str, list[float]] = {way: [] for way in first_call.ways(framework)}
            for _, way in itertools.product(range(asked.first_rounds), found):
                request = {"kind": "first", "framework": framework, "way": way}
                found[way].append(answer({**request, "cell": astuple(cell)}))
            yield "first", f"{framework} {cell}", first_call.combined(found)


def memory(asked: argparse.Namespace) -> Found:
    """Peak memory by steps, and that of one tile."""
    for framework, (letter, usual) in itertools.product(asked.frameworks, peak_memory.CELLS):
        if letter not in asked.models:
            continue
        for n, steps in itertools.product(asked.samples or [usual], asked.steps):
            cell = Cell(letter, n, "IntegratedGradients", steps)
            ways = {
                way: answer(
                    {"kind": "memory", "framework": framework, "cell": astuple(cell), "way": way}
                )
                for way in first_call.ways(framework)
            }
            tile = min(mib for way, mib in ways.items() if way != first_call.EXPLAIN)
            ratio = ways[first_call.EXPLAIN] / tile if tile > 0 else None
            yield "memory", f"{framework} {cell}", {"mib": ways, "tile": tile, "ratio": ratio}


def in_turn(asked: argparse.Namespace) -> Found:
    """One to forty samples in turn."""
    for framework, method in itertools.product(asked.frameworks, asked.methods):
        request = {"kind": "varying", "framework": framework, "method": method}
        yield "varying", f"{framework} {method}", answer({**request, "most": asked.most})


def growing(asked: argparse.Namespace) -> Found:
    """Time and memory over N and over steps."""
    known = [c for c in growth.points() if c.samples * (c.steps or 1) <= asked.most_rows]
    for framework in asked.frameworks:
        wanted = [astuple(cell) for cell in known]
        # Times in one process, and in turn: nothing but memory needs one of its own.
        request = {"kind": "growth", "framework": framework, "cells": wanted}
        timed = answers({**request, "seconds": asked.seconds})
        for cell, facts in zip(known, timed, strict=True):
            request = {"kind": "memory", "framework": framework, "cell": astuple(cell)}
            facts["mib"] = answer({**request, "way": first_call.EXPLAIN})
            yield "growth", f"{framework} {cell}", facts


def to_error(asked: argparse.Namespace) -> Found:
    """Time to the same error of the map; PyTorch alone."""
    settings = {"rounds": asked.rounds, "seconds": asked.seconds}
    request = {"kind": "to_error", "framework": "torch", "samples": asked.to_error_samples}
    yield "to_error", f"digits, {asked.to_error_samples} samples", answer({**request, **settings})


PARTS = {
    "cells": compared,
    "first": first,
    "memory": memory,
    "varying": in_turn,
    "growth": growing,
    "to_error": to_error,
}
"""All parts, by the option that asks for one."""
