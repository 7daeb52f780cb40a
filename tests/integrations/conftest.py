"""Collected by `nox -s integrations` only, which installs what these tests need."""

import os

if not os.environ.get("POLYATTR_TEST_INTEGRATIONS"):
    collect_ignore_glob = ["*"]
