"""Settings: the file, above it the environment, above it the flags; what does not fit is named."""

from pathlib import Path

import pytest

from citybrain.app.settings import Settings, load
from citybrain.kernel.errors import BadInputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "citybrain.toml"
    path.write_text(
        'port = 8001\nstate = "kept"\n[footer]\nhost = "示范区数据局"\n[map]\napproval_number = "GS(2026)1号"\n', "utf-8"
    )
    return path


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    found = load(tmp_path / "none.toml")
    assert found == Settings()
    assert (found.port, found.state, found.hosts, found.map.approval_number) == (8000, "var", ("127.0.0.1", "::1"), "")


def test_a_flag_beats_the_environment_and_the_environment_beats_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(file).port == 8001
    monkeypatch.setenv("CITYBRAIN_PORT", "8002")
    assert load(file).port == 8002
    assert load(file, {"port": 8003}).port == 8003
    assert load(file, {"port": None}).port == 8002
    assert load(file).state == "kept"
    assert load(file).footer.host == "示范区数据局"


def test_lists_numbers_and_switches_are_read_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_HOSTS", "0.0.0.0,::")
    monkeypatch.setenv("CITYBRAIN_SECURE_COOKIES", "true")
    monkeypatch.setenv("CITYBRAIN_LOW_WATER", "7")
    found = load(tmp_path / "none.toml")
    assert (found.hosts, found.secure_cookies, found.low_water) == (("0.0.0.0", "::"), True, 7)  # noqa: S104 - read, not listened on


def test_a_secret_is_read_from_the_file_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "address").write_text("postgresql+psycopg://city:secret@db/city\n", "utf-8")
    monkeypatch.setenv("CITYBRAIN_DATABASE_FILE", str(tmp_path / "address"))
    assert load(tmp_path / "none.toml").database == "postgresql+psycopg://city:secret@db/city"


PLAIN = {"bus": "nats://b:4222", "ingest_at": "grpc://i:8815", "worker_at": "grpc://w:8816"}
SEALED = {"bus": "tls://b:4222", "ingest_at": "grpc+tls://i:8815", "worker_at": "grpc+tls://w:8816"}
PAPERS = {"links_ca": "ca.pem", "links_cert": "own.pem", "links_key": "own.key"}
OTHERS = {"database": "postgresql://d/c", "secret": "s", "shared": "/srv"}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (SEALED | {"role": "api"}, ["links_ca"]),
        (SEALED | {"role": "ingest", "links_ca": "ca.pem"}, ["links_cert", "links_key"]),
        (SEALED | {"role": "worker", "links_ca": "ca.pem", "links_cert": "own.pem"}, ["links_key"]),
        (SEALED | {"role": "api", "links_ca": "ca.pem", "links_key": "own.key"}, ["links_cert"]),
        (SEALED | {"role": "api", "links_ca": "ca.pem", "links_mutual": True}, ["links_cert", "links_key"]),
        (SEALED | PAPERS | {"role": "api", "worker_at": "grpc://w:8816"}, ["worker_at"]),
        (PLAIN | {"role": "api", "bus": "tls://b:4222"}, ["ingest_at", "worker_at"]),
        (PLAIN | PAPERS | {"role": "api"}, ["bus", "ingest_at", "worker_at"]),
        (PLAIN | {"role": "all", "links_mutual": True}, ["bus", "ingest_at", "worker_at"]),
    ],
)
def test_links_that_are_half_encrypted_are_refused_with_what_is_missing(
    tmp_path: Path, given: dict[str, object], missing: list[str]
) -> None:
    with pytest.raises(BadInputError) as caught:
        load(tmp_path / "none.toml", OTHERS | given)
    assert caught.value.fields["settings"] == missing
    assert all(name in caught.value.what.zh and name in caught.value.what.en for name in missing)


@pytest.mark.parametrize(
    "given", [PLAIN, SEALED | PAPERS, SEALED | PAPERS | {"links_mutual": True}, SEALED | {"role": "api", "links_ca": "ca.pem"}]
)
def test_links_are_encrypted_or_not(tmp_path: Path, given: dict[str, object]) -> None:
    for role in ("all", "api"):
        assert load(tmp_path / "none.toml", OTHERS | given | {"role": role}).sealed == (given["bus"] == "tls://b:4222")


@pytest.mark.parametrize(
    ("words", "named"),
    [("prot = 8000", "prot"), ('port = "eight"', "$.port"), ('suite = "rot13"', "$.suite"), ("[footer]\nhosst = 1", "hosst")],
)
def test_a_setting_that_does_not_fit_is_named(tmp_path: Path, words: str, named: str) -> None:
    file = tmp_path / "citybrain.toml"
    file.write_text(words, "utf-8")
    with pytest.raises(BadInputError) as caught:
        load(file)
    assert named in caught.value.what.zh
    assert "docs/reference/settings.md" in caught.value.what.en


def test_a_file_that_is_no_toml_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "citybrain.toml"
    file.write_text("port = \n", "utf-8")
    with pytest.raises(BadInputError) as caught:
        load(file)
    assert "citybrain.toml" in caught.value.what.zh


def test_a_role_needs_all_that_ties_it_to_the_others_and_says_what_is_missing(tmp_path: Path) -> None:
    given = {"role": "api", "database": "postgresql://db/city", "bus": "nats://bus:4222", "secret": "s", "shared": "/srv/shared"}
    with pytest.raises(BadInputError, match="ingest_at, worker_at") as met:
        load(tmp_path / "none.toml", given)
    assert met.value.fields["settings"] == ["ingest_at", "worker_at"]
    assert load(tmp_path / "none.toml", given | {"ingest_at": "grpc://a:1", "worker_at": "grpc://b:1"}).role == "api"
    assert load(tmp_path / "none.toml").role == "all"
