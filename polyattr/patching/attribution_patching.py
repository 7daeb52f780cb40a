"""Attribution patching and conductance: many layers in one pass."""

from __future__ import annotations

from typing import Any

from polyattr.errors import InputError, InputTypeError
from polyattr.explainer import Guide, Paper, setting
from polyattr.explainer.base import MethodBase
from polyattr.explainer.shown.call_arguments import CALL_ARGUMENTS
from polyattr.explainer.shown.described import described_by
from polyattr.explainer.shown.own_words import own_words
from polyattr.patching.patches import Patches
from polyattr.question.checks import count_of
from polyattr.results import joining
from polyattr.sampling import Recipe
from polyattr.scores.each import Each

_ENDS = ("baseline", "input")


def _check_layers(name: str, layers: Any) -> tuple[Any, ...]:
    if not isinstance(layers, list | tuple) or not layers:
        raise InputTypeError(
            f"{name} is {layers!r}; expected a list of at least one layer of the model, each by "
            f"index, name or object, such as layers=['conv1', 'conv2']"
        )
    return tuple(layers)


def _check_end(name: str, end: Any) -> str:
    if end not in _ENDS:
        raise InputError(f"{name} is {end!r}; expected 'baseline' or 'input'")
    return str(end)


class AttributionPatching(MethodBase):
    r"""What each unit of many layers passes on of the change of the score from x' to x.

    .. math:: \int \frac{\partial f}{\partial a_j} \, da_j
        \approx (a_j(x) - a_j(x')) \, \frac{\partial f}{\partial a_j}

    With one step the right-hand side, attribution patching: to first order, what the score would
    change by if unit j of the run at one end were given the activation it has at the other (Nanda,
    Attribution Patching, 2023; Syed, Rager & Conmy 2023, arXiv 2310.10348). With more, the sum of
    it over the pieces of the straight path from x' to x, which converges to the conductance of the
    unit (Dhamdhere, Sundararajan & Yan, How Important Is a Neuron?, 2018, arXiv 1805.12233): its
    sum over all units of a layer that everything passes through is f(x) - f(x'). One evaluation
    and one gradient of the model per point tell of all layers, also of those behind each other.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
            With `input_layer`, the path is that of its activations: of token models the embedding.
        layers: The layers, each by index, name or object, or with the number of a call where it
            is called several times: ``("embed", 0)``. Each returns one tensor (N, ...).
        steps: Points on the path, both ends included; 1 takes the gradient at one end alone.
        at: Which end that is with one step: "baseline", whose run is given the activations of the
            input, or "input".
        baseline_value: x', in the units of the inputs: a scalar, an array in the shape of one
            sample or of all, (N, ...), or a callable on the inputs. `baselines=` of a call
            overrides it: the other run, sample by sample.

    Raises:
        InputTypeError: `layers` is no list of layers.
        InputError: `steps` is below 1, `at` is neither end, or `domain` or `tangent` is given; all
            other errors are those of `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
        >>> method = polyattr.AttributionPatching(model, layers=["0", "1"])
        >>> {name: tuple(values.shape) for name, values in method(torch.ones(5, 2)).items()}
        {'0': (5, 3), '1': (5, 1)}
    """

    layers: Any = setting(default=(), check=_check_layers)
    steps: int = setting(default=1, check=count_of(1))
    at: str = setting(default="baseline", check=_check_end)
    baseline_value: Any = 0.0

    gist = "gradient times change of activations"
    paper = Paper(
        "syed2023attribution",
        "Syed, Aaquib and Rager, Can and Conmy, Arthur",
        "Attribution Patching Outperforms Automated Circuit Discovery",
        2023,
        "2310.10348",
    )
    guide = Guide(
        equation="(a_j(x) - a_j(x')) * df/da_j for every unit a_j of the layers",
        cost="`steps` gradients per pair of inputs, for all layers together",
        when="which units pass on a change from one input to another; a first pass "
        "before patching itself",
        when_not="large changes with one step: it is first order there; take more steps, and "
        "compare a few units with real patching",
    )

    def check(self) -> None:
        """Checks that activations are attributed to as they are.

        Raises:
            InputError: Other coordinates are asked for.
        """
        for name in ("domain", "tangent"):
            if getattr(self, name) is not None:
                raise InputError(f"{name} is given; expected none: units of layers have none")

    def recipe(self) -> Recipe:
        """The gradient by activations, summed over how they move."""
        return Patches(layers=len(self.layers), steps=self.steps, at=self.at)

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
    ) -> dict[str, Any]:
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
    ) -> dict[str, Any]:
        """Computes the attributions of all units.

        Raises:
            PolyattrError: As `Explainer.explain`.

        Returns:
            For each layer by name its attributions (N, ...), in the shape, dtype and device of its
            activations, in the units of the score.

        Example:
            >>> import polyattr, torch
            >>> model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Flatten(0))
            >>> method = polyattr.AttributionPatching(model, layers=[0])
            >>> method.explain(torch.tensor([[2.0]]), baselines=torch.tensor([[0.5]]))
            {'0': tensor([[1.5000]])}
        """
        given = self._read(baselines, forward_args, forward_kwargs, batched, progress, sample_ids)
        calls = self._calls.stream(inputs, targets, given, False)
        pairs = ((backend, values) for backend, values, _ in calls)
        found: dict[str, Any] = joining.join_values(pairs, axis=int(isinstance(targets, Each)))
        return found
