"""One picklable object that explains batches: the same in every engine that maps a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import is_table
from polyattr.datasets.batches.tables import as_frame
from polyattr.datasets.model.factories import check_factory
from polyattr.datasets.model.settings import read_settings
from polyattr.datasets.work import Work

Array = np.ndarray[Any, Any]


class Worker:
    """Explains batches of rows, in any process: what `polyattr.worker` returns.

    It pickles as the question alone. The model is made when the first batch comes, once in each
    process, however often the worker is sent there.

    Args:
        work: The question.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> work = polyattr.worker(torch.nn.Flatten(), "Saliency", inputs="x", targets=0)
        >>> sorted(work({"x": np.ones((2, 3), np.float32), "id": [7, 9]}))[:4]
        ['attribution', 'baseline_score', 'converged', 'error']
    """

    def __init__(self, work: Work) -> None:
        self.work = work

    def __call__(self, batch: Any, indices: Any = None) -> Any:
        """Explains one batch.

        Args:
            batch: A dict of columns, a DataFrame, an array or tensor (N, ...), (inputs, targets),
                or an iterator of them, as Spark's mapInPandas hands over.
            indices: (N,) numbers of the rows, as ``datasets.map(with_indices=True)`` gives them.

        Returns:
            A dict of arrays, one entry per row: "attribution" (N, ...), "score",
            "baseline_score", "gap", "error", "converged", "target" (-1 where it is no class) and
            "id" where rows have one. A DataFrame for a DataFrame, an iterator for an iterator.

        Raises:
            InputError: The batch lacks a column, or its rows cannot be explained.
            InputTypeError: It holds no numbers.
            MissingExtraError: A table, and pandas is not installed.

        Example:
            >>> import numpy as np, polyattr, torch
            >>> work = polyattr.worker(torch.nn.Flatten(), "Saliency", targets=0)
            >>> work(np.ones((2, 3), np.float32))["score"]
            array([1., 1.])
        """
        if isinstance(batch, Iterator):
            return self._each(batch)
        found = self.work.answer(self.work.read(batch, indices)).columns
        if is_table(batch) and not isinstance(batch, dict):
            return as_frame(found, getattr(batch, "index", None))
        return found

    def _each(self, batches: Iterable[Any]) -> Iterator[Any]:
        return (self(batch) for batch in batches)

    def values(self, block: Any) -> Array:
        """Returns the attributions (N, ...) alone, for Dask's ``map_blocks``.

        Args:
            block: An array (N, ...).

        Returns:
            An array (N, ...).

        Raises:
            InputError: Its rows cannot be explained.
            InputTypeError: It holds no numbers.

        Example:
            >>> import numpy as np, polyattr, torch
            >>> work = polyattr.worker(torch.nn.Flatten(), "Saliency", targets=0)
            >>> work.values(np.ones((1, 2), np.float32))
            array([[1., 0.]], dtype=float32)
        """
        found: Array = self(block)["attribution"]
        return found

    def __repr__(self) -> str:
        return f"Worker({self.work!r})"


def worker(factory: Any, method: Any = None, **settings: Any) -> Worker:
    """Makes a `Worker`: a picklable function from batches to columns of attributions.

    Ray Data's ``map_batches``, ``datasets.map(batched=True)``, Spark's ``mapInPandas``, Dask's
    ``map_partitions`` and a loop over a DataLoader take it as it is.

    Args:
        factory: ``"module:function"`` that makes the model where it is needed; an importable
            function or class that takes nothing and makes it; or the model, which is sent as its
            framework pickles it. Without `method` it makes a finished method.
        method: A class of polyattr, or its name.
        **settings: Arguments of the method's constructor and of `Explainer.attribute`, checked at
            once; and of the batches: `inputs` (name of a column, or of several to be stacked),
            `targets`, `ids` (names of columns), `dtype` (of inputs), `prepare` (an importable
            function on inputs (N, ...)). Rows that are not finite are marked with NaN.

    Returns:
        A function of batches.

    Raises:
        InputError: A setting is out of range, or the factory is not found.
        InputTypeError: A setting has a name or type that the method has not.
        UnknownBackendError: No plugin has the name of `backend`.
        MissingFrameworkError: Its framework is not installed.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> work = polyattr.worker(torch.nn.Flatten(), "IntegratedGradients", steps=4, targets=1)
        >>> work(np.ones((1, 2), np.float32))["attribution"]
        array([[0., 1.]], dtype=float32)
    """
    check_factory(factory, method)
    work = Work(read_settings(factory, method, settings))
    if not isinstance(factory, str):
        work.sent()  # what cannot be sent is refused here, not in a night's queue
    return Worker(work)
