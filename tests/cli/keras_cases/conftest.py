"""Collected in the processes of `test_keras_on_each_framework.py` alone."""

import os

collect_ignore_glob = [] if os.environ.get("POLYATTR_TEST_KERAS") else ["*"]
