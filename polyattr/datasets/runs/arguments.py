"""What the arguments of `explain_dataset` are: too much for one docstring."""

OF_EXPLAIN_DATASET = """
Args:
    method: A method of polyattr, or a `Worker` where the model has to be made in other processes.
    source: Rows: an array or memory map (N, ...), a DataFrame, an xarray DataArray, the path of a
        .npy, .zarr, .parquet or .h5 file or of a folder of pictures; or an iterable of batches,
        which has to give the same ones again when a call is repeated.
    out: Folder of the store, whose name ends with .zarr or .parquet. What is known of the run is
        beside it, in a folder of its name and ``.run``.
    ids: What rows are called: (N,) whole numbers or texts, or the name of a column; None for those
        of the source (an index, a coordinate, the names of pictures), or places from 0. Where each
        row has draws of its own (``shared_draws=False``) they belong to its id.
    executor: None for this process, a number of processes, a client of dask.distributed, or "ray".
    summary: Keep what `Explained.summary` needs, in one pass.
    where: Rows to explain: (N,) truth values, (M,) numbers of rows, or a function from a batch of
        the source (with `inputs`, `targets` and `ids`) to truth values (n,). What an earlier run
        found can choose: ``where=~done.column("converged")``.
    targets: As for `Explainer.attribute`: an int, a callable, one entry (N,) per row; or the name
        of a column. None takes those of the source, or the predicted class.
    inputs: Name of the column that holds the inputs, or of several, which are stacked.
    format: "zarr" or "parquet", where the name of `out` does not say so.
    dtype: "float16" or "float32" for maps as they are stored; what rounding does to them is added
        to the error of each row. None stores them as they come.
    maps: Store the maps; False stores what is known of each row, and the summary.
    prepare: An importable function from inputs (n, ...) as they are stored to those of the model.
    rows_per_call: Rows that are explained together; None for as many as make 4 MiB, at most 4,096.
        Part of the question: sums over other rows are rounded otherwise.
    rows_per_shard: Rows of a shard, rounded up to whole calls; None for about 150 shards.
    part: ``(i, n)`` makes shards i, i + n, ... alone: the same call on n machines that share a
        folder, each with its i.
    verify: Read finished shards and compare their checksums; False compares sizes.
    progress: Show a bar, with rows per second and the time that is left.
    **call: Further arguments of `Explainer.attribute`, the same for all rows.
"""
