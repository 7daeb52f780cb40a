"""The core needs no framework: neither to be imported, nor to say which there are."""

import ast
import importlib
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import polyattr

FRAMEWORKS = {"torch", "tensorflow", "jax", "jaxlib", "keras", "tf_keras", "flax", "equinox"}
# What is imported late, where it is used.
TOOLS = {
    "jinja2",
    "matplotlib",
    "pandas",
    "polars",
    "xarray",
    "shap",
    "safetensors",
    "skimage",
    "tqdm",
}
TOOLS |= {"zarr", "pyarrow", "h5py", "ddsketch", "distributed", "ray", "PIL"}
CORE = Path(polyattr.__file__).parent
BACKENDS = Path(__file__).parents[2] / "backends"

WALK = """
import importlib, pkgutil, sys
import polyattr

seen = []
for module in pkgutil.walk_packages(polyattr.__path__, "polyattr."):
    if module.name.startswith(("polyattr.demo", "polyattr.cli.commands", "polyattr.cli.group")):
        continue
    importlib.import_module(module.name)
    seen.append(module.name)
infos = polyattr.backends()
repr(infos), [(i.name, i.installed, i.version, i.provider) for i in infos.values()]
late = [*{frameworks!r}, "matplotlib", "pandas", "xarray"]
print(len(seen), sorted(name for name in late if name in sys.modules))
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_everything_imports_no_framework():
    count, found = run(WALK.format(frameworks=sorted(FRAMEWORKS))).split(" ", 1)
    assert int(count) >= 25
    assert found == "[]"


def test_import_brings_no_framework_and_no_tool():
    code = f"import sys, polyattr; print(sorted({FRAMEWORKS | TOOLS} & set(sys.modules)))"
    assert run(code) == "[]"


def test_import_alone_imports_nothing_else_of_polyattr_nor_numpy():
    code = (
        "import sys, polyattr\n"
        "roots = ('polyattr', 'numpy', 'pluggy')\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in roots))"
    )
    assert run(code) == "['polyattr', 'polyattr._version']"


def test_what_is_asked_for_is_imported_then_and_is_what_a_type_checker_sees():
    tree = ast.parse((CORE / "__init__.py").read_text())
    (seen,) = (n for n in tree.body if isinstance(n, ast.If) and "not" not in ast.unparse(n.test))
    homes = {a.name: n.module for n in seen.body for a in n.names}
    assert sorted({*homes, "__version__"}) == sorted(polyattr.__all__)
    for name, home in homes.items():
        whole = f"{home}.{name}" if home == "polyattr" else home
        module = importlib.import_module(whole)
        assert getattr(polyattr, name) is (module if home == "polyattr" else getattr(module, name))
    assert {*polyattr.__all__} <= {*dir(polyattr)}


def test_packages_are_found_without_an_import_of_their_own():
    code = "import polyattr\nprint(polyattr.plots.image.__name__, polyattr.errors.InputError)"
    assert run(code) == "image <class 'polyattr.errors.InputError'>"
    wrong = "import polyattr\ntry: polyattr.plotz\nexcept AttributeError as error: print(error)"
    assert run(wrong) == "module 'polyattr' has no attribute 'plotz'"


def test_what_is_downloaded_is_less_than_a_megabyte():
    roots = [CORE, *sorted(BACKENDS.glob("polyattr_*"))]
    files = [path for root in roots for path in root.rglob("*") if "__pycache__" not in path.parts]
    # Each file is compressed for itself, as in a wheel.
    sizes = [len(zlib.compress(path.read_bytes())) for path in files if path.is_file()]
    assert 100_000 < sum(sizes) < 1_000_000


def test_making_an_explainer_imports_no_framework():
    code = (
        "import sys, polyattr\n"
        "print(polyattr.IntegratedGradients(lambda x: x, steps=3))\n"
        "try: polyattr.Saliency(lambda x: x).explain([])\n"
        "except polyattr.PolyattrError as error: print(error)\n"
        f"print([name for name in {sorted(FRAMEWORKS)} if name in sys.modules])"
    )
    lines = run(code).splitlines()
    assert lines[0].startswith("IntegratedGradients(steps=3")
    assert "no framework is imported" in lines[1]
    assert lines[-1] == "[]"


def test_backends_are_known_by_the_import_names_of_their_frameworks():
    infos = polyattr.backends()
    assert {"torch", "tensorflow", "jax"} <= set(infos)
    for name in ("torch", "tensorflow", "jax"):
        assert infos[name].name == name
        assert infos[name].provider == "polyattr"
        assert (infos[name].version is not None) == infos[name].installed
        assert name in repr(infos)


def sources(root):
    return sorted(root.rglob("*.py"))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", sources(CORE), ids=lambda p: str(p.relative_to(CORE)))
def test_core_names_no_framework_in_an_import(path):
    names = set(imported(ast.parse(path.read_text())))
    assert not names & FRAMEWORKS
    assert not {name for name in names if name.startswith("polyattr_")}


def test_what_tells_files_apart_imports_no_framework():
    names = [path.stem for path in sources(BACKENDS / "polyattr_model_files")]
    lines = "".join(f"import polyattr_model_files.{name}\n" for name in names if name[0] != "_")
    found = run(f"import sys\n{lines}print(sorted({FRAMEWORKS} & set(sys.modules)))")
    assert len(names) >= 6
    assert found == "[]"


def test_backends_import_no_framework_but_their_own():
    own = {
        "polyattr_keras": set(),
        "polyattr_model_files": {"torch", "tensorflow", "keras"},
        "polyattr_torch": {"torch"},
        "polyattr_tensorflow": {"tensorflow", "keras"},
        "polyattr_jax": {"jax", "flax", "equinox"},
    }
    for package, allowed in own.items():
        files = sources(BACKENDS / package)
        assert files
        for path in files:
            assert set(imported(ast.parse(path.read_text()))) & FRAMEWORKS <= allowed, path.name


def test_no_assert_statement_guards_anything():
    files = sources(CORE) + sources(BACKENDS)
    assert len(files) > 25
    for path in files:
        asserts = [n.lineno for n in ast.walk(ast.parse(path.read_text())) if type(n) is ast.Assert]
        assert not asserts, f"{path.name}: lines {asserts}"
