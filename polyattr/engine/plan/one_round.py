"""Recipes whose rows are all known before the first gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.errors import InputError
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.recipe import Recipe
from polyattr.sampling.rows import Rows, Told

Array = np.ndarray[Any, Any]


def only_table(recipe: Recipe, live: int) -> tuple[Rows[Array], Weights]:
    """Returns the only table of a recipe with one round, and the weights of its parts.

    Raises:
        InputError: The recipe has more rounds, or chooses weights by what its rows tell.
    """

    def unknown() -> tuple[Array, Array]:
        raise InputError(
            f"{type(recipe).__name__} looks at what its rows told before they are computed, but "
            f"says that it has one round; expected one_round to be False"
        )

    rounds = recipe.rounds(live, Norm())
    rows = next(rounds)
    try:
        rounds.send(Told(unknown))
    except StopIteration as end:
        weights: Weights = end.value
        return rows, weights
    raise second_table(recipe)


def second_table(recipe: Recipe) -> InputError:
    """Returns the error of a `recipe` that has more rounds than it says."""
    return InputError(
        f"{type(recipe).__name__} gave a second table, but says that it has one round; "
        f"expected one_round to be False where rounds are chosen"
    )
