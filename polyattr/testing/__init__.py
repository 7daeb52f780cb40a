"""The conformance suite: what every backend has to pass, as a pytest class to subclass."""

from polyattr.errors import MissingExtraError

try:
    from polyattr.testing.conformance import BackendConformance, VerbConformance
except ModuleNotFoundError as error:
    if error.name != "pytest":
        raise
    raise MissingExtraError("polyattr.testing", "testing") from error

__all__ = ["BackendConformance", "VerbConformance"]
