"""One picklable object that explains batches: the same in every engine that maps a function."""

from __future__ import annotations

import inspect
import pickle
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from polyattr.datasets.batches.answers import Answer, answer
from polyattr.datasets.batches.reading import Batch, Columns, as_ids, is_table, read_batch
from polyattr.datasets.batches.tables import as_frame
from polyattr.datasets.model.factories import check_factory, made_by, said
from polyattr.datasets.model.marking import check_method, innermost, known_by, marking
from polyattr.datasets.model.settings import Settings, read_settings
from polyattr.errors import InputError, InputTypeError

Array = np.ndarray[Any, Any]

_MAKING = threading.Lock()


class Worker:
    """Explains batches of rows, in any process: what `polyattr.worker` returns.

    It pickles as the question alone. The model is made when the first batch comes, once in each
    process, however often the worker is sent there.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> work = polyattr.worker(torch.nn.Flatten(), "Saliency", inputs="x", targets=0)
        >>> sorted(work({"x": np.ones((2, 3), np.float32), "id": [7, 9]}))[:4]
        ['attribution', 'baseline_score', 'converged', 'error']
    """

    def __init__(self, settings: Settings, method: Any = None) -> None:
        self._settings, self._method = settings, method
        self._sent: bytes | None = None
        self._text = settings.text(method)

    # -- what an engine calls -------------------------------------------------------------------

    def __call__(self, batch: Any, indices: Any = None) -> Any:
        """Explains one batch.

        Args:
            batch: A dict of columns, a DataFrame, an array or tensor (n, ...), (inputs, targets),
                or an iterator of them, as Spark's mapInPandas hands over.
            indices: (n,) numbers of the rows, as ``datasets.map(with_indices=True)`` gives them.

        Returns:
            A dict of arrays, one entry per row: "attribution" (n, ...), "score",
            "baseline_score", "gap", "error", "converged", "target" (-1 where it is no class) and
            "id" where rows have one. A DataFrame for a DataFrame, an iterator for an iterator.

        Raises:
            PolyattrError: As `Explainer.attribute`, or the batch cannot be read.
        """
        if isinstance(batch, Iterator):
            return self._each(batch)
        found = self.answer(self.read(batch, indices)).columns
        if is_table(batch) and not isinstance(batch, dict):
            return as_frame(found, getattr(batch, "index", None))
        return found

    def _each(self, batches: Iterable[Any]) -> Iterator[Any]:
        return (self(batch) for batch in batches)

    def values(self, block: Any) -> Array:
        """Returns the attributions (n, ...) of an array (n, ...) alone, for ``map_blocks``.

        Args:
            block: An array.

        Raises:
            PolyattrError: As `Explainer.attribute`, or the batch cannot be read.

        Example:
            >>> import numpy as np, polyattr, torch
            >>> work = polyattr.worker(torch.nn.Flatten(), "Saliency", targets=0)
            >>> work.values(np.ones((1, 2), np.float32))
            array([[1., 0.]], dtype=float32)
        """
        found: Array = self(block)["attribution"]
        return found

    # -- what a run over a data set needs --------------------------------------------------------

    @property
    def columns(self) -> Columns:
        """Which columns of a batch are what."""
        return self._settings.columns

    def read(self, batch: Any, indices: Any = None) -> Batch:
        """Reads a `batch`, as a call does; `indices` (n,) name its rows where it does not.

        Raises:
            PolyattrError: It cannot be read.
        """
        found = read_batch(batch, self.columns)
        if indices is not None and self.columns.ids is None:
            return Batch(found.inputs, found.targets, as_ids(indices))
        return found

    def answer(self, batch: Batch) -> Answer:
        """Explains a `batch` (n, ...) that is read.

        Raises:
            PolyattrError: As `Explainer.attribute`.
        """
        settings = self._settings
        if not len(batch):
            raise InputError("the batch has no rows; expected at least one")
        if settings.prepare is not None:
            prepared = np.asarray(settings.prepare(batch.inputs))
            batch = Batch(prepared, batch.targets, batch.ids)
        if "targets" in settings.call:
            batch = Batch(batch.inputs, None, batch.ids)
        return answer(self.method, batch, settings.call)

    @property
    def method(self) -> Any:
        """The method, on its model."""
        if self._method is None:
            with _MAKING:  # threads of an engine may come together
                self._method = _made(self._payload())
        return self._method

    def known_by(self) -> dict[str, Any]:
        """What the answers depend on, as texts: makes the model."""
        return known_by(self.method) | self._settings.known_by()

    # -- how it travels --------------------------------------------------------------------------

    def _payload(self) -> bytes:
        if self._sent is None:
            settings = self._settings
            made = (settings.factory, settings.kind, settings.own)
            if settings.factory is None:
                made = (self._method, None, {})
            try:
                self._sent = pickle.dumps(made)
            except Exception as error:
                what = said(made[0] if settings.factory else innermost(made[0]).model)
                raise InputTypeError(
                    f"{what} cannot be sent to another process: {error}. Expected "
                    f"polyattr.worker('module:function', ...), whose function makes the model there"
                ) from error
        return self._sent

    def __getstate__(self) -> dict[str, Any]:
        """The question: the model as its factory, or as its framework pickles it."""
        sent = self._payload()
        return {"settings": self._settings.without_model(), "sent": sent, "text": self._text}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._settings, self._sent, self._text = state["settings"], state["sent"], state["text"]
        self._method = None

    def __repr__(self) -> str:
        return f"Worker({self._text})"


@lru_cache(maxsize=8)
def _made(sent: bytes) -> Any:
    """Makes the method of a worker, once for each process it is sent to."""
    factory, kind, own = pickle.loads(sent)  # noqa: S301 - what this program sent itself
    model = made_by(factory)
    if kind is not None:
        return kind(model, **own)
    return marking(check_method(model, f"what {said(factory)} returns"))


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
            once; and of the batches: `inputs` (name of a column, or of several, which are stacked),
            `targets` and `ids` (names of columns), `dtype` (of inputs; float32 for stacked
            columns), `prepare` (an importable function on the inputs (n, ...)). Rows that are not
            finite are marked with NaN unless ``on_nonfinite="raise"``.

    Raises:
        InputError: A setting is out of range, or the factory is not found.
        InputTypeError: A setting has a name or type that the method has not.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> work = polyattr.worker(torch.nn.Flatten(), "IntegratedGradients", steps=4, targets=1)
        >>> work(np.ones((1, 2), np.float32))["attribution"]
        array([[0., 1.]], dtype=float32)
    """
    if method is None and inspect.isclass(factory):
        raise InputTypeError(
            f"factory is the class {factory.__name__} and there is no method; expected "
            f"worker(factory, method, ...)"
        )
    if factory is None:
        raise InputTypeError("factory is None; expected 'module:function', a function or a model")
    check_factory(factory)
    made = Worker(read_settings(factory, method, settings))
    if not isinstance(factory, str):
        made._payload()  # what cannot be sent is refused here, not in a night's queue
    return made
