"""Text and tables in a model: XLA is not asked, and the answer is the gradient."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from polyattr_tensorflow.kernel import Kernel

SCRIPT = Path(__file__).parent / "text_models.py"


def test_models_of_text_are_explained():
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=os.environ | {"KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr[-3000:]


@pytest.mark.usefixtures("by_xla")
def test_assertions_leave_a_model_to_xla():
    """Their messages are text, but XLA leaves them out."""

    def model(x):
        with tf.control_dependencies([tf.debugging.assert_less(x, 100.0, message="large")]):
            return tf.reduce_sum(tf.identity(x) * x, axis=1)

    kernel = Kernel(model)
    assert kernel(tf.ones((2, 3))).numpy().tolist() == [3, 3]
    assert not kernel._refused
