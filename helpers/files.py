"""Files that are whole or not there."""

import os
import uuid
from pathlib import Path


def atomic_write(path, write):
    """Write a file beside its place, then put it there in one step.

    Whoever reads the path, at any moment and after any crash, finds the old file, none or the
    whole new one: https://docs.python.org/3/library/os.html#os.replace

    Parameters
    ----------
    path : str or Path
        In a folder that is there.
    write : callable
        Takes the file, open for bytes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     atomic_write(Path(folder, "a.txt"), lambda file: file.write(b"all of it"))
    ...     [path.read_bytes() for path in Path(folder).iterdir()]
    [b'all of it']
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
