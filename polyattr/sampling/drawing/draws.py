"""What names the draws of a recipe: their seed, where they come from, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_called
from polyattr.sampling.recipe import Array

Distribution = Callable[[np.random.Generator, tuple[int, ...]], Any]


class Draws(NamedTuple):
    """The noise of a recipe; a pair of seed and source will do.

    Attributes:
        seed: Any integer; its low 64 bits count.
        source: "portable" draws with NumPy on the host, "native" with the framework.
        distribution: ``distribution(generator, shape)`` draws an array of that shape, instead of
            standard normal numbers.
        shared: Whether all samples have the same draws, or each its own, by its row id.

    Example:
        >>> from polyattr.sampling import Draws
        >>> Draws(3)
        Draws(seed=3, source='portable', distribution=None, shared=True)
    """

    seed: int
    source: str = "portable"
    distribution: Distribution | None = None
    shared: bool = True


def needed(
    noise: tuple[Any, ...], draw: Array, sample: Array, samples: int, most: int
) -> tuple[list[Array], Array]:
    """Finds the draws each tile needs, as many for every tile, and where its rows find theirs.

    Args:
        noise: The fields of `Draws`, which say whose they are.
        draw: (T, R) number of each row's draw.
        sample: (T, R) its sample.
        samples: How many there are in all.
        most: Draws per tile, where no tile needs more: rounds, and blocks of few samples, differ
            in what they need, and must not differ in shape.

    Returns:
        Of each tile the draws (K,), or (2, K) with the sample first where each has its own; and
        where among them the rows find theirs, (T, R).
    """
    # Draws of samples are told apart by one number, and taken apart again.
    shared = Draws(*noise).shared
    name = draw if shared else draw * samples + sample
    each = [np.unique(tile) for tile in name]
    most = max(most, *(len(names) for names in each))
    slots = [np.searchsorted(names, tile) for names, tile in zip(each, name, strict=True)]
    # A tile that needs fewer repeats its last one: nothing is drawn that nobody needs.
    found = [names[np.minimum(np.arange(most), len(names) - 1)] for names in each]
    if not shared:
        found = [np.stack([names % samples, names // samples]) for names in found]
    return found, np.stack(slots)


def check_distribution(name: str, value: Any) -> Any:
    """Checks for None, or a function of a generator and a shape.

    Raises:
        InputTypeError: Neither.
    """
    form = f"{name}(generator, shape) -> array"
    if value is not None and not callable(value):
        raise InputTypeError(
            f"{name} is {value!r}; expected a function, {form}, or None for the normal distribution"
        )
    if value is not None:
        check_called(name, value, form, "a numpy.random.Generator and a tuple")
    return value


def drawn(generator: np.random.Generator, shape: tuple[int, ...], draw: Distribution) -> Array:
    """Returns one draw of a distribution, checked, as float32.

    Raises:
        InputError: It has another shape, or is not finite.
    """
    found = np.asarray(draw(generator, shape))
    if found.shape != shape or found.dtype.kind not in "fiu":
        raise InputError(
            f"distribution gave an array of shape {found.shape} and {found.dtype}; expected real "
            f"numbers of the shape it is given, {shape}: generator.uniform(-1, 1, shape)"
        )
    if not np.isfinite(found).all():
        raise InputError("distribution gave NaN or infinity; expected finite numbers")
    return found.astype(np.float32)
