"""Collected where a framework must be there, or is; its own cases run in processes of their own."""

from labs import LABS, under_test

FRAMEWORKS = under_test(*LABS)
collect_ignore_glob = [] if FRAMEWORKS else ["*"]


def pytest_generate_tests(metafunc):
    if "keras_backend" in metafunc.fixturenames:
        metafunc.parametrize("keras_backend", FRAMEWORKS)
