"""Which reader takes a path: by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from polyattr.cli.exits import InputFileError
from polyattr.cli.inputs.arrays import read_npy, read_npz
from polyattr.cli.inputs.parquet import read_parquet
from polyattr.cli.inputs.pictures import ENDINGS, read_folder, read_picture
from polyattr.cli.inputs.samples import Reading, Samples
from polyattr.cli.inputs.tables import read_csv
from polyattr.cli.lines import told

Reader = Callable[[Path, Reading], Samples]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        ".npy": read_npy,
        ".npz": read_npz,
        ".csv": read_csv,
        ".tsv": read_csv,
        ".parquet": read_parquet,
        **dict.fromkeys(ENDINGS, read_picture),
    }
)


def read_samples(path: Path, reading: Reading) -> Samples:
    """Reads the samples of a file or of a folder of pictures.

    Raises:
        InputFileError: There is no such file, it is of no known kind, or not what its name says.
    """
    if not path.exists():
        raise InputFileError(f"there is no file {str(path)!r}")
    reader = read_folder if path.is_dir() else READERS.get(path.suffix.lower())
    if reader is None:
        raise InputFileError(
            f"{str(path)!r} is of no kind that can be read; expected a folder of pictures, or a "
            f"name that ends with {', '.join(READERS)}"
        )
    try:
        found = reader(path, reading)
    except OSError as error:
        said = error.strerror or told(error)
        raise InputFileError(f"{str(path)!r} cannot be read: {said}") from error
    if not len(found):
        raise InputFileError(f"{str(path)!r} holds no samples")
    return found
