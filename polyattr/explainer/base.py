"""What every method is: a frozen dataclass of its arguments, with a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import field, fields
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from polyattr.backend import GradBackend
from polyattr.domains.space import check_domain, check_tangent
from polyattr.errors import InputError, InputTypeError
from polyattr.explainer.binding import Method
from polyattr.explainer.call import Calls
from polyattr.explainer.options import Options, read_options
from polyattr.explainer.paper import Guide, Paper
from polyattr.explainer.settings import (
    MODEL,
    check_batch_size,
    check_fields,
    check_on_nonfinite,
    check_recipes,
    finish_class,
    is_default,
    setting,
)
from polyattr.question.checks import check_flag
from polyattr.question.foreign.names import missing_member
from polyattr.sampling.drawing.draws import Draws
from polyattr.sampling.recipe import Recipe
from polyattr.scores.scorer import Operator
from polyattr.scores.tasks import check_operator, check_output


@dataclass_transform(
    kw_only_default=True, frozen_default=True, eq_default=False, field_specifiers=(field, setting)
)
class Fielded:
    """Makes dataclasses of all classes below, and has type checkers and editors know it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        finish_class(cls, cls.__mro__[cls.__mro__.index(Fielded) - 1])


class MethodBase(Fielded, ABC):
    """The arguments all methods share.

    Args:
        model: Any differentiable model of an installed framework; left as it is by every call.
        backend: Name of a backend, a `GradBackend`, or None to find the model's own.
        output_layer: Layer whose output is scored, such as the logits before a softmax: its index
            (negative counts from the end), name or object; None for the model's output.
        input_layer: Layer to attribute to instead of the model's inputs, named likewise; a list of
            layers gives a dict. Integrated Gradients then follows the path between activations.
            What such a layer returns without a row per sample, as the last states of a recurrent
            one, stays as it is, with None in the result. A layer that is called several times
            comes with the number of one call: ``("embed", 0)`` is the first.
        attribute_to_layer_input: Take what `input_layer` is given rather than what it returns.
        batch_size: Most rows per gradient call, over samples and points together; "auto" chooses
            from the size of a row, None sends everything in one call. Halved when memory runs
            out. Changes memory and time, never the answer.
        operator: ``g(model, inputs, targets) -> (N,)`` scores in the native framework; or a task:
            "classification" (also None), "regression" (sum of output x weights), "margin" (target
            minus best other), "log_odds" (of a softmax, from logits), "semantic segmentation"
            (mean over a zone), "object detection", or only its "object detection box position" /
            "box proba" / "box class"; see also `polyattr.loss`.
        output: Key, index or callable that selects one of several model outputs.
        domain: Coordinates to attribute in instead of the inputs': one of `polyattr.domains`, such
            as `Fourier`, or a `Domain` of yours; for several inputs also one or None for each in
            their containers. Baselines are still given as inputs; noise is added in the domain, and
            attributions have its shape.
        tangent: "simplex" for inputs that are one-hot along the last axis, ("simplex", axis) for
            another one: of each gradient the mean over that axis is subtracted, which says nothing
            about one-hot inputs (Majdandzic 2023). Attributions of a path still sum to f(x) - f(b)
            where the baseline has the sums of the inputs there, as 1/4 has for four letters.
        on_nonfinite: What to do about samples whose gradient is NaN or infinite at a point: "raise"
            an error that names them, or "mark" them: their attributions and errors are NaN and
            `converged` is False, one warning names sample and point, and all others are what they
            would be without them.
    """

    model: Any = field(kw_only=False)
    backend: str | GradBackend | None = None
    output_layer: Any = None
    input_layer: Any = None
    attribute_to_layer_input: bool = setting(default=False, check=check_flag)
    batch_size: int | str | None = setting(default="auto", check=check_batch_size)
    operator: Operator | str | None = setting(default=None, check=check_operator)
    output: Any = setting(default=None, check=check_output)
    domain: Any = setting(default=None, check=check_domain)
    tangent: Any = setting(default=None, check=check_tangent)
    on_nonfinite: str = setting(default="raise", check=check_on_nonfinite)

    paper: ClassVar[Paper | None] = None
    signed: ClassVar[bool] = True
    """Whether attributions can be negative, as opposed to magnitudes, squares and variances."""
    gist: ClassVar[str] = ""
    """What the method computes, in a few words for a caption."""
    guide: ClassVar[Guide | None] = None

    def __post_init__(self) -> None:
        check_fields(self)
        self.check()
        if isinstance(self.model, MethodBase):
            raise InputTypeError(
                f"model is a method, {self.model!r}; expected a model. To smooth a method write "
                f"SmoothGrad(of={type(self.model).__name__}(...))"
            )
        if self.domain is not None and self.tangent is not None:
            raise InputError(
                "domain and tangent are both given; expected one: in another domain an axis is not "
                "one-hot"
            )
        if isinstance(self.model, type):
            raise InputTypeError(
                f"model is the class {self.model.__name__}; expected an instance of it, "
                f"{self.model.__name__}(...)"
            )
        object.__setattr__(self, "_learnt", Calls(self._method()))

    @property
    def _calls(self) -> Calls:
        """Beside the arguments, which are what the method is: what it has learnt of its model."""
        if "_learnt" not in self.__dict__:
            raise InputTypeError(
                f"{type(self).__name__} was made without its base's __post_init__; expected "
                f"super().__post_init__() in its own"
            )
        learnt: Calls = self.__dict__["_learnt"]
        return learnt

    def __getstate__(self) -> dict[str, Any]:
        """Pickles as model and arguments; kernels and locks are made anew by the reader."""
        return self._arguments()

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_learnt", Calls(self._method()))

    # -- what a method defines ----------------------------------------------------------------

    @abstractmethod
    def recipe(self) -> Recipe:
        """Returns what the method computes."""

    def check(self) -> None:
        """Checks arguments against each other; each by itself is checked by its `setting`.

        Raises:
            InputError: They do not fit.
        """

    def inner(self) -> MethodBase | None:
        """Returns the method whose attributions take the place of gradients, if there is one."""
        return None

    # -- what follows from it -----------------------------------------------------------------

    def recipes(self) -> tuple[Recipe, ...]:
        """Returns the recipe, and those of the methods inside, outermost first.

        Example:
            >>> import polyattr
            >>> method = polyattr.SmoothGrad(of=polyattr.GradientInput(abs))
            >>> [type(recipe).__name__ for recipe in method.recipes()]
            ['NoisyCopies', 'Product']
        """
        inner = self.inner()
        return (self.recipe(), *(() if inner is None else inner.recipes()))

    @property
    def gives_signs(self) -> bool:
        """Whether values can be negative: those of a mean of magnitudes cannot."""
        inner = self.inner()
        return self.signed and (inner is None or inner.gives_signs)

    @property
    def uses_baselines(self) -> bool:
        """Whether a call may bring baselines."""
        return any(recipe.origin == "baseline" for recipe in self.recipes())

    @property
    def has_own_draws(self) -> bool:
        """Whether some draws belong to one sample each."""
        named = [recipe.noise for recipe in self.recipes() if recipe.noise is not None]
        return not all(Draws(*noise).shared for noise in named)

    @classmethod
    def citation(cls) -> str:
        """Returns the BibTeX entry of the paper the method comes from.

        Raises:
            InputError: The method names no paper.

        Example:
            >>> import polyattr
            >>> polyattr.IntegratedGradients.citation().splitlines()[0]
            '@article{sundararajan2017axiomatic,'
        """
        if cls.paper is None:
            raise InputError(
                f"{cls.__name__} names no paper; set `paper = polyattr.Paper(...)` in its class"
            )
        return cls.paper.bibtex()

    def _rows_per_call(self) -> int | str | None:
        """The smallest batch_size given along the chain of methods: one bound for the whole."""
        inner = self.inner()
        given = [self.batch_size] + ([] if inner is None else [inner._rows_per_call()])
        numbers = [int(size) for size in given if size is not None and size != "auto"]
        if numbers:
            return min(numbers)
        return next((size for size in given if size != "auto"), "auto")

    def _core(self) -> MethodBase:
        """The method that asks for gradients; it has the model."""
        inner = self.inner()
        return self if inner is None else inner._core()

    def _method(self) -> Method:
        core = self._core()
        return Method(
            name=type(self).__name__,
            text=repr(self),
            recipes=check_recipes(type(self).__name__, self.recipes()),
            model=core.model,
            backend=core.backend,
            output_layer=core.output_layer,
            input_layer=core.input_layer,
            at_layer_input=core.attribute_to_layer_input,
            batch_size=self._rows_per_call(),
            operator=core.operator,
            output=core.output,
            baseline_value=getattr(core, "baseline_value", None),
            background=getattr(core, "background", None),
            tolerance=getattr(self, "tolerance", None),
            mark=core.on_nonfinite == "mark",
            domain=core.domain,
            tangent=core.tangent,
            layers=getattr(core, "layers", ()),
            signed=self.gives_signs,
            budget_ms=getattr(self, "budget_ms", None),
        )

    def _read(
        self,
        baselines: Any,
        forward_args: Any,
        forward_kwargs: Any,
        batched: Any,
        progress: Any,
        sample_ids: Any,
        names: Any = None,
        keep_inputs: Any = False,
    ) -> Options:
        """Checks the keyword arguments of a call, before anything of it is done."""
        return read_options(
            type(self).__name__,
            lambda: self.uses_baselines,
            lambda: self.has_own_draws,
            baselines=baselines,
            forward_args=forward_args,
            forward_kwargs=forward_kwargs,
            batched=batched,
            progress=progress,
            sample_ids=sample_ids,
            names=names,
            keep_inputs=keep_inputs,
        )

    def _keep(self, **values: Any) -> None:
        """Replaces arguments by what a check made of them."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _shared_given(self) -> list[str]:
        """Names of the shared arguments that are not as they are when left out."""
        every = [e for e in fields(self) if e.init and e.name in _shared() - {MODEL}]
        return [e.name for e in every if not is_default(e, getattr(self, e.name))]

    def _arguments(self) -> dict[str, Any]:
        return {e.name: getattr(self, e.name) for e in fields(self) if e.init}

    if not TYPE_CHECKING:  # a type checker would take any name for known

        def __getattr__(self, name: str) -> Any:
            """Says what another library's name is called here."""
            raise AttributeError(missing_member(self, name), name=name, obj=self)

    def __repr__(self) -> str:
        given = self._arguments().items()
        # A method inside another is shown first, and not at all where there is none.
        own = [n for n, v in given if n not in _shared() and (n != "of" or v is not None)]
        listed = ", ".join(f"{n}={getattr(self, n)!r}" for n in [*own, *self._shared_given()])
        return f"{type(self).__name__}({listed})"


def _shared() -> frozenset[str]:
    return frozenset(entry.name for entry in fields(MethodBase))
