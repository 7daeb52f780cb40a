"""SmoothGrad."""

from __future__ import annotations

from polyattr.explainer import NoisyExplainer, Paper, setting
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
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        of: Another method whose attributions take the place of gradients, with its model; then no
            `model` is given, and of the shared arguments only `batch_size`, the most rows per
            gradient call for the whole.
        nb_samples: Gradients per sample; or "auto": rounds of draws, and a sample is done when the
            relative error of its map, `Attribution.error`, is within `tolerance`.
        noise: Standard deviation, in the units of the inputs; or as `noise_mode` says.
        seed: Seed of the draws. A draw depends on the seed and its number, and with
            ``shared_draws=False`` on the sample's id: never on batch_size, nor on which other
            samples are explained.
        noise_source: "portable" draws with NumPy on the host, the same in every framework;
            "native" draws with the framework's generator on the model's device.
        noise_mode: "absolute", or "relative": `noise` is then a fraction of each sample's range,
            its largest minus its smallest number, input by input. Equal numbers have no range, and
            get no noise.
        distribution: What the draws come from: ``distribution(generator, shape) -> array``, with a
            `numpy.random.Generator` that belongs to the draw and the shape of one sample, such as
            ``lambda g, shape: g.uniform(-1, 1, shape)``. They are multiplied by `noise`. None is
            the standard normal distribution.
        shared_draws: True: all samples of a call have the same draws. A sample's map is then the
            same alone, in another order and among others, and maps can be compared with each other
            without noise between them; but their errors are correlated, and a mean over samples is
            no more certain than one map. False: each sample has its own, by an id: its place in the
            call, or over all batches of a dataset; or `sample_ids` of the call, with which maps
            depend neither on the order nor on the company.
        antithetic: Use each draw with both signs, e and -e: 1.8 to 6.8 times less variance per
            gradient on trained ReLU networks, 15 and more on smooth ones. An odd last gradient
            stays without its partner. None is True for normal draws, and False for a `distribution`
            of your own: with True it has to be symmetric about 0.
        tolerance: Relative error above which a `ConvergenceWarning` is given; with
            ``nb_samples="auto"`` the one to stop at, 0.05 unless given. With a number and None,
            `attribute`, which knows it for free, warns above 0.05, and `explain` does not look: 50
            gradients of small ReLU networks leave 0.005 to 0.09 of the mean, 0.01 to 0.16 of the
            mean square, 0.15 to 0.27 of the variance.
        max_samples: Most gradients per sample with ``nb_samples="auto"``.

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

    def recipe(self) -> Recipe:
        """The mean over noisy copies."""
        return NoisyCopies(antithetic=bool(self.antithetic), **self._draws())
