"""Maps of a model while it is trained, as pictures for TensorBoard or whoever takes them."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, MapLoggingWarning, brief, warn
from polyattr.explainer import Explainer
from polyattr.integrations.writers import check_writer, write
from polyattr.question.checks import check_count
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]


class MapLogger:
    """Explains the same samples again and again while a model learns, and writes the pictures.

    The training goes on to the last bit as it would without: weights, statistics, modes and random
    states are as they were after each map. It costs one call of the method on `inputs` each time,
    and the drawing: `seconds` has the sum.

    Args:
        method: A method such as `polyattr.IntegratedGradients`, or a callable that makes an
            explainer of a model.
        inputs: What is explained, (N, ...); a few samples.
        targets: As for `Explainer.explain`. The predicted class, for None, may change.
        writer: Where pictures go: a SummaryWriter of torch.utils.tensorboard or tensorboardX, a
            writer of ``tf.summary.create_file_writer``, or a function ``writer(tag, image, step)``
            of the picture (H, W, 3), uint8. None leaves it to the callback, as that of Lightning.
        every: Log at every so many steps, those it divides: epochs for the callbacks.
        tag: What pictures are called.
        draw: Draws the figure, ``draw(attribution)``; None for `Attribution.plot`.
        on_error: "warn" warns once if maps fail, and has the training go on; "raise" ends it.
        **settings: Arguments of the method.

    Attributes:
        seconds: Time all maps and pictures took so far.
        logged: How many pictures were written.

    Raises:
        InputTypeError: `method` is an explainer, which has a model already, or `writer` none.
        InputError: `every` is below 1, or `on_error` unknown.

    Example:
        >>> import polyattr, torch
        >>> from polyattr.integrations import MapLogger
        >>> found = {}
        >>> logger = MapLogger(
        ...     polyattr.Saliency, torch.ones(1, 8, 8), 0,
        ...     writer=lambda tag, image, step: found.update({step: image.dtype.name}),
        ... )
        >>> logger.log(torch.nn.Flatten(), step=3), found
        (True, {3: 'uint8'})
    """

    seconds: float = 0.0
    logged: int = 0

    def __init__(
        self, method: Callable[..., Explainer], inputs: Any, targets: Any = None, *,
        writer: Any = None, every: int = 1, tag: str = "attributions",
        draw: Callable[[Attribution], Any] | None = None, on_error: str = "warn", **settings: Any,
    ) -> None:  # fmt: skip
        if isinstance(method, Explainer) or not callable(method):
            raise InputTypeError(
                f"method is {brief(method)}; expected a class such as polyattr.Saliency: the model "
                f"is the one that is trained"
            )
        if not isinstance(on_error, str) or on_error not in ("warn", "raise"):
            raise InputError(f"on_error is {on_error!r}; expected 'warn' or 'raise'")
        self.method, self.settings = method, settings
        self.inputs, self.targets = inputs, targets
        self.writer = writer if writer is None else check_writer(writer)
        self.every, self.tag = check_count("every", every, 1), tag
        self.draw, self.on_error = draw, on_error
        self._warned = False
        self._last: tuple[Any, Explainer] | None = None

    def log(self, model: Any, step: int, writer: Any = None) -> bool:
        """Explains by a model as it is, and writes the picture, if this step is one of them.

        Args:
            model: What is being trained.
            step: Its number, of the epoch or the batch.
            writer: In the place of the logger's own.

        Returns:
            Whether a picture was written.

        Raises:
            InputError: There is no writer, where `on_error` is "raise"; and whatever else fails.

        Example:
            >>> import polyattr, torch
            >>> from polyattr.integrations import MapLogger
            >>> logger = MapLogger(polyattr.Saliency, torch.ones(1, 3), every=2, writer=print)
            >>> logger.log(torch.nn.Identity(), step=1)
            False
        """
        if step % self.every:
            return False
        began = perf_counter()
        try:
            write(self._writer(writer), self.tag, self._picture(model), step)
            self.logged += 1
        except Exception as error:
            if self.on_error == "raise":
                raise
            self._warn(error, step)
            return False
        finally:
            self.seconds += perf_counter() - began
        return True

    def _writer(self, given: Any) -> Any:
        found = self.writer if given is None else given
        if found is None:
            raise InputError("there is no writer; expected MapLogger(..., writer=...)")
        return found

    def _picture(self, model: Any) -> Array:
        """Returns the picture (H, W, 3) of the maps of a model."""
        if self._last is None or self._last[0] is not model:
            self._last = model, self.method(model, **self.settings)
        result = self._last[1].attribute(self.inputs, self.targets)
        figure = result.plot() if self.draw is None else self.draw(result)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()

    def _warn(self, error: Exception, step: int) -> None:
        if not self._warned:
            self._warned = True
            warn(
                f"maps were not logged at step {step}, and the training goes on: "
                f"{type(error).__name__}: {error}. This is said once; on_error='raise' ends the "
                f"training instead",
                MapLoggingWarning,
            )
