"""One worker, taken as it is by the engines people have; and runs on their clusters."""

import os
import signal
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from made_models import data, made_method
from slow_run import slowly
from stored import contents, explained

import polyattr
from polyattr.datasets.batches.reading import Batch
from polyattr.datasets.sources.source import Source

pytestmark = pytest.mark.filterwarnings("ignore")  # of the engines themselves


@pytest.fixture
def x():
    return data()


@pytest.fixture
def told(x):
    return made_method().attribute(x, targets=0).to_numpy()


def assert_told(found, ids, told):
    """Rows in any order, each with what `attribute` says of it."""
    order = np.argsort(ids)
    assert np.asarray(ids)[order].tolist() == list(range(len(told)))
    assert np.allclose(np.stack(list(found))[order], told.values, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def cluster():
    """Three local workers of dask.distributed."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield local, client


class Telling(Source):
    """Rows in memory that tell of themselves when the last third of them is sent."""

    kind = "array"
    anywhere = False

    def __init__(self, x, tell):
        self.x, self.tell = x, tell

    def __len__(self):
        return len(self.x)

    def read(self, start, stop):
        if start > len(self.x) * 2 / 3:
            self.tell()
        return Batch(self.x[start:stop])


def test_a_killed_dask_worker_costs_nothing(x, cluster, tmp_path):
    local, client = cluster
    slow = polyattr.worker("made_models:made_method", targets=0, prepare=slowly)
    killed = []

    def kill_one():
        if not killed:
            killed.append(next(iter(local.workers.values())).process.pid)
            os.kill(killed[0], signal.SIGKILL)

    done = explained(slow, Telling(x, kill_one), tmp_path / "dask.zarr", executor=client)
    assert killed
    assert done.complete
    assert done.column("id").tolist() == list(range(len(x)))
    alone = explained(slow, x, tmp_path / "alone.zarr")
    assert contents(done) == contents(alone)


def test_dask_frames_and_arrays(x, told, cluster):
    import dask.array
    import dask.dataframe
    import pandas

    frame = pandas.DataFrame(x, columns=list("abcdef"))
    work = polyattr.worker("made_models:made_method", inputs=list("abcdef"), targets=0)
    meta = work(frame[:1])[:0]
    found = (
        dask.dataframe.from_pandas(frame, npartitions=4).map_partitions(work, meta=meta).compute()
    )
    assert_told(found["attribution"], found["id"], told)
    plain = polyattr.worker("made_models:made_method", targets=0)
    blocks = dask.array.from_array(x, chunks=(100, 6)).map_blocks(plain.values, dtype=x.dtype)
    assert_told(blocks.compute(), range(len(x)), told)


def test_datasets_map(x, told, work, tmp_path):
    datasets = pytest.importorskip("datasets")
    held = datasets.Dataset.from_dict({"x": x, "id": np.arange(len(x))})
    found = held.map(work, batched=True, batch_size=64, remove_columns=["x"])
    assert_told(found["attribution"], found["id"], told)
    assert {"score", "gap", "error", "converged", "target"} <= set(found.column_names)


def test_an_iterator_of_tables_as_spark_hands_over(x, told, work):
    import pandas

    tables = [pandas.DataFrame({"x": list(x[i : i + 100]), "id": np.arange(i, i + 100)})
              for i in range(0, 400, 100)]  # fmt: skip
    found = pandas.concat(list(work(iter(tables))))
    assert_told(found["attribution"], found["id"], told)


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray")
    # Below the temporary folder of a session of nox it waits for ever.
    with TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(num_cpus=2, include_dashboard=False, ignore_reinit_error=True, _temp_dir=folder)
        yield ray
        ray.shutdown()


def test_ray_data_and_a_run_on_ray(x, told, work, ray, tmp_path):
    rows = [{"x": row, "id": i} for i, row in enumerate(x)]
    found = ray.data.from_items(rows).map_batches(work, batch_size=100).to_pandas()
    assert_told(found["attribution"], found["id"], told)
    plain = polyattr.worker("made_models:made_method", targets=0)
    done = explained(plain, x, tmp_path / "ray.zarr", executor="ray")
    assert contents(done) == contents(explained(plain, x, tmp_path / "alone.zarr"))


def test_a_torch_loader(lab, x, told):
    if lab.name != "torch":
        pytest.skip("a loop over a DataLoader is one of torch")
    from torch.utils.data import DataLoader, TensorDataset

    work = polyattr.worker("made_models:made_method", targets=0)
    loader = DataLoader(TensorDataset(lab.tensor(x)), batch_size=64)
    found = np.concatenate([work(batch)["attribution"] for batch in loader])
    assert_told(found, range(len(x)), told)
