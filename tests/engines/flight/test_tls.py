"""Calls between processes over TLS: both sides see whom they speak with, or nothing is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from citybrain.engines.flight import Answers, Calls, plain
from citybrain.engines.tls import Papers
from citybrain.kernel.errors import BusyError
from tests.certificates import Authority

SECRET = "one that both know"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "other", "stranger")


@contextmanager
def answering(papers: Papers | None) -> Iterator[int]:
    """The port of a process that says where it is."""
    address = f"grpc{'' if papers is None else '+tls'}://127.0.0.1:0"
    with Answers(address, SECRET, {"where": lambda _: plain("here")}, papers) as answers:
        yield answers.port


def asked(port: int, papers: Papers | None) -> object:
    calls = Calls(f"grpc{'' if papers is None else '+tls'}://127.0.0.1:{port}", SECRET, 5.0, papers)
    try:
        return calls.plain("where")
    finally:
        calls.close()


def test_who_trusts_the_authority_is_answered_and_nobody_else(authority: Authority, stranger: Authority) -> None:
    own = authority.issue("ingest")
    with answering(authority.papers(own)) as port:
        assert asked(port, authority.papers()) == "here"
        assert asked(port, authority.papers(authority.issue("api"))) == "here"
        with pytest.raises(BusyError, match="both certificates hold and bear its name"):
            asked(port, stranger.papers())
        with pytest.raises(BusyError):
            asked(port, None)


def test_a_certificate_for_another_address_is_not_believed(authority: Authority) -> None:
    with answering(authority.papers(authority.issue("elsewhere", "127.0.0.2"))) as port, pytest.raises(BusyError):
        asked(port, authority.papers())


def test_where_papers_are_mutual_a_caller_without_them_is_not_heard(authority: Authority, stranger: Authority) -> None:
    with answering(authority.papers(authority.issue("ingest"), mutual=True)) as port:
        assert asked(port, authority.papers(authority.issue("api"))) == "here"
        with pytest.raises(BusyError):
            asked(port, authority.papers())
        forged = stranger.issue("api")
        with pytest.raises(BusyError):
            asked(port, authority.papers(forged))


def test_a_caller_that_wants_tls_does_not_speak_to_a_process_without_it(authority: Authority) -> None:
    with answering(None) as port, pytest.raises(BusyError):
        asked(port, authority.papers())
