"""Merkle trees, against RFC 6962 trees computed by hand and the vectors of transparency-dev where present."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.merkle import included, leaf, node, path, root

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ENTRIES = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))]
HEADS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Tree heads of the well-known test entries of the certificate transparency code."""


def judges() -> Path:
    """Where outside judges lie, when they do: a folder named by CITYBRAIN_JUDGES, or the shared folder beside the tree."""
    beside = Path(__file__).parents[3] / "shared" / "data" / "judges"
    return Path(os.environ.get("CITYBRAIN_JUDGES", str(beside))) / "merkle-rfc6962" / "inclusion"


class Vector(msgspec.Struct, frozen=True, rename="camel"):
    leaf_idx: int
    tree_size: int
    root: bytes | None
    leaf_hash: bytes | None
    proof: list[bytes] | None
    want_err: bool
    desc: str


VECTORS = sorted(judges().rglob("*.json"))


def test_the_head_of_nothing_is_the_hash_of_nothing() -> None:
    assert root([]).hex() == EMPTY == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("size", sorted(HEADS))
def test_known_tree_heads(size: int) -> None:
    assert root([leaf(entry) for entry in ENTRIES[:size]]).hex() == HEADS[size]


@given(st.integers(1, 40), st.data())
def test_every_leaf_is_proved_by_its_path_and_by_no_other(size: int, data: st.DataObject) -> None:
    leaves = [leaf(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = path(index, leaves)

    assert included(leaves[index], index, size, proof, root(leaves))
    assert not included(leaf(b"another"), index, size, proof, root(leaves))
    assert not included(leaves[index], index, size, (*proof, leaves[0]), root(leaves))
    assert not included(leaves[index], size, size, proof, root(leaves))
    assert not included(leaves[index], -1, size, proof, root(leaves))
    if proof:
        assert not included(leaves[index], index, size, proof[:-1], root(leaves))


def test_a_leaf_is_never_taken_for_a_node() -> None:
    left, right = leaf(b"a"), leaf(b"b")

    assert node(left, right) != leaf(left + right)


@pytest.mark.skipif(not VECTORS, reason="CITYBRAIN_JUDGES names no folder with merkle-rfc6962/inclusion")
def test_the_verdict_of_every_outside_vector() -> None:
    wrong = []
    for file in VECTORS:
        vector = msgspec.json.decode(file.read_bytes(), type=Vector)
        verdict = included(vector.leaf_hash or b"", vector.leaf_idx, vector.tree_size, vector.proof or [], vector.root or b"")
        if verdict == vector.want_err:
            wrong.append(f"{file.parent.name}/{file.name}")
    assert wrong == []
