"""What this machine can do: packages, cores, the device to compute on, and seeds.

`environment_report` must work where something is missing or broken, so nothing is imported
at the top but the standard library.
"""

import ctypes
import importlib.util
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections import namedtuple
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "pytorch-sklearn-course"
EXTRAS = ("lessons", "serve")  # of pyproject.toml: what the lessons need
UNKNOWN = "Device    unknown:"
CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"

Package = namedtuple("Package", "requirement name needed found ok")


def get_device(prefer=None):
    """Choose the device to compute on.

    Parameters
    ----------
    prefer : str or None
        A PyTorch device such as `"cpu"`, `"cuda"`, `"cuda:1"` or `"mps"`; a ValueError if it is no
        such name, a RuntimeError if it is not here. `None` takes the first that is here: an
        NVIDIA GPU (`cuda`), an Apple GPU (`mps`), the CPU.

    Returns
    -------
    torch.device

    Examples
    --------
    >>> get_device("cpu")
    device(type='cpu')
    """
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = ["mps:0"] if torch.backends.mps.is_available() else []
    available = [*(f"cuda:{index}" for index in range(n_gpus)), *mps, "cpu:0"]
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

    The same seed gives the same numbers again on the same machine with the same versions; others
    may give others: https://docs.pytorch.org/docs/stable/notes/randomness.html

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, the range that NumPy accepts; anything else is a ValueError.

    Examples
    --------
    >>> seed_everything(0)
    >>> first = random.random()
    >>> seed_everything(0)
    >>> first == random.random()
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
    """Make a lesson ready: check its packages, and take no more threads than there are cores.

    On Google Colab, what is missing is installed. Nothing that is installed is changed: pip gets
    every installed version as a constraint, so that nothing is exchanged under the notebook.

    Returns
    -------
    str
        One line on what was found and done. If Colab cannot install something: a RuntimeError.

    Examples
    --------
    >>> print(set_up())
    All packages of the course are here.
    """
    return _check_packages() + _limit_threads()


def _check_packages():
    try:
        packages = [package for package in _requirements() if not package.ok]
    except ImportError as error:  # also PackageNotFoundError
        return f"The packages were not checked: {error.name.partition('.')[0]} is not installed."
    missing = {package.name: package.requirement for package in packages if not package.found}
    old = ", ".join(package.name for package in packages if package.found)
    if not packages:
        return "All packages of the course are here."
    if "google.colab" not in sys.modules:
        names = ", ".join(package.name for package in packages)
        return f"Missing or too old: {names}. Lesson 1 shows how to fix that."
    if missing:
        _install(missing.values())
    done = f"Installed for this session: {', '.join(missing) or 'nothing'}."
    return done + (f" Older than the course expects, and left alone: {old}." if old else "")


def _limit_threads():
    """Where a container or a scheduler gives fewer cores than the machine has, use only those."""
    if "OMP_NUM_THREADS" in os.environ or not importlib.util.find_spec("joblib"):
        return ""
    cores = importlib.import_module("joblib").cpu_count()  # knows quotas and affinity
    if cores >= os.cpu_count():
        return ""
    os.environ["OMP_NUM_THREADS"] = str(cores)
    if "torch" in sys.modules and sys.modules["torch"].get_num_threads() > cores:
        sys.modules["torch"].set_num_threads(cores)
    return f" Threads are limited to the cores given: {cores} of {os.cpu_count()}."


def _install(requirements):
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    installed = {}
    for found in metadata.distributions():
        try:
            Version(found.version or "")
        except InvalidVersion:  # pip refuses some of Debian's own
            continue
        if found.name:  # the first one found is the one imported
            installed.setdefault(canonicalize_name(found.name), found.version)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "installed.txt")
        file.write_text("\n".join(f"{k}=={v}" for k, v in installed.items()), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(file)]
        run = subprocess.run([*pip, *requirements], capture_output=True, text=True)
    importlib.invalidate_caches()
    if run.returncode:
        errors = " ".join(line for line in run.stderr.splitlines() if line.startswith("ERROR"))
        wanted = ", ".join(requirements)
        raise RuntimeError(f"cannot install {wanted}. Is there a network? pip says: {errors}")


def environment_report():
    """Describe the machine and the packages, with the command that fixes each fault.

    Returns
    -------
    str
        Lines on Python, the system, the cores that this process may use, memory in GiB, every
        package that the course needs (found, needed, what to do), the device, and the verdict.
        What cannot be found out is reported as such; nothing is raised.

    Examples
    --------
    >>> print(environment_report())  # doctest: +ELLIPSIS
    Python ...
    """
    package_lines, faults = _package_lines()
    device_lines = _device_lines()
    if device_lines[0].startswith(UNKNOWN) and "torch" not in faults:
        faults.append("torch")
    verdict = "All packages are there and new enough."
    if faults:
        verdict = (
            f"To fix: {len(faults)} ({', '.join(faults)}); run the commands above in the folder of "
        )
        verdict += "the course, then restart the kernel."
    return "\n".join([*_machine_lines(), *package_lines, *device_lines, verdict])


def _machine_lines():
    prefix = Path(sys.prefix)
    kind = "the system's Python: better make an environment for the course, see its README"
    if sys.prefix != sys.base_prefix or (prefix / "conda-meta").is_dir():
        kind = f"environment {prefix.name}"
    try:
        from joblib import cpu_count
        from psutil import virtual_memory

        hardware = f"{cpu_count()} cores, {virtual_memory().total / 2**30:.0f} GiB of memory"
    except Exception:
        hardware = f"{os.cpu_count()} cores, an unknown amount of memory"
    yield f"Python    {platform.python_version()}, {kind}"
    yield f"System    {platform.system()} {platform.release()}, {platform.machine()}"
    yield f"Processor {hardware}"


def _pip_install(what):
    return f"Run: pip install {'-c constraints.txt ' if CONSTRAINTS.is_file() else ''}{what}"


def _package_lines():
    """Lines on the packages of the course, and the names of those at fault."""
    try:
        packages = _requirements()
    except ImportError as error:  # also PackageNotFoundError
        name = error.name.partition(".")[0]
        fix = _pip_install('-e ".[lab]"' if name == DISTRIBUTION else name)
        return [f"Packages  not checked: {name} is not installed. {fix}"], [name]
    lines = []
    for requirement, name, needed, found, ok in packages:
        fault = f"{'too old' if found else 'missing'}. " + _pip_install(
            f'--upgrade "{requirement}"'
        )
        lines.append(f"{name:33} {found or '-':14} needed {needed:8} {'ok' if ok else fault}")
    return lines, [package.name for package in packages if not package.ok]


def _requirements():
    """A `Package` for each that the course asks for; ImportError, with a name, if it cannot tell."""
    from packaging.requirements import Requirement

    packages = []
    for requirement in map(Requirement, metadata.requires(DISTRIBUTION)):
        name, specifier = requirement.name, requirement.specifier
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in EXTRAS):
            continue  # needed by the tests only
        if name == DISTRIBUTION:
            continue  # one extra that includes another
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = None
        ok = bool(found) and specifier.contains(found, prereleases=True)
        needed = str(specifier).removeprefix(">=")
        packages.append(Package(f"{name}{specifier}", name, needed, found, ok))
    return packages


def _device_lines():
    step = "imported"
    try:
        import torch

        step = "asked"
        return _torch_lines(torch)
    except Exception as error:  # a broken installation raises OSError, AttributeError and others
        reason = f"{UNKNOWN} PyTorch cannot be {step} ({type(error).__name__}: {error})"
        return [reason, f"{'':10}{_pip_install('--force-reinstall torch torchvision')}"]


def _torch_lines(torch):
    wheel, driver = torch.version.cuda, _driver_cuda_version()
    builds = {"CUDA": wheel, "ROCm": torch.version.hip, "the": "CPU"}
    build = next(f"{kind} {version}" for kind, version in builds.items() if version)
    lines = [f"PyTorch   {torch.__version__}, built for {build}"]
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            gpu = torch.cuda.get_device_properties(index)
            memory = f"{gpu.total_memory / 2**30:.1f} GiB"
            capability = f"compute capability {gpu.major}.{gpu.minor}"
            lines.append(f"Device    cuda:{index}, {gpu.name}, {memory}, {capability}")
    elif torch.backends.mps.is_available():
        lines.append("Device    mps, the GPU of this Apple computer")
    else:
        lines.append("Device    cpu. Every lesson runs on it.")
    if driver is None:
        return lines
    lines.append(f"Driver    NVIDIA, supports CUDA up to {driver[0]}.{driver[1]}")
    choose = "at https://pytorch.org/get-started/locally/"
    if wheel is None:
        lines.append(f"{'':10}This PyTorch is built without CUDA: choose a CUDA wheel {choose}")
    elif driver[0] < int(wheel.partition(".")[0]):
        lines.append(f"{'':10}It is too old for CUDA {wheel}: update it, or choose a wheel")
        lines.append(f"{'':10}for CUDA {driver[0]} {choose}")
    elif not torch.cuda.is_available():
        lines.append(f"{'':10}It is new enough, but no GPU answers: see what nvidia-smi says.")
    return lines


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
