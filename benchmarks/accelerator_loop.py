"""What happens between the first and the last tile of a call: copies, and waiting for the device.

The verbs through which core copies are counted on any device. Where the framework can refuse to
wait or to copy, the second call runs its loop under that refusal, which sees also what does not go
through a verb.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import polyattr
from accelerator_networks import classes, network_on, samples
from accelerator_places import Place
from accelerator_sizes import Result, Sizes
from polyattr.backend import GradBackend, Renewable

SAMPLES, ROWS = 4, 3
TILE, READ, SENT = "tile", "read by the host", "sent to the device"


@dataclass(frozen=True)
class Case:
    """A method that is looked at.

    Attributes:
        name: For the report.
        kind: Its class.
        settings: What it is made with.
        senders: The frameworks in which its loop sends something to the device, by design.
    """

    name: str
    kind: str
    settings: dict[str, Any]
    senders: tuple[str, ...] = ()


ALL = ("torch", "tensorflow", "jax")
CASES = (
    Case("GradientInput", "GradientInput", {}),
    Case("IntegratedGradients", "IntegratedGradients", {"steps": 12}),
    Case("GuidedIntegratedGradients", "GuidedIntegratedGradients", {"steps": 12}),
    # JAX takes the numbers of the draws, and computes its keys of them.
    Case("native noise", "SmoothGrad", {"nb_samples": 12, "noise_source": "native"}, ("jax",)),
    # NumPy draws it, the same for all frameworks.
    Case("portable noise", "SmoothGrad", {"nb_samples": 12, "noise_source": "portable"}, ALL),
    # The columns of 64 tiles stay on the device between calls.
    Case("more than 64 tiles", "IntegratedGradients", {"steps": 60}, ALL),
)

Guard = Callable[[], AbstractContextManager[Any]]


class Record:
    """A backend that notes, in order, its tiles and its copies.

    Attributes:
        backend: A copy of the framework's backend, its verbs surrounded by the notes.
        events: `TILE`, `READ` and `SENT`, as they came.
    """

    def __init__(self, backend: GradBackend) -> None:
        self.backend = copy.copy(backend)
        self.events: list[str] = []
        self._guard: Guard | None = None
        self._stack, self._left = ExitStack(), 0
        noted = {
            "to_numpy": self._noted(backend.to_numpy, READ),
            "to_native": self._noted(backend.to_native, SENT),
            "compile": self._compiled(backend.compile),
        }
        for verb, surrounded in noted.items():
            setattr(self.backend, verb, surrounded)

    def of(self, work: Callable[[], object], guard: Guard | None = None) -> list[str]:
        """Does the work and returns its events; `guard` surrounds the loop of the same work again.

        Raises:
            Exception: What the guard raises where the loop waits or copies.
        """
        self.events.clear()
        work()
        found = [*self.events]
        if guard is not None:
            self._guard, self._left = guard, found.count(TILE)
            try:
                work()
            finally:
                self._guard = None
                self._stack.close()
        return found

    def _noted(self, verb: Callable[..., Any], event: str) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            self.events.append(event)
            return verb(*args, **kwargs)

        return noted

    def _compiled(self, compiled: Callable[..., Any]) -> Callable[..., Any]:
        def noted(function: Callable[..., Any], donate: int | None = None) -> Any:
            kernel = compiled(function, donate)
            # A tile alone overwrites what it adds to; other kernels evaluate the model once.
            return kernel if donate is None else _seen(kernel, self._tile)

        return noted

    def _tile(self, kernel: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self._guard is not None:
            self._stack.enter_context(self._guard())
            self._guard = None
        self.events.append(TILE)
        found = kernel(*args)
        self._left -= 1
        if self._left == 0:
            self._stack.close()
        return found


class _Seen:
    def __init__(self, kernel: Callable[..., Any], tile: Callable[..., Any]) -> None:
        self._kernel, self._tile = kernel, tile

    def __call__(self, *args: Any) -> Any:
        return self._tile(self._kernel, args)


class _SeenRenewable(_Seen):
    def renew(self) -> None:
        kernel: Any = self._kernel
        kernel.renew()


def _seen(kernel: Callable[..., Any], tile: Callable[..., Any]) -> _Seen:
    # Core asks whether there is `renew`.
    return (_SeenRenewable if isinstance(kernel, Renewable) else _Seen)(kernel, tile)


def inside(events: list[str]) -> dict[str, int]:
    """Counts the copies between the first and the last tile, by their direction."""
    tiles = [number for number, event in enumerate(events) if event == TILE]
    between = events[tiles[0] : tiles[-1]]
    return {kind: between.count(kind) for kind in (READ, SENT)}


def loops(place: Place, _: Sizes) -> Result:
    """No copy and no waiting in the loop of `attribute`; how often all of `explain` waits.

    What a loop sends by design is counted, and that it reads nothing is checked there too.
    """
    figures = {case.name: _loop(place, case) for case in CASES}
    passed = all(_clean(place, case, figures[case.name]) for case in CASES)
    asked = "counted by verbs" if place.silent(False) is None else "refused by the framework"
    shown = [f"{name} {_shown(found)}" for name, found in figures.items()]
    return Result("nothing in the loop", passed, f"{asked}: {'; '.join(shown)}", figures)


def _clean(place: Place, case: Case, found: dict[str, Any]) -> bool:
    sent = found["inside"][SENT] and place.framework not in case.senders
    return not (found["refused"] or found["inside"][READ] or sent)


def _loop(place: Place, case: Case) -> dict[str, Any]:
    record, model = Record(place.backend), network_on(place, "mlp")
    x, targets = samples(place, "mlp", SAMPLES), classes(SAMPLES)
    kind = getattr(polyattr, case.kind)
    made = kind(model, backend=record.backend, batch_size=ROWS, **case.settings)
    for _ in range(2):  # the first calls look at shapes and connections, and compile
        made.attribute(x, targets)
        made.explain(x, targets)
    events = record.of(lambda: made.attribute(x, targets))
    refused = _refused(place, case, record, lambda: made.attribute(x, targets))
    waits = place.waits(lambda: made.explain(x, targets))
    whole = record.of(lambda: made.explain(x, targets))
    return {
        "tiles": events.count(TILE),
        "inside": inside(events),
        "refused": refused,
        "explain waits": waits,
        "explain": {event: whole.count(event) for event in (READ, SENT)},
    }


def _refused(place: Place, case: Case, record: Record, work: Callable[[], object]) -> str:
    """Returns what the framework says of a loop in which it refuses to wait; empty if nothing."""
    sends = place.framework in case.senders
    try:
        record.of(work, lambda: place.silent(sends) or nullcontext())
    except Exception as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    return ""


def _shown(found: dict[str, Any]) -> str:
    reads, sends = found["inside"].values()
    shown = f"{reads} read, {sends} sent in {found['tiles']} tiles"
    shown += f", refused: {found['refused']}" if found["refused"] else ""
    whole = f"explain reads {found['explain'][READ]}, sends {found['explain'][SENT]}"
    waits = found["explain waits"]
    return f"{shown} ({whole}{'' if waits is None else f', waits {waits} times'})"
