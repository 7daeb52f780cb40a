"""What a report says, put together: everything the page shows, and nothing it has to compute."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.plots.reading.words import target_of
from polyattr.question.structure import flatten
from polyattr.reports.cards import Card, cards_of, chosen_samples
from polyattr.reports.distrust.checks import Known
from polyattr.reports.distrust.doubts import Distrust, look
from polyattr.reports.distrust.magnitudes import measure
from polyattr.reports.overview import Overview, overview_of
from polyattr.reports.reading import Part, read_parts
from polyattr.reports.settings import Method, read_methods, versions
from polyattr.reports.table import Table, table_of
from polyattr.reports.words import counted, map_of, part
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Content:
    """Everything a page says; the template has the words around it.

    Attributes:
        title: Of the page.
        date: As it stands there; "" for none.
        facts: The first lines.
        distrust: What was checked and found.
        names: What the maps are called that are named there.
        overviews: Pictures of all samples.
        table: The numbers of all maps.
        cards: The samples that are drawn.
        choice: The sentence that says which these are; "" for all.
        methods: The methods, with their settings.
        seed: Of the noise, or None.
        versions: What made the result, and wrote the page.
        signed: Whether values have signs.
        several: Whether there are several targets.
    """

    title: str
    date: str
    facts: list[tuple[str, str]]
    distrust: Distrust
    names: dict[int, str]
    overviews: list[Overview]
    table: Table
    cards: list[Card]
    choice: str
    methods: list[Method]
    seed: int | None
    versions: list[tuple[str, str]]
    signed: bool
    several: bool

    @property
    def drawn(self) -> frozenset[int]:
        """The samples that are drawn."""
        return frozenset(card.sample for card in self.cards)


def content_of(
    result: Attribution, inputs: Any, samples: Array | None, title: str | None, date: str
) -> Content:
    """Reads and draws everything; arguments and errors are those of `write_report`."""
    host = result.to_numpy()
    parts = read_parts(host, None if inputs is None else _on_host(result, inputs))
    distrust = look(Known(host, measure(parts)))
    marks = distrust.marks(host.scores.size)
    table, methods = table_of(host, marks), read_methods(host)
    drawn, choice = chosen_samples(host, parts, samples)
    told = sorted({i for doubt in distrust.doubts for i, _ in doubt.named})
    return Content(
        title=title or f"{counted(len(host), 'sample')} explained by {methods[0].name}",
        date=date,
        facts=_facts(host, parts),
        distrust=distrust,
        names={i: map_of(host, i) for i in told},
        overviews=overview_of(host, parts),
        table=table,
        cards=cards_of(host, parts, table, marks, drawn),
        choice=choice,
        methods=methods,
        seed=host.seed,
        versions=versions(host, native=result._native is not None),
        signed=host.signed is not False,
        several=host.scores.ndim > 1,
    )


def _on_host(result: Attribution, inputs: Any) -> Any:
    """What the user gave, off the device its framework may have it on."""
    native = result._native
    structure, leaves = flatten(inputs, "inputs")
    if native is None:
        return inputs
    return structure.build([native.to_numpy(t) if native.is_tensor(t) else t for t in leaves])


def _facts(result: Attribution, parts: list[Part]) -> list[tuple[str, str]]:
    """The first lines of the page."""
    error = result.error.ravel()
    known = error[~np.isnan(error)]
    late = int((~np.asarray(result.converged, bool)).sum())
    shapes = "; ".join(" x ".join(map(str, p.shape)) or "one" for p in parts)
    found = [("Samples", f"{len(result):,}"), ("Values of each", shapes)]
    if result.scores.ndim > 1:
        found.append(("Targets", f"{len(result.scores):,} for each sample"))
    found += _targets(result)
    if known.size:
        worst = int(np.nanargmax(error))
        middle = part(float(np.median(known)))
        said = f"median {middle}, largest {part(float(error[worst]))}"
        found.append(("Error", f"{said} (sample {map_of(result, worst)})"))
    else:
        found.append(("Error", "not known"))
    found.append(("Converged", f"{error.size - late:,} of {counted(error.size, 'map')}"))
    spent = int(np.sum(result.evaluations))
    return [*found, ("Evaluations", f"{spent:,} of the gradient in all")]


def _targets(result: Attribution) -> list[tuple[str, str]]:
    asked = Counter(target_of(result, i) for i in range(result.scores.size))
    asked.pop("", None)
    if not asked:
        text = result.targets if isinstance(result.targets, str) else ""
        return [("Explained", text)] if text else []
    said = [f"{name} ({count:,})" for name, count in asked.most_common(5)]
    said += [f"{len(asked) - 5} more"] if len(asked) > 5 else []
    return [("Explained", ", ".join(said))]
