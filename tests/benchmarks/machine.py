"""What a figure was measured on."""

import os
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = [
    "datatrove",
    "fastwarc",
    "numba",
    "numpy",
    "py3langid",
    "pyarrow",
    "resiliparse",
    "spacy",
    "torch",
    "trafilatura",
    "warcio",
]


def describe() -> dict[str, str]:
    """Processor, cores, memory, system, load and versions."""
    return {
        "processor": f"{_from_proc('cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": f"{_gibibytes()} GiB",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def _from_proc(file: str, key: str) -> str:
    path = Path("/proc") / file
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith(key)]
    return found[0] if found else platform.processor() or platform.machine()


def _gibibytes() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"
