"""A trained digit network in every framework, real digits to explain, and a run of all methods."""

from polyattr.demo.digits import Digits, held_out_digits, train_digits
from polyattr.demo.findings import Explained, Shown, Tour
from polyattr.demo.model import load_weights, logits_layer, network, scores
from polyattr.demo.tour import run

__all__ = [
    "Digits",
    "Explained",
    "Shown",
    "Tour",
    "held_out_digits",
    "load_weights",
    "logits_layer",
    "network",
    "run",
    "scores",
    "train_digits",
]
