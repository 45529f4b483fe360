"""Papers for encrypted links: what does not fit is named before anything listens."""

from pathlib import Path

import pytest

from citybrain.engines.tls import read_papers
from citybrain.kernel.errors import BadInputError
from tests.certificates import Authority


def test_papers_are_read_with_and_without_a_certificate_of_ones_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("one")
    alone, shown = authority.papers(), authority.papers(own, mutual=True)
    assert (alone.ca, alone.certificate, alone.key, alone.mutual) == (authority.file.read_text(), "", "", False)
    assert (shown.certificate, shown.key, shown.mutual) == (own.certificate.read_text(), own.key.read_text(), True)


def test_a_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own, other, locked = authority.issue("own"), authority.issue("other"), authority.issue("locked", password=b"word")
    ca, empty = str(authority.file), tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(BadInputError, match=r"links_ca, .*none\.pem, cannot be used: No such file"):
        read_papers(str(tmp_path / "none.pem"), "", "")
    with pytest.raises(BadInputError, match=r"links_ca, .*empty\.pem"):
        read_papers(str(empty), "", "")
    for certificate, key in ((own.certificate, other.key), (own.certificate, locked.key), (empty, own.key), (own.key, own.key)):
        with pytest.raises(BadInputError, match=r"links_cert, links_key, .*PEM without a password"):
            read_papers(ca, str(certificate), str(key))
