"""What a worker does: it holds the question, makes the method, reads batches and answers them."""

from __future__ import annotations

import pickle
import threading
from functools import lru_cache
from typing import Any

import numpy as np

from polyattr.datasets.batches.answers import Answer, answer
from polyattr.datasets.batches.reading import Batch, Columns, as_ids, read_batch
from polyattr.datasets.model.factories import made_by, said
from polyattr.datasets.model.marking import check_method, innermost, known_by, marking
from polyattr.datasets.model.settings import Settings
from polyattr.errors import InputError, InputTypeError

Array = np.ndarray[Any, Any]

_MAKING = threading.Lock()


class Work:
    """The question of a worker, which pickles without its answers' machinery.

    Args:
        settings: What is asked.
        method: A finished method; None for what the settings make.
    """

    def __init__(self, settings: Settings, method: Any = None) -> None:
        self._settings, self._method = settings, method
        self._sent: bytes | None = None
        self._text = settings.text(method)

    @property
    def columns(self) -> Columns:
        """Which columns of a batch are what."""
        return self._settings.columns

    def read(self, batch: Any, indices: Any = None) -> Batch:
        """Reads a `batch`; `indices` (n,) name its rows where it does not.

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
                self._method = _made(self.sent())
        return self._method

    def known_by(self) -> dict[str, Any]:
        """What the answers depend on, as texts: makes the model."""
        return known_by(self.method) | self._settings.known_by()

    def sent(self) -> bytes:
        """What another process makes the method of.

        Raises:
            InputTypeError: The model cannot be sent.
        """
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
        sent = self.sent()
        return {"settings": self._settings.without_model(), "sent": sent, "text": self._text}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._settings, self._sent, self._text = state["settings"], state["sent"], state["text"]
        self._method = None

    def __repr__(self) -> str:
        return self._text


@lru_cache(maxsize=8)
def _made(sent: bytes) -> Any:
    """Makes the method of a worker, once for each process it is sent to."""
    factory, kind, own = pickle.loads(sent)  # noqa: S301 - what this program sent itself
    model = made_by(factory)
    if kind is not None:
        return kind(model, **own)
    return marking(check_method(model, f"what {said(factory)} returns"))
