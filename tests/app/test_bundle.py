"""The offline bundle: made from this tree, it installs without a network and runs; what is damaged, forged or for another machine is refused."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench.program import free_port
from citybrain.app.bundle import bundle, runtime_lock
from citybrain.kernel.errors import BadInputError

TREE = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"
"""Where every proxy is said to be: nothing listens there, so that whatever asks the network fails at once."""


def pem(folder: Path, name: str) -> Path:
    """A new key pair: the private key's file, the public one beside it as ``.pub``."""
    key = Ed25519PrivateKey.generate()
    private = folder / name
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.with_suffix(".pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pem(tmp_path_factory.mktemp("key"), "publisher.pem")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Iterator[Path]:
    """The bundle of this tree, as it lies on the machine it was carried to."""
    folder = tmp_path_factory.mktemp("bundle")
    made = bundle(TREE, folder / "out", key)
    subprocess.run(["tar", "-xf", str(made), "-C", str(folder)], check=True)
    yield folder / made.stem
    shutil.rmtree(folder)


@pytest.fixture
def copied(unpacked: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt: files are linked, so replace one and never write into it."""
    return Path(shutil.copytree(unpacked, tmp_path / "copy", copy_function=os.link))


def install(folder: Path, target: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the installer as its user would, every way to a network barred."""
    barred = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), NOWHERE)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))}
    environment = {**clean, **barred, "PIP_CONFIG_FILE": os.devnull, "PYTHON": sys.executable, **more}
    command = ["sh", str(folder / "install.sh"), str(target)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_installs_without_a_network_and_what_was_installed_begins_a_district_and_serves(
    unpacked: Path, key: Path, tmp_path: Path
) -> None:
    target = tmp_path / "city"
    done = install(unpacked, target, PUBLIC_KEY=str(key.with_suffix(".pub")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the signature is right" in done.stdout
    program = str(target / ".venv" / "bin" / "citybrain")
    began = subprocess.run([program, "init", "--district", "120104"], cwd=target, capture_output=True, text=True, check=False)
    assert began.returncode == 0, began.stderr
    assert "admin / City-" in began.stdout
    port = free_port()
    serve = [program, "--config", "citybrain.toml", "serve", "--port", str(port), "--mqtt-port", "0", "--hosts", "127.0.0.1"]
    with subprocess.Popen(serve, cwd=target, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as served:
        try:
            assert "城区大脑" in asked(f"http://127.0.0.1:{port}/")
            assert len(asked(f"http://127.0.0.1:{port}/static/build/manifest.json")) > 100
        finally:
            served.terminate()
    again = install(unpacked, target)
    assert (again.returncode, "installed already" in again.stderr) == (1, True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_is_damaged_forged_or_for_another_machine_is_refused_and_nothing_is_installed(
    copied: Path, key: Path, tmp_path: Path
) -> None:
    stranger = pem(tmp_path, "stranger.pem").with_suffix(".pub")
    target = tmp_path / "city"

    forged = install(copied, target, PUBLIC_KEY=str(stranger))
    spoil(next((copied / "wheels").glob("msgspec-*.whl")))
    damaged = install(copied, target, PUBLIC_KEY=str(key.with_suffix(".pub")))

    assert (forged.returncode, "The signature is wrong" in forged.stderr) == (1, True)
    assert (damaged.returncode, "Nothing was installed" in damaged.stderr) == (1, True)
    assert "msgspec" in damaged.stdout + damaged.stderr
    assert not target.exists()


def spoil(file: Path) -> None:
    """Put a file in its place that differs in one byte."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()
    file.write_bytes(content)


def asked(address: str) -> str:
    """What an address answers, waited for."""
    until = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < until, address
            time.sleep(0.3)


def test_what_only_builds_the_front_end_is_left_out_of_the_lock_and_the_hashes_of_the_rest_stay() -> None:
    lock = "a==1 \\\n    --hash=sha256:1\n    # via x\nnodejs-wheel-binaries==24 \\\n    --hash=sha256:2\nz==3 \\\n    --hash=sha256:3\n"
    assert runtime_lock(lock) == "a==1 \\\n    --hash=sha256:1\n    # via x\nz==3 \\\n    --hash=sha256:3\n"


def test_outside_a_source_tree_or_with_a_key_that_is_none_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="root of the source tree"):
        bundle(tmp_path, tmp_path / "out")
    (tmp_path / "key").write_text("no key", encoding="ascii")
    with pytest.raises(BadInputError, match="no Ed25519 private key"):
        bundle(TREE, tmp_path / "out", tmp_path / "key")
    assert not (tmp_path / "out").exists()
