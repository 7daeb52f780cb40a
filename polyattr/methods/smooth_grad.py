"""SmoothGrad."""

from __future__ import annotations

from polyattr.explainer import NoisyExplainer, Paper, setting
from polyattr.question.checks import check_flag
from polyattr.sampling import NoisyCopies, Recipe


class SmoothGrad(NoisyExplainer):
    r"""Mean gradient over noisy copies, :math:`E[\partial f / \partial x_i (x + e)]`, signed.

    Smilkov, Thorat, Kim, Viégas & Wattenberg, SmoothGrad (2017), arXiv 1706.03825. Shape: that
    of the inputs, (N, ...). Units: score per unit of the input. `Attribution.standard_error` is
    that of each value, and `Attribution.error` the L1 error of the map that it leads to expect,
    over the map's L1 norm.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        of: Another method whose attributions take the place of gradients, with its model; then no
            `model` is given, and of the shared arguments only `batch_size`, the most rows per
            gradient call for the whole.
        nb_samples: Gradients per sample; or "auto": rounds of draws, and a sample is done when the
            relative error of its map, `Attribution.error`, is within `tolerance`.
        noise: Standard deviation, in the units of the inputs.
        seed: Seed of the draws. A draw depends on the seed and its number alone: never on
            batch_size, nor on which other samples are explained.
        noise_source: "portable" draws with NumPy on the host, the same in every framework;
            "native" draws with the framework's generator on the model's device.
        antithetic: Use each draw with both signs, e and -e: 3.3 to 5.7 times less variance per
            gradient on real networks. An odd last gradient stays without its partner.
        tolerance: Relative error above which a `ConvergenceWarning` is given; with
            ``nb_samples="auto"`` the one to stop at, 0.05 unless given. None gives none, and lets
            `Attribution.converged` hold up to 0.05: 50 gradients of small ReLU networks leave
            0.005 to 0.09 of the mean, 0.01 to 0.16 of the mean square, 0.15 to 0.27 of the
            variance.
        max_samples: Most gradients per sample with ``nb_samples="auto"``.

    Raises:
        InputError: `nb_samples` is below 1, `max_samples` below 32 with "auto", `noise`, `seed` or
            `tolerance` negative, or `noise_source` unknown; all other errors are those of
            `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.SmoothGrad(lambda x: (x**2).sum(1), noise=0.1)
        >>> method.explain(torch.tensor([[1.0, 2.0]])).round(decimals=3)
        tensor([[2., 4.]])
    """

    antithetic: bool = setting(default=True, check=check_flag)

    gist = "mean gradient under noise"
    paper = Paper(
        "smilkov2017smoothgrad",
        "Smilkov, Daniel and Thorat, Nikhil and Kim, Been and Vi{\\'e}gas, Fernanda and "
        "Wattenberg, Martin",
        "SmoothGrad: Removing Noise by Adding Noise",
        2017,
        "1706.03825",
    )

    def recipe(self) -> Recipe:
        """The mean over noisy copies."""
        return NoisyCopies(antithetic=self.antithetic, **self._draws())
