"""Files of public data sets: where they are looked for, and how they are downloaded, from a real server."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from llmopt.errors import InvalidInput
from llmopt.llm.download import SourceError
from llmopt.problems.prompt.data.public import PublicFile, Source, fetch, locate

CONTENTS = {"bbh/one.json": b"first " * 999, "gsm8k/train.jsonl": b"second", "gsm8k/test.jsonl": b"third"}
FILES = {path: PublicFile(path, len(c), hashlib.sha256(c).hexdigest()) for path, c in CONTENTS.items()}
ONE = FILES["bbh/one.json"]
PAIR = [FILES["gsm8k/train.jsonl"], FILES["gsm8k/test.jsonl"]]


def fill(folder: Path, *paths: str) -> Path:
    for path in paths or CONTENTS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(CONTENTS[path])
    return folder


class Home:
    """The public home of the files: a folder, and the requests for what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        outer = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *args: object) -> None:
                super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

            def log_request(self, *args: object) -> None:
                outer.requests.append(self.path)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        url = f"http://127.0.0.1:{self.http.server_port}"
        self.source = Source(gsm8k=f"{url}/gsm8k", bbh=f"{url}/bbh/")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(fill(tmp_path / "home"))
    thread = threading.Thread(target=home.http.serve_forever, args=(0.01,))
    thread.start()
    yield home
    home.http.shutdown()
    thread.join()
    home.http.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LLMOPT_DATA", raising=False)
    return tmp_path / "cache" / "data"


def test_a_file_is_downloaded_once_and_then_found_in_the_cache(home: Home, cache: Path) -> None:
    for _ in range(2):
        assert fetch(ONE, home.source) == cache / "bbh" / "one.json"
        assert (cache / "bbh" / "one.json").read_bytes() == CONTENTS["bbh/one.json"]
    assert home.requests == ["/bbh/one.json"]


def test_nothing_unfinished_stays_beside_it(home: Home, cache: Path) -> None:
    fetch(ONE, home.source)
    assert not [path.name for path in cache.rglob("*") if "download" in path.name]


def test_those_who_want_it_at_once_download_it_once(home: Home) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: fetch(ONE, home.source), range(8)))
    assert len(set(paths)) == 1
    assert home.requests == ["/bbh/one.json"]


def test_what_was_damaged_in_the_cache_is_downloaded_again(home: Home, cache: Path) -> None:
    fetch(ONE, home.source)
    (cache / "bbh" / "one.json").write_bytes(CONTENTS["bbh/one.json"].upper())
    assert fetch(ONE, home.source).read_bytes() == CONTENTS["bbh/one.json"]


def test_another_file_of_the_same_size_is_refused_and_not_kept(home: Home, cache: Path) -> None:
    (home.folder / "bbh" / "one.json").write_bytes(CONTENTS["bbh/one.json"].upper())
    with pytest.raises(SourceError, match=rf"one\.json is another file \(SHA-256 .*, not {ONE.sha256}\).*LLMOPT_DATA"):
        fetch(ONE, home.source)
    assert [path.name for path in cache.rglob("*.json*") if path.suffix != ".lock"] == []


def test_a_file_of_another_size_is_refused_and_not_kept(home: Home, cache: Path) -> None:
    (home.folder / "bbh" / "one.json").write_bytes(b"first")
    with pytest.raises(SourceError, match="has 5 bytes, not"):
        fetch(ONE, home.source)
    assert [path.name for path in cache.rglob("*.json*") if path.suffix != ".lock"] == []


def test_a_file_that_is_gone_names_its_address(home: Home) -> None:
    (home.folder / "bbh" / "one.json").unlink()
    with pytest.raises(SourceError, match=r"cannot download http://127.*/bbh/one\.json: the server answered 404"):
        fetch(ONE, home.source)


def test_without_a_network_the_address_and_the_other_ways_are_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/bbh"
    with pytest.raises(SourceError, match=rf"{url}/one\.json: cannot be reached.*data=FOLDER or LLMOPT_DATA"):
        fetch(ONE, Source(bbh=url))


def test_a_cache_that_cannot_be_written_is_one_clear_error(home: Home, cache: Path) -> None:
    cache.parent.write_text("a file, not a folder")
    with pytest.raises(InvalidInput, match="set LLMOPT_CACHE to another folder"):
        fetch(ONE, home.source)


def test_a_folder_that_is_given_comes_before_all_others(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, named = fill(tmp_path / "given"), fill(tmp_path / "named")
    monkeypatch.setenv("LLMOPT_DATA", str(named))
    assert locate([ONE], given, home.source) == [given / "bbh" / "one.json"]
    assert locate([ONE], None, home.source) == [named / "bbh" / "one.json"]
    monkeypatch.setenv("LLMOPT_DATA", "")
    assert home.requests == []
    locate([ONE], None, home.source)
    assert home.requests == ["/bbh/one.json"]


def test_the_folder_of_one_collection_and_a_file_are_enough(tmp_path: Path) -> None:
    assert locate(PAIR, fill(tmp_path) / "gsm8k") == [tmp_path / file.path for file in PAIR]
    assert locate([ONE], tmp_path / "gsm8k" / "test.jsonl") == [tmp_path / "gsm8k" / "test.jsonl"]


def test_the_files_of_a_data_set_come_from_one_place(
    home: Home, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of it from elsewhere could be half of another version.
    monkeypatch.setenv("LLMOPT_DATA", str(fill(tmp_path / "named", "gsm8k/train.jsonl")))
    assert locate(PAIR, None, home.source) == [cache / file.path for file in PAIR]


def test_a_file_that_only_has_the_same_name_is_not_taken_from_the_folder_of_data_sets(
    home: Home, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMOPT_DATA", str(tmp_path))
    (tmp_path / "one.json").write_text("something of the user's")
    assert locate([ONE], None, home.source) == [cache / "bbh" / "one.json"]


def test_a_folder_without_the_files_is_an_error_not_a_download(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "given", "gsm8k/train.jsonl")
    with pytest.raises(InvalidInput, match=r"does not hold gsm8k/train\.jsonl and gsm8k/test\.jsonl"):
        locate(PAIR, tmp_path / "given", home.source)
    with pytest.raises(InvalidInput, match="there is no such file or folder"):
        locate(PAIR, tmp_path / "nowhere", home.source)
    monkeypatch.setenv("LLMOPT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput, match=r"LLMOPT_DATA=.*no such folder"):
        locate(PAIR, None, home.source)
    assert home.requests == []
