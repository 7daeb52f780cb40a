"""Prints how a checkout is built: modules in the root, levels, arrows and circles of its imports.

``python benchmarks/structure.py CHECKOUT...`` reads syntax trees only, so it runs on any commit,
without the frameworks and without importing anything of the checkout. Several checkouts are printed
one after the other.

An arrow goes from a module to one it names in an import statement that runs when it is imported;
imports under ``TYPE_CHECKING`` and inside functions are counted by themselves. Levels are the
modules on the longest chain of arrows, a circle counting as one.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

Graph = Mapping[str, frozenset[str]]
"""The modules that each module imports."""

CORE = "polyattr"
AT_IMPORT, FOR_TYPES, IN_FUNCTIONS = KINDS = ("at import", "for types", "in functions")


def modules(checkout: Path) -> dict[str, Path]:
    """Finds the files of core and backends by the name of their module.

    Raises:
        SystemExit: `checkout` is none of polyattr.
    """
    if not (checkout / CORE / "__init__.py").is_file():
        raise SystemExit(f"{checkout} holds no {CORE}/__init__.py; expected a checkout of polyattr")
    named = {}
    backends = checkout / "backends"
    for package in (checkout / CORE, *sorted(backends.glob(f"{CORE}_*"))):
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


def import_statements(tree: ast.Module) -> Iterator[tuple[str, ast.Import | ast.ImportFrom]]:
    """Yields every import statement with its kind, one of `KINDS`."""
    waiting: list[tuple[str, ast.AST]] = [(AT_IMPORT, tree)]
    while waiting:
        kind, node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield kind, node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += [(IN_FUNCTIONS, child) for child in ast.iter_child_nodes(node)]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += [(FOR_TYPES, child) for child in node.body]
            waiting += [(kind, child) for child in node.orelse]
        else:
            waiting += [(kind, child) for child in ast.iter_child_nodes(node)]


def named_by(
    node: ast.Import | ast.ImportFrom, module: str, is_package: bool, known: Mapping[str, Path]
) -> Iterator[str]:
    """Yields those of the known modules that an import statement in `module` names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
        return
    package = module.split(".") if is_package else module.split(".")[:-1]
    above = package[: len(package) - node.level + 1] if node.level else []
    base = ".".join([*above, *filter(None, [node.module])])
    for alias in node.names:
        # `from polyattr.scores import reductions` names a module, `... import Rule` a thing in one.
        inner = f"{base}.{alias.name}"
        if inner in known or base in known:
            yield inner if inner in known else base


def graphs(checkout: Path) -> dict[str, Graph]:
    """Reads who imports whom, one graph for each of `KINDS`."""
    known = modules(checkout)
    arrows: dict[str, dict[str, set[str]]] = {kind: {m: set() for m in known} for kind in KINDS}
    for module, path in known.items():
        is_package = path.name == "__init__.py"
        for kind, node in import_statements(ast.parse(path.read_text(encoding="utf-8"))):
            arrows[kind][module] |= {*named_by(node, module, is_package, known)} - {module}
    return {k: {m: frozenset(to) for m, to in graph.items()} for k, graph in arrows.items()}


def merged(one: Graph, other: Graph) -> Graph:
    """Returns the arrows of both graphs of the same modules."""
    return {module: to | other[module] for module, to in one.items()}


def reached(graph: Graph, start: str) -> set[str]:
    """Returns the modules that importing `start` leads to; itself only if it is in a circle."""
    seen: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph[module]
    return seen


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """Returns the strongly connected components of more than one module, sorted."""
    leads_to = {module: reached(graph, module) for module in graph}
    found = {
        tuple(sorted(other for other in leads_to[module] if module in leads_to[other]))
        for module in graph
        if module in leads_to[module]
    }
    return sorted(found)


def levels(graph: Graph) -> dict[str, int]:
    """Returns the number of modules on the longest chain of arrows below each, itself included."""
    in_circle = {module: circle[0] for circle in circles(graph) for module in circle}
    whole: dict[str, set[str]] = {}
    for module, to in graph.items():
        stands_for = in_circle.get(module, module)
        targets = {in_circle.get(other, other) for other in to}
        whole.setdefault(stands_for, set()).update(targets - {stands_for})
    height: dict[str, int] = {}
    for module in TopologicalSorter(whole).static_order():
        height[module] = 1 + max((height[other] for other in whole[module]), default=0)
    return {module: height[in_circle.get(module, module)] for module in graph}


# A room of today, and the files of the flat layout before it that held the same.
ROOMS = {
    "engine": ("engine", "forward", "kernels", "tile_kernel", "tiles"),
    "sampling": ("accumulators", "noise", "points", "rules"),
    "explainer": ("call_lock", "explainer", "options", "progress", "report", "runner"),
    "methods": (),
}


def lines_of(checkout: Path) -> dict[str, int]:
    """Counts the lines of the rooms that compute, blank ones and comments included."""
    root = checkout / CORE
    counted = {}
    for room, flat in ROOMS.items():
        files = [path for name in flat if (path := root / f"{name}.py").is_file()]
        files += sorted((root / room).glob("*.py"))
        counted[room] = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    return counted


def figures(checkout: Path) -> dict[str, str]:
    """Returns each figure by its name, as printed."""
    known = modules(checkout)
    by_kind = graphs(checkout)
    running = by_kind[AT_IMPORT]
    with_types = merged(running, by_kind[FOR_TYPES])
    heights = levels(running)
    core = {name for name in known if name.split(".")[0] == CORE}
    room_lines = lines_of(checkout)
    return {
        "modules in the root": str(sum(path.parent == checkout / CORE for path in known.values())),
        "modules of the core": str(len(core)),
        "levels up to `import polyattr`": str(heights[CORE]),
        "levels of the whole core": str(max(heights[module] for module in core)),
        "arrows in the core at import": str(sum(len(running[module]) for module in core)),
        **{
            f"arrows in the core {kind}": str(sum(len(by_kind[kind][module]) for module in core))
            for kind in (FOR_TYPES, IN_FUNCTIONS)
        },
        "circles at import": spelt(circles(running)),
        "circles with imports for types": spelt(circles(with_types)),
        "circles with those in functions": spelt(
            circles(merged(with_types, by_kind[IN_FUNCTIONS]))
        ),
        f"lines of {' + '.join(room_lines)}": f"{' + '.join(map(str, room_lines.values()))}"
        f" = {sum(room_lines.values())}",
    }


def spelt(found: Sequence[tuple[str, ...]]) -> str:
    """Says how many circles there are, and of which modules."""
    return "; ".join([str(len(found)), *(" <-> ".join(circle) for circle in found)])


def main() -> None:
    """Prints the figures of every checkout on the command line."""
    parser = argparse.ArgumentParser(description="Figures of a checkout's import graph.")
    parser.add_argument("checkouts", nargs="+", type=Path, metavar="CHECKOUT")
    for checkout in parser.parse_args().checkouts:
        print(checkout)
        for name, figure in figures(checkout.resolve()).items():
            print(f"  {name}: {figure}")


if __name__ == "__main__":
    main()
