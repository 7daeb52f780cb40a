"""What a logger of maps refuses; what it does stands with the callbacks of each library."""

import pytest

import polyattr
from polyattr.integrations import MapLogger, keras_callback, lightning_callback


class Fake(polyattr.Saliency):
    """Explains nothing."""


def test_it_takes_methods_without_a_model_and_writers():
    with pytest.raises(polyattr.InputTypeError, match="expected a class such as"):
        MapLogger(Fake(None), [1.0], writer=print)
    with pytest.raises(polyattr.InputTypeError, match="writer is 3; expected a SummaryWriter"):
        MapLogger(Fake, [1.0], writer=3)
    with pytest.raises(polyattr.InputError, match="every is 0"):
        MapLogger(Fake, [1.0], writer=print, every=0)
    with pytest.raises(polyattr.InputError, match="'warn' or 'raise'"):
        MapLogger(Fake, [1.0], writer=print, on_error="ignore")


def test_without_a_writer_it_says_so_once():
    logger = MapLogger(Fake, [1.0])
    with pytest.warns(polyattr.MapLoggingWarning, match="there is no writer"):
        assert logger.log(None, step=0) is False
    assert logger.log(None, step=1) is False  # and nothing is said again
    assert logger.logged == 0


@pytest.mark.parametrize("made", [keras_callback, lightning_callback])
def test_a_callback_takes_a_logger(made):
    with pytest.raises(polyattr.InputTypeError, match=r"expected polyattr\.integrations"):
        made(print)


def test_a_library_that_is_not_there_is_named():
    logger = MapLogger(Fake, [1.0], writer=print)
    with pytest.raises(polyattr.MissingFrameworkError, match="one of keras_of_nobody"):
        keras_callback(logger, library="keras_of_nobody")
