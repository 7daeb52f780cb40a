"""A framework with modules, played by autograd: layers, weights and modes, sound and broken."""

from contextlib import contextmanager

import numpy as np
from autograd_frameworks import Freezing, Frozen

from polyattr import BoundModel, Layer, LayerNotFoundError, Visits
from polyattr.backend import Watched


class Network:
    """Two linear layers, the first with ReLU after it."""

    def __init__(self):
        self.layers = {"first": None, "second": None}

    def load(self, *weights):
        self.layers = dict(zip(self.layers, weights, strict=True))


class BoundNetwork(Frozen):
    def state(self):
        return dict(self._function.layers)

    def run(self, state, args, kwargs):
        return self.run_tapped(state, args, kwargs, [])[0]

    def layer(self, selector, argument):
        if selector not in self._function.layers:
            raise LayerNotFoundError(f"no layer {selector}")
        return Layer(selector, selector)

    def run_tapped(self, state, args, kwargs, taps):
        visits = Visits(taps)
        numbers = {tap.layer.place: number for number, tap in enumerate(taps)}
        # Without a state the kernel has the weights of its first run.
        layers = state or self.backend.traced(self._function).layers
        (x,) = args
        for name, weights in layers.items():

            def layer(x, weights=weights):
                return x @ weights

            x = visits.call(numbers[name], layer, (x,), {}) if name in numbers else layer(x)
            if name == "first":
                x = x * (x > 0)
        return x, visits.seen


class Dropping:
    """Drops half of its inputs in training."""

    def __init__(self):
        self.training, self.random = True, np.random.default_rng(0)

    def __call__(self, x):
        return x * self.random.integers(0, 2, x.shape) * 2.0 if self.training else x


class BoundDropping(BoundModel):
    @contextmanager
    def inference(self):
        before, self._function.training = self._function.training, False
        try:
            yield
        finally:
            self._function.training = before


class Modules(Freezing):
    network, dropping = BoundNetwork, BoundDropping

    def bind(self, model):
        if isinstance(model, Network):
            return self.network(model, self)
        return self.dropping(model) if isinstance(model, Dropping) else super().bind(model)


class Untapped(Modules):
    """Broken: finds layers, and cannot run with taps."""

    class network(BoundNetwork):  # noqa: N801 - stands where the class attribute stood
        def run(self, state, args, kwargs):
            return BoundNetwork.run_tapped(self, state, args, kwargs, [])[0]

        def run_tapped(self, state, args, kwargs, taps):
            raise NotImplementedError("no layers")


class Stateless(Modules):
    """Broken: the weights stay in the kernel."""

    class network(BoundNetwork):  # noqa: N801 - stands where the class attribute stood
        def state(self):
            return {}

        def watched(self):
            return Watched(())


class Recompiling(Modules):
    """Broken: right, but every step of training compiles all kernels anew."""

    class network(BoundNetwork):  # noqa: N801 - stands where the class attribute stood
        def state(self):
            return {}


class Training(Modules):
    """Broken: has no inference mode."""

    dropping = BoundModel


class Switching(Modules):
    """Broken: leaves models in inference mode."""

    class dropping(BoundModel):  # noqa: N801 - stands where the class attribute stood
        @contextmanager
        def inference(self):
            self._function.training = False
            yield
