"""Collected by `nox -s real real_frameworks` only, which install what these tests need."""

import os

if not os.environ.get("POLYATTR_TEST_REAL"):
    collect_ignore_glob = ["*"]
