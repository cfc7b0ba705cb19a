"""What this machine can do: packages, hardware, the device to compute on, and seeds.

`environment_report` must work where something is missing or broken, so nothing is imported
at the top but the standard library.
"""

import ctypes
import importlib
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "pytorch-sklearn-course"
UNKNOWN = "Device    unknown:"
# What pip accepts: https://packaging.python.org/en/latest/specifications/version-specifiers/
VERSION = re.compile(
    r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+(\.[a-z0-9]+)*)?"
)


def get_device(prefer=None):
    """Choose the device to compute on.

    Parameters
    ----------
    prefer : str or None
        A PyTorch device string such as `"cpu"`, `"cuda"`, `"cuda:1"` or `"mps"`. `None` takes
        the first that is there: an NVIDIA GPU (`cuda`), an Apple GPU (`mps`), the CPU.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If `prefer` is not the name of a device.
    RuntimeError
        If that device is not on this machine.

    Examples
    --------
    >>> get_device("cpu")
    device(type='cpu')
    """
    import torch

    cuda_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    available = [f"cuda:{index}" for index in range(cuda_devices)]
    if torch.backends.mps.is_available():
        available.append("mps:0")
    available.append("cpu:0")
    if prefer is None:
        return torch.device(available[0].partition(":")[0])
    try:
        device = torch.device(prefer)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"{prefer!r} is not the name of a device; expected 'cpu', 'cuda', 'cuda:1', 'mps' or None"
        ) from error
    if f"{device.type}:{device.index or 0}" not in available:
        names = ", ".join(name.removesuffix(":0") for name in available)
        raise RuntimeError(
            f"device {prefer!r} is not on this machine, which has: {names}. "
            "Use get_device() to take the best of them; environment_report() says why one is missing."
        )
    return device


def seed_everything(seed=0):
    """Seed the global random generators of Python, NumPy and, where it is installed, PyTorch.

    The same seed gives the same numbers again on the same machine with the same versions.
    Other systems, GPUs and versions may give others: see PyTorch's notes on reproducibility,
    https://docs.pytorch.org/docs/stable/notes/randomness.html

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, the range that NumPy accepts.

    Raises
    ------
    ValueError
        If `seed` is not such an integer.

    Examples
    --------
    >>> import torch
    >>> seed_everything(0)
    >>> first = torch.rand(3)
    >>> seed_everything(0)
    >>> torch.equal(first, torch.rand(3))
    True
    """
    import numpy as np

    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer from 0 to {2**32 - 1}, got {seed!r}")
    random.seed(seed)
    np.random.seed(seed)
    try:
        import torch
    except ImportError:
        return
    torch.manual_seed(seed)


def set_up():
    """Make a lesson ready: on Google Colab install what it lacks, elsewhere only look.

    Nothing that is installed is changed: pip gets every installed version as a constraint, so
    that no package that the notebook has loaded, or is about to load, is exchanged under it.

    Returns
    -------
    str
        One line that says what was done.

    Raises
    ------
    RuntimeError
        If something is missing on Colab and cannot be installed there.

    Examples
    --------
    >>> set_up()
    'All packages of the course are here.'
    """
    try:
        requirements = _requirements()
    except metadata.PackageNotFoundError:
        return f"{DISTRIBUTION} is not installed, only found: its packages were not checked."
    rows = [
        (requirement, name, found) for requirement, name, _, found, ok in requirements if not ok
    ]
    missing = {name: requirement for requirement, name, found in rows if found is None}
    old = [name for _, name, found in rows if found is not None]
    if not rows:
        return "All packages of the course are here."
    if "google.colab" not in sys.modules:
        return f"Missing or too old: {', '.join([*missing, *old])}. Lesson 1 shows how to fix that."
    if missing:
        _install(missing.values())
    done = f"Installed for this session: {', '.join(missing) or 'nothing'}."
    return done + (
        f" Older than the course expects, and left alone: {', '.join(old)}." if old else ""
    )


def _install(requirements):
    installed = {}
    for found in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", found.name or "").lower()  # as pip compares names
        if name and VERSION.fullmatch(found.version or ""):  # Debian's own are not always valid
            installed.setdefault(name, found.version)  # the first one found is the one imported
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "installed.txt")
        lines = [f"{name}=={version}" for name, version in installed.items()]
        constraints.write_text("\n".join(lines), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(constraints)]
        run = subprocess.run([*pip, *requirements], capture_output=True, text=True)
    importlib.invalidate_caches()
    if run.returncode:
        errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
        raise RuntimeError(
            f"cannot install {', '.join(requirements)}. Is there a network? pip says: {' '.join(errors)}"
        )


def environment_report():
    """Describe the machine and the packages, one line each, with the command that fixes each fault.

    Never raises: what cannot be found out is reported as such.

    Returns
    -------
    str
        Lines on Python, the system, the processor, memory, every package that the course
        needs (found, needed, what to do), the device, and a last line with the verdict.

    Examples
    --------
    >>> print(environment_report())  # doctest: +ELLIPSIS
    Python ...
    """
    package_lines, faults = _package_lines()
    device_lines = _device_lines()
    lines = [
        f"Python    {platform.python_version()}, {_python_environment()}",
        f"System    {platform.system()} {platform.release()}, {platform.machine()}",
        f"Processor {os.cpu_count()} cores, {_memory()} of memory",
        *package_lines,
        *device_lines,
    ]
    if device_lines[0].startswith(UNKNOWN) and "torch" not in faults:
        faults.append("torch")
    if faults:
        lines.append(
            f"To fix: {len(faults)} ({', '.join(faults)}); run the commands above, then restart the kernel."
        )
    else:
        lines.append("All packages are there and new enough.")
    return "\n".join(lines)


def _python_environment():
    prefix = Path(sys.prefix)
    if (prefix / "conda-meta").is_dir():
        return f"conda environment {prefix.name}"
    if sys.prefix != sys.base_prefix:
        return f"virtual environment {prefix.name}"
    return "the system's Python: better make an environment for the course, see its README"


def _memory():
    try:
        import psutil

        return f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    except Exception:
        return "an unknown amount"


def _package_lines():
    """Lines on the packages of the course, and the names of those at fault."""
    try:
        requirements = _requirements()
    except metadata.PackageNotFoundError:
        line = f"Packages  not checked: {DISTRIBUTION} is not installed. Run: pip install -e . in the course's folder"
        return [line], [DISTRIBUTION]
    lines, faults = [], []
    for requirement, name, needed, found, ok in requirements:
        if ok:
            lines.append(f"{name:33} {found:14} needed {needed:8} ok")
        else:
            faults.append(name)
            verdict = "too old" if found else "missing"
            lines.append(
                f'{name:33} {found or "-":14} needed {needed:8} {verdict}. Run: pip install --upgrade "{requirement}"'
            )
    return lines, faults


def _requirements():
    """(requirement, name, version needed, version found or None, good enough) of each package."""
    rows = []
    for requirement in metadata.requires(DISTRIBUTION):
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if not match:  # an extra's requirement, needed by the tests only
            continue
        name, needed = match.groups()
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = None
        ok = bool(found) and _release(found) >= _release(needed)
        rows.append((requirement, name, needed, found, ok))
    return rows


def _release(version):
    """The leading numbers of a version: '2.14.1+cpu' gives (2, 14, 1).

    Examples
    --------
    >>> _release("2.14.1+cpu") >= _release("2.9")
    True
    """
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version).group().split("."))


def _device_lines():
    try:
        import torch
    except Exception as error:  # a broken installation raises OSError, AttributeError and others
        return [
            f"{UNKNOWN} PyTorch cannot be imported ({type(error).__name__}: {error})",
            "          Run: pip install --force-reinstall torch torchvision",
        ]
    try:
        return _torch_lines(torch)
    except Exception as error:
        return [f"{UNKNOWN} PyTorch cannot be asked ({type(error).__name__}: {error})"]


def _torch_lines(torch):
    lines = [f"PyTorch   {torch.__version__}, built for {_build(torch)}"]
    wheel, driver = torch.version.cuda, _driver_cuda_version()
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            gpu = torch.cuda.get_device_properties(index)
            lines.append(
                f"Device    cuda:{index}, {gpu.name}, {gpu.total_memory / 2**30:.1f} GiB, "
                f"compute capability {gpu.major}.{gpu.minor}"
            )
    elif torch.backends.mps.is_available():
        lines.append("Device    mps, the GPU of this Apple computer")
    else:
        lines.append("Device    cpu. Every lesson runs on it.")
    if driver:
        lines.append(f"Driver    NVIDIA, supports CUDA up to {driver[0]}.{driver[1]}")
        if wheel is None:
            lines.append(
                "          There is an NVIDIA driver, but this PyTorch is built without CUDA."
            )
            lines.append(
                "          Choose a CUDA wheel at https://pytorch.org/get-started/locally/"
            )
        elif driver[0] < int(wheel.partition(".")[0]):
            lines.append(
                f"          The driver is too old for CUDA {wheel}: update it, or choose a wheel for"
            )
            lines.append(f"          CUDA {driver[0]} at https://pytorch.org/get-started/locally/")
        elif not torch.cuda.is_available():
            lines.append(
                "          The driver is new enough, but no GPU answers: see what nvidia-smi says."
            )
    return lines


def _build(torch):
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda}"
    if torch.version.hip:
        return f"ROCm {torch.version.hip}"
    return "the CPU"


def _driver_cuda_version():
    """The newest CUDA version that the NVIDIA driver supports, as (major, minor), or None.

    Drivers run wheels built for any minor version of their major version:
    https://docs.nvidia.com/deploy/cuda-compatibility/
    """
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        version = ctypes.c_int()
        if driver.cuDriverGetVersion(ctypes.byref(version)) != 0:
            return None
    except (OSError, AttributeError):
        return None
    return version.value // 1000, version.value % 1000 // 10
