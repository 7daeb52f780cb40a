"""TensorFlow warns of functions traced again and again: ours are not, however many there are."""

import logging

import tensorflow as tf

import polyattr


def test_many_explainers_are_not_taken_for_one_that_retraces(caplog):
    caplog.set_level(logging.WARNING, logger="tensorflow")
    tf.get_logger().addHandler(caplog.handler)  # it hands nothing on to the loggers above
    try:
        for i in range(7):
            weights = tf.fill((3, 2), float(i))
            method = polyattr.IntegratedGradients(lambda x, w=weights: x @ w, steps=3)
            method.attribute(tf.ones((2, 3)), 1)
    finally:
        tf.get_logger().removeHandler(caplog.handler)
    assert "retracing" not in caplog.text
