"""The suite needs pytest, polyattr does not."""

import subprocess
import sys


def run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_polyattr_does_not_import_its_suite():
    modules = ("pytest", "polyattr.testing")
    code = f"import sys, polyattr; print([m for m in {modules} if m in sys.modules])"
    assert run(code) == "[]"


def test_without_pytest_the_extra_is_named():
    code = (
        "import sys, polyattr\n"
        "sys.modules['pytest'] = None\n"
        "try: import polyattr.testing\n"
        "except polyattr.MissingExtraError as error: print(error)"
    )
    assert run(code).endswith('pip install "polyattr[testing]"')
