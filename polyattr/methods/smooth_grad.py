"""SmoothGrad."""

from __future__ import annotations

from polyattr.explainer import Guide, NoisyExplainer, Paper, setting
from polyattr.question.checks import check_flag
from polyattr.sampling import NoisyCopies, Recipe


def _check_antithetic(name: str, value: object) -> bool | None:
    return None if value is None else check_flag(name, value)


class SmoothGrad(NoisyExplainer):
    r"""Mean gradient over noisy copies, :math:`E[\partial f / \partial x_i (x + e)]`, signed.

    Smilkov, Thorat, Kim, Viégas & Wattenberg, SmoothGrad (2017), arXiv 1706.03825. Shape: that
    of the inputs, (N, ...). Units: score per unit of the input. `Attribution.standard_error` is
    that of each value, and `Attribution.error` the L1 error of the map that it leads to expect,
    over the map's L1 norm.

    Args:
        model: The model; this and the keyword arguments not listed are those of
            `NoisyExplainer`.
        antithetic: Use each draw with both signs, e and -e: 1.8 to 6.8 times less variance per
            gradient on trained ReLU networks, 15 and more on smooth ones. An odd last gradient
            stays without its partner. None is True for normal draws, and False for a `distribution`
            of your own: with True it has to be symmetric about 0.

    Raises:
        InputError: `nb_samples` is below 1, `max_samples` below 32 with "auto", `noise`, `seed` or
            `tolerance` negative, `noise_source` or `noise_mode` unknown, or draws of a
            `distribution` unlike what it was asked for; all other errors are those of `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.SmoothGrad(lambda x: (x**2).sum(1), noise=0.1)
        >>> method.explain(torch.tensor([[1.0, 2.0]])).round(decimals=3)
        tensor([[2., 4.]])
    """

    antithetic: bool | None = setting(default=None, check=_check_antithetic)

    def check(self) -> None:
        """Checks the arguments of all noisy methods; pairs are the default where they are right.

        Raises:
            InputTypeError: `nb_samples` is neither a whole number nor "auto".
            InputError: The arguments do not fit each other.
        """
        super().check()
        if self.antithetic is None:
            self._keep(antithetic=self.distribution is None)

    gist = "mean gradient under noise"
    paper = Paper(
        "smilkov2017smoothgrad",
        "Smilkov, Daniel and Thorat, Nikhil and Kim, Been and Vi{\\'e}gas, Fernanda and "
        "Wattenberg, Martin",
        "SmoothGrad: Removing Noise by Adding Noise",
        2017,
        "1706.03825",
    )
    guide = Guide(
        equation="mean over noise e of df/dx_i(x + e)",
        cost="`nb_samples` gradients per sample, 50 unless given; with of= times those "
        "of the method inside",
        when="a signed map without the speckle of a single gradient; smooths any other "
        "method with of=",
        when_not="shares of the score; noise far beyond what the model saw in training asks "
        "about other inputs",
    )

    def recipe(self) -> Recipe:
        """The mean over noisy copies."""
        return NoisyCopies(antithetic=bool(self.antithetic), **self._draws())
