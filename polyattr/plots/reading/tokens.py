"""Words with their values: one number per token, whatever its embedding has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.errors import InputError
from polyattr.plots.drawing.doubt import combined
from polyattr.plots.reading.samples import Sample
from polyattr.plots.reading.words import texts_for

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Words:
    """The tokens of one sample.

    Attributes:
        texts: (L,) the words.
        values: (L,) one value each.
        errors: (L,) standard errors, or None.
    """

    texts: tuple[str, ...]
    values: Array
    errors: Array | None


def read_words(one: Sample, tokens: Any, skip: Any = ()) -> Words:
    """Sums embeddings over their axes and gives each token its word.

    Args:
        one: Values (L,) or (L, E, ...).
        tokens: L words; None for those of the result.
        skip: Words that are left out, such as padding.

    Raises:
        InputError: No words, or more or fewer than there are values.
        InputTypeError: `tokens` are no texts.
    """
    values, errors = one.values, one.errors
    if values.ndim < 1 or not values.size:
        raise InputError(
            f"attribution has shape {values.shape}; expected (L,), or (L, E) of embeddings"
        )
    texts = texts_for("tokens", tokens, len(values), "token")
    if texts is None and one.names.tokens is not None:
        texts = one.names.tokens[one.number]
    if texts is None:
        raise InputError(
            f"there are no words for {len(values)} tokens; expected tokens=, such as those of "
            f"tokenizer.convert_ids_to_tokens(ids), or polyattr.Names(tokens=...) in the result"
        )
    if values.ndim > 1:
        axes = tuple(range(1, values.ndim))
        with np.errstate(invalid="ignore"):
            values = values.sum(axis=axes)
        errors = combined(errors, axes, alike=one.alike)
    left_out = {skip} if isinstance(skip, str) else set(skip)
    kept = [i for i, text in enumerate(texts) if text not in left_out]
    if not kept:
        raise InputError(f"skip leaves out all {len(texts)} tokens; expected some to draw")
    return Words(
        tuple(texts[i] for i in kept), values[kept], None if errors is None else errors[kept]
    )


def glued(text: str, place: int) -> tuple[str, bool]:
    """Returns a token as a reader writes it, and whether it goes on from the one before.

    Marks of the beginning of a word (of SentencePiece and of byte-level BPE) and of going on (of
    WordPiece) are taken off.
    """
    if text.startswith("##") and len(text) > 2:
        return text[2:], place > 0
    for mark in ("\u2581", "\u0120"):
        if text.startswith(mark):
            return text[1:] or " ", False
    return text.replace("\u010a", "\u21b5").replace("\n", "\u21b5") or " ", False
