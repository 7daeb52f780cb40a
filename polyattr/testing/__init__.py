"""The conformance suite: what every backend has to pass, as a pytest class to subclass.

Example:
    >>> from polyattr.testing import BackendConformance  # doctest: +SKIP
    >>> class TestMine(BackendConformance):  # doctest: +SKIP
    ...     backend = MyBackend()
"""

from polyattr.errors import MissingExtraError

try:
    from polyattr.testing.conformance import BackendConformance
except ModuleNotFoundError as error:
    if error.name != "pytest":
        raise
    raise MissingExtraError("polyattr.testing", "dev") from error

__all__ = ["BackendConformance"]
