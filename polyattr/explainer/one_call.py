"""One question, one answer: the calls every user makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from polyattr.explainer.base import MethodBase
from polyattr.explainer.binding.points import Points
from polyattr.explainer.call import Call
from polyattr.explainer.options import Options
from polyattr.explainer.shown.call_arguments import CALL_ARGUMENTS, KEPT
from polyattr.explainer.shown.described import described_by
from polyattr.explainer.shown.own_words import own_words
from polyattr.results import joining
from polyattr.results.attribution import Attribution
from polyattr.scores.each import Each

Found = TypeVar("Found")

_GIVEN: dict[str, Any] = {
    "baselines": None,
    "forward_args": (),
    "forward_kwargs": None,
    "batched": None,
    "progress": False,
    "sample_ids": None,
}


class OneCall(MethodBase):
    """What is asked of a method once: `explain` and `attribute`."""

    @own_words
    @described_by(CALL_ARGUMENTS)
    def __call__(
        self,
        inputs: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
    ) -> Any:
        """Same as `explain`."""
        return self.explain(
            inputs,
            targets,
            baselines=baselines,
            forward_args=forward_args,
            forward_kwargs=forward_kwargs,
            batched=batched,
            progress=progress,
            sample_ids=sample_ids,
        )

    @own_words
    @described_by(CALL_ARGUMENTS)
    def explain(
        self,
        inputs: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
    ) -> Any:
        """Computes attributions of inputs (N, ...), at the targets named or the predicted class.

        Returns:
            Attributions in the containers, shapes, dtypes and device of the inputs.

        Raises:
            PolyattrError: Always a subclass that is also a ValueError, TypeError or ImportError.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> polyattr.GradientInput(lambda x: 2 * x).explain(jnp.ones((1, 2)), targets=0)
            Array([[2., 0.]], dtype=float32)
        """
        given = self._read(baselines, forward_args, forward_kwargs, batched, progress, sample_ids)
        pairs = ((backend, values) for backend, values, _ in self._stream(inputs, targets, given))
        return joining.join_values(pairs, axis=int(isinstance(targets, Each)))

    @own_words
    @described_by(CALL_ARGUMENTS + KEPT)
    def attribute(
        self,
        inputs: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
        names: Any = None,
        keep_inputs: bool = False,
    ) -> Attribution:
        """Returns an `Attribution`: the values of `explain` and everything known about them.

        Takes the arguments of `explain` and raises its errors. May evaluate the model, without
        gradient, at the input and the baseline where the method's points do not include them.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.IntegratedGradients(lambda x: tf.reduce_sum(x, axis=1))
            >>> method.attribute(tf.ones((2, 3))).scores
            array([3., 3.])
        """
        beside = forward_args, forward_kwargs, batched
        given = self._read(baselines, *beside, progress, sample_ids, names, keep_inputs)
        calls = self._stream(inputs, targets, given, full=True)
        return joining.join((backend, result) for backend, _, result in calls if result is not None)

    def _score(
        self, inputs: Any, targets: Any, given: dict[str, Any], use: Callable[[Points], Found]
    ) -> Found:
        """Returns what `use` makes of scores, which it may ask for at any points, for metrics.

        Takes the arguments of a call in `given`, of which it knows `forward_args` and the like.
        """
        options = self._read(**(_GIVEN | given))
        return self._calls.score(inputs, targets, options, use)

    def _stream(
        self, inputs: Any, targets: Any, given: Options, full: bool = False
    ) -> Iterator[Call]:
        return self._calls.stream(inputs, targets, given, full)
