"""Decoders are ready before threads share them: without that, first uses at the same moment end the process."""

import subprocess
import sys

import pytest

_RACE = """
import sys, threading
import msgspec
from citybrain.app import commands, decoding

kinds = decoding.ready()
assert len(kinds) > 200
sys.setswitchinterval(1e-6)

def decode(kind, body, together):
    together.wait()
    for _ in range(3):
        try:
            msgspec.json.decode(body, type=kind)
        except msgspec.ValidationError:
            pass

for kind in kinds:
    body = msgspec.json.encode(dict.fromkeys(kind.__struct_encode_fields__))
    together = threading.Barrier(3)
    threads = [threading.Thread(target=decode, args=(kind, body, together)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.slow
def test_threads_decode_each_type_at_the_same_moment() -> None:
    ended = subprocess.run([sys.executable, "-c", _RACE], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
