"""A model that reads a setting from every place Python has, and edits of each of them."""

import array
import ctypes
import types
from collections import deque
from functools import partial

import numpy as np

module = types.ModuleType("stale_settings")


class Slotted:
    __slots__ = ("n", "part")


class Base:
    inherited = 1.0

    def method(self):
        return self.scale * Base.inherited

    @property
    def doubled(self):
        return 2.0 * self.scale


class Settings(Base):
    shared = 1.0


class Proxy:
    """Has whatever attribute its table has, and no other: asking for one raises a KeyError."""

    def __init__(self, table):
        self.__dict__["table"] = table

    def __getattr__(self, name):
        return self.table[name]


class Record(ctypes.Structure):
    _fields_ = (("n", ctypes.c_float),)


def global_factor():
    return GLOBAL


GLOBAL = 1.0


class World:
    """Everything the model reads.

    Args:
        lab: The framework's.
    """

    def __init__(self, lab):
        self.lab = lab
        for name in ("GLOBAL",):
            globals()[name] = 1.0
        module.n, module.f = 1.0, lambda x: x
        Settings.shared = Base.inherited = 1.0
        self.settings = Settings()
        self.settings.scale = 1.0
        self.slotted = Slotted()
        self.slotted.n, self.slotted.part = 1, [1.0]
        self.tree = {"a": [{"b": ({"c": self.weights(0)},)}]}
        self.array = np.ones(3, np.float32)
        self.view = self.array[1:]
        self.lists, self.deque = [1.0, 2.0], deque([1.0])
        self.number, self.foreign = np.array(1.0), {"k": 1.0}
        self.proxy = Proxy(self.foreign)
        self.plain, self.record = ctypes.c_float(1.0), Record(1.0)
        self.buffer = array.array("f", [1.0])
        self.flag, self.mode, self.activation = True, "plain", lambda x: x
        self.partial = partial(lambda x, k: x * k, k=1.0)

    def weights(self, seed):
        """Native weights (3, 3)."""
        return self.lab.tensor(np.random.default_rng(seed).standard_normal((3, 3)))

    def model(self):
        """A function of all of it, (N, 3) to (N, 3)."""
        settings, slotted, tree, lab = self.settings, self.slotted, self.tree, self.lab
        kept, view, values, more = self, self.view, self.lists, self.deque

        def default(x, k=1.0):
            return x * k

        def model(x):
            x = lab.ops.matmul(x, tree["a"][0]["b"][0]["c"])
            x = x * lab.ops.like(np.concatenate([view, [slotted.n]]).astype("float32"), x)
            x = x * settings.method() * settings.doubled * settings.shared
            x = x * global_factor() * module.n * sum(values) * more[0] * slotted.part[0]
            # Not turned into a tensor by name: an array of no axes is a number of the program.
            x = x * lab.ops.like(np.ones(3, np.float32) * kept.number, x) * kept.proxy.k
            x = x * kept.plain.value * kept.record.n * kept.buffer[0]
            x = kept.partial(default(module.f(kept.activation(x))))
            x = x if kept.flag else x * x
            return x if kept.mode == "plain" else lab.ops.tanh(x)

        self.default = default
        return model

    def edits(self):
        """Edits by name: each takes a number and changes one thing for good."""
        return {
            "deep weights": lambda k: self.tree["a"][0]["b"][0].update(c=self.weights(k)),
            "attribute": lambda k: setattr(self.settings, "scale", 1.0 + k),
            "class attribute": lambda k: setattr(Settings, "shared", 1.0 + k),
            "inherited attribute": lambda k: setattr(Base, "inherited", 1.0 + k),
            "method": lambda k: setattr(Base, "method", lambda self: 1.0 + k),
            "module attribute": lambda k: setattr(module, "n", 1.0 + k),
            "module function": lambda k: setattr(module, "f", lambda x: x * (1.0 + k)),
            "global": lambda k: globals().update(GLOBAL=1.0 + k),
            "whole number in a slot": lambda k: setattr(self.slotted, "n", k),
            "list in a slot": lambda k: self.slotted.part.__setitem__(0, 1.0 + k),
            "list": lambda k: self.lists.append(0.5 * k),
            "deque": lambda k: self.deque.appendleft(1.0 + k),
            "NumPy array in place": lambda k: self.array.__setitem__(1, 1.0 + k),
            "number in place": lambda k: self.number.__setitem__((), 1.0 + k),
            "attribute made on demand": lambda k: self.foreign.update(k=1.0 + k),
            "number of C": lambda k: setattr(self.plain, "value", 1.0 + k),
            "structure of C": lambda k: setattr(self.record, "n", 1.0 + k),
            "array of C": lambda k: self.buffer.__setitem__(0, 1.0 + k),
            "flag": lambda k: setattr(self, "flag", not self.flag),
            "text": lambda k: setattr(self, "mode", "plain" if self.mode != "plain" else "bent"),
            "activation": lambda k: setattr(self, "activation", lambda x: x * (2.0 + k)),
            "partial": lambda k: self.partial.keywords.update(k=1.0 + k),
            "partial replaced": lambda k: setattr(
                self, "partial", partial(lambda x, k: x * x * k, k=1.0 + k)
            ),
            "default": lambda k: setattr(self.default, "__defaults__", (1.0 + k,)),
            "code": lambda k: setattr(
                self.default, "__code__", (lambda x, k=1.0: x * x - k).__code__
            ),
        }
