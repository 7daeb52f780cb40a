"""Collected by `nox -s types` only, which installs mypy and polyattr as a user would."""

import os

if not os.environ.get("POLYATTR_TEST_TYPES"):
    collect_ignore_glob = ["*"]
