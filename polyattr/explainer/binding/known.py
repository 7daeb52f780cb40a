"""What calls of one kind have in common: read and checked once, until the model changes."""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.blocks import Recipes
from polyattr.engine.kernels import make_room
from polyattr.engine.question import Question
from polyattr.explainer.options import Options
from polyattr.probing.trial import Trial
from polyattr.question.inputs import Inputs
from polyattr.question.references import References
from polyattr.scores.targets import Targets

_MOST_KINDS = 64
_MOST_BYTES = 4096
_MOST_LISTED = 512

Kind = tuple[Any, ...]
"""Type, shape, dtype and place of the inputs, the targets, and whether everything is asked for."""

_UNSAID = ("one", None)


@dataclass(frozen=True)
class Read:
    """A call as it was read.

    Attributes:
        trial: What was tried on the model.
        recipes: The recipe, then those inside it.
        question: What is asked.
        references: Where paths start; None for methods without a path.
    """

    trial: Trial
    recipes: Recipes
    question: Question
    references: References | None

    def without_samples(self) -> Read:
        """Returns the same without anything that belongs to the user."""
        question = self.question
        inputs = replace(question.inputs, leaves=[])
        # What is told of weights may be the user's own array, which may change.
        targets = replace(question.targets, record=copy(question.targets.record))
        return replace(self, question=Question(inputs, targets, question.references))

    def of(self, leaf: Tensor, ids: Any) -> Read:
        """Returns the same of the samples in `leaf` (N, ...), which are called `ids` (N,)."""
        before, common = self.question, self.question.inputs
        inputs = Inputs([leaf], common.layout, common.n, [], [], names=common.names)
        question = Question(inputs, before.targets, before.references, None, ids)
        return Read(self.trial, self.recipes, question, self.references)


class Known:
    """Calls as they were read, by their kind.

    Only a single tensor with nothing beside it, at an index, or where the output is the score: what
    is read of such a call depends on nothing but what its kind names.

    Args:
        backend: The framework.
        able: Whether the method's own arguments allow it.
    """

    def __init__(self, backend: GradBackend, *, able: bool) -> None:
        self._backend, self._able = backend, able
        self._calls: dict[Kind, Read] = {}

    def kind(self, inputs: Any, targets: Any, options: Options, full: bool) -> Kind | None:
        """Names the kind of a call; None where it has none."""
        backend = self._backend
        if not self._able or not options.plain or not backend.is_tensor(inputs):
            return None
        place, wanted = backend.device(inputs), self._kind_of_targets(targets)
        if place is None or wanted is None or backend.refusal(inputs) is not None:
            return None
        return (type(inputs), inputs.shape, inputs.dtype, place, wanted, full)

    def _kind_of_targets(self, targets: Any) -> Hashable | None:
        backend, several = self._backend, type(targets) in (list, tuple)
        if targets is None or type(targets) is int:
            return ("one", targets)
        if several and len(targets) <= _MOST_LISTED and all(type(each) is int for each in targets):
            return (type(targets), *targets)
        place, array = None, targets
        if backend.is_tensor(targets):
            # Looking at what is on an accelerator would wait for it.
            seen = backend.readable(targets) and not backend.accelerated(targets)
            if not seen or backend.refusal(targets) is not None:
                return None
            place, array = backend.device(targets), backend.to_numpy(targets)
        numbers = type(array) is np.ndarray or isinstance(array, np.integer)
        if not numbers or array.dtype.kind not in "iu":
            return None
        if array.nbytes > _MOST_BYTES:
            return None
        return (type(targets), place, array.dtype.str, array.shape, array.tobytes())

    def get(self, kind: Kind | None) -> Read | None:
        """Returns what is known of a kind of calls."""
        return None if kind is None else self._calls.get(kind)

    def note(self, kind: Kind | None, read: Read) -> None:
        """Keeps a call as it was read, unless there is something to look at in each one."""
        goals: Targets = read.question.targets
        if kind is None or (kind[4] == _UNSAID and goals.columns):  # the largest output of each
            return
        if read.trial.is_settled(read.question.inputs.n, goals):
            make_room(self._calls, _MOST_KINDS)
            self._calls[kind] = read.without_samples()

    def clear(self) -> None:
        """Forgets everything."""
        self._calls.clear()
