"""Merkle tree hashes (RFC 6962 section 2.1): leaves 0x00, nodes 0x01, SHA-256."""

import hashlib
from collections.abc import Sequence


def leaf(entry: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree head over leaf hashes; the hash of nothing for an empty tree."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:middle]), root(leaves[middle:]))


def path(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The audit path of a leaf, from the leaf up (RFC 6962 section 2.1.1)."""
    if len(leaves) == 1:
        return ()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return (*path(index, leaves[:middle]), root(leaves[middle:]))
    return (*path(index - middle, leaves[middle:]), root(leaves[:middle]))


def included(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes) -> bool:
    """Whether a leaf at an index belongs to the tree of a size with this head (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or len(leaf_hash) != hashlib.sha256().digest_size:
        return False
    here, last, running = index, size - 1, leaf_hash
    for step in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            running = node(step, running)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            running = node(running, step)
        here, last = here >> 1, last >> 1
    return last == 0 and running == head
