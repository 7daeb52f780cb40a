"""The demo's network where Keras computes with another framework."""

import subprocess
import sys

# What Keras would say if it had been set to compute with a framework that is not installed here.
PROGRAM = """
import keras
import polyattr
from polyattr.demo import network

keras.config.backend = lambda: "jax"
try:
    network("tensorflow")
except polyattr.PolyattrError as error:
    print(error)
"""


def test_keras_on_another_framework_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "set KERAS_BACKEND=tensorflow before Keras is imported" in done.stdout
