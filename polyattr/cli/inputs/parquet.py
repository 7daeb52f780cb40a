"""Tables in parquet, read by pandas."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from polyattr.cli.exits import InputFileError
from polyattr.cli.inputs.samples import Reading, Samples
from polyattr.cli.inputs.sizes import check_size
from polyattr.cli.inputs.tables import chosen_columns
from polyattr.cli.lines import told
from polyattr.errors import MissingExtraError


def read_parquet(path: Path, reading: Reading) -> Samples:
    """Reads the columns of a table.

    Raises:
        MissingExtraError: pandas or pyarrow is not installed.
        InputFileError: No such table, or a column that is no number.
    """
    try:
        pandas, parquet = import_module("pandas"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("reading parquet", "parquet") from error
    try:
        groups: Any = parquet.ParquetFile(path).metadata
        taken = sum(groups.row_group(i).total_byte_size for i in range(groups.num_row_groups))
        check_size(path, taken, reading)
        frame = pandas.read_parquet(path)
    except InputFileError:
        raise
    except Exception as error:  # a broken file can fail in any way of pyarrow's
        raise InputFileError(f"{str(path)!r} is no parquet table: {told(error)}") from error
    names = [str(name) for name in frame.columns]
    columns = [frame.iloc[:, place].tolist() for place in range(len(names))] if len(frame) else []
    return chosen_columns(names, columns, path, reading)
