"""The model as an operator is handed it: called as the user calls their own, inside the trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from polyattr.question.arguments import Calling

Run = Callable[[tuple[Any, ...], Mapping[str, Any]], Any]
"""Evaluates the bound model at positional and keyword arguments."""


class HandedModel:
    """What `operator` gets for `model`: takes the arguments of the model, returns what it returns.

    One argument alone is inputs in their containers, which are passed one by one where the model's
    signature allows. Anything else is passed on as it is. What the call brought beside the inputs
    follows, unless the operator names it itself.

    Args:
        run: Evaluates the model.
        calling: How the model takes its inputs.
        args: `forward_args` of the call.
        kwargs: `forward_kwargs` of the call.
        attribute: Returns an attribute of the user's model by name.

    Attributes:
        returned: What the model returned last.
    """

    def __init__(
        self,
        run: Run,
        calling: Calling,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        attribute: Callable[[str], Any],
    ) -> None:
        self._run, self._calling, self._args, self._kwargs = run, calling, args, kwargs
        self._attribute = attribute
        self.returned: Any = None

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Evaluates the model."""
        further = {**self._kwargs, **named}
        if len(given) == 1:
            args, kwargs = self._calling.arguments(given[0], self._args, further)
        elif self._calling.takes_containers and named and not given:
            # A graph of Keras takes its inputs by name in one dict only.
            args, kwargs = (dict(named), *self._args), dict(self._kwargs)
        else:
            args, kwargs = (*given, *self._args), further
        self.returned = self._run(args, kwargs)
        return self.returned

    def __getattr__(self, name: str) -> Any:
        """Returns an attribute of the user's model.

        Raises:
            AttributeError: A name of Python's own, which transformations of functions ask for.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        return self._attribute(name)
