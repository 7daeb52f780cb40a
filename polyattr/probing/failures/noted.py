"""Errors of the user's own code while the model is tried, with what it was called with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polyattr.engine.forward import Forward
from polyattr.errors import PolyattrError
from polyattr.probing.failures.cures import cure
from polyattr.question.inputs import Inputs


@contextmanager
def noted(forward: Forward, inputs: Inputs) -> Iterator[None]:
    """Adds to an error of the user's own code what it was called with, or says what would run.

    Raises:
        InputError: The model takes the inputs in another form.
        InputTypeError: It takes another dtype.
    """
    try:
        yield
    except Exception as error:
        # A backend that knows what its framework's error means has said what to do.
        said = isinstance(error, PolyattrError) and error.__cause__ is not None
        found = None if said else cure(forward, inputs, error)
        if found is None and isinstance(error, PolyattrError):
            raise
        _note(found or error, inputs)
        if found is not None:
            raise found from error
        raise


def _note(error: Exception, inputs: Inputs) -> None:
    """Adds to an error what the model was called with."""
    shapes = ", ".join(
        f"{name} of shape {tuple(row.shape)}"
        for name, row in zip(inputs.layout.names, inputs.first_rows([])[0], strict=True)
    )
    error.add_note(
        f"polyattr was trying the model on {shapes}: at most the first two of the {inputs.n} "
        f"samples given, along the first axis (or is the batch axis missing?)"
    )
    if inputs.guessed:
        error.add_note(
            f"{inputs.guessed_names()} was cut likewise, since its first axis has {inputs.n} "
            f"entries, too; if it belongs to no sample, pass batched=()"
        )
