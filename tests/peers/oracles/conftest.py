"""Collected by `nox -s peers` only, which installs the peers: a missing one then is an error."""

import os
import warnings

if not os.environ.get("POLYATTR_TEST_PEERS"):
    collect_ignore_glob = ["*"]
else:
    import captum.attr  # noqa: F401

    with warnings.catch_warnings():
        # TensorFlow Probability, which xplique imports, compares versions with distutils' classes.
        warnings.simplefilter("ignore", DeprecationWarning)
        import xplique.attributions  # noqa: F401
