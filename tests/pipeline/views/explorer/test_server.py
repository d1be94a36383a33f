"""The page as it is served: who is let in, what is sent, what a question in SQL may do."""

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Render
from pipeline.query.answer import answer
from pipeline.views.explorer.server import PageServer
from tests.pipeline.views.explorer.made import CLIPS, SOURCES


@pytest.fixture(scope="module")
def server(corpus: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with PageServer(corpus, tmp_path_factory.mktemp("served")) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def ask(
    server: PageServer, name: str, method: str = "GET", body: Any = None, secret: str | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=60)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else json.dumps(body)
    connection.request(method, f"/{server.secret if secret is None else secret}/{name}", content, sent)
    answered = connection.getresponse()
    return answered.status, answered.headers, answered.read()


def query(server: PageServer, text: str, **headers: str) -> Any:
    status, _, content = ask(server, "sql", "POST", {"query": text}, **{"Content_Type": "application/json", **headers})
    return json.loads(content) if status == 200 else status


def test_the_page_and_its_files_are_there(server: PageServer) -> None:
    status, headers, content = ask(server, "")
    assert status == 200
    assert content.startswith(b"<!doctype html>")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    for name in ("data/catalogue.js", "data/clips/0/3.js", "data/losses.js", "sprites/0.jpg"):
        assert ask(server, name)[0] == 200, name
    assert ask(server, "sprites/0.jpg")[2] == ask(server, "sprites/0.jpg")[2]


def test_only_who_knows_the_secret_is_let_in(server: PageServer) -> None:
    for secret in ("", "x", server.secret[:-1], server.secret + "x"):
        assert ask(server, "index.html", secret=secret)[0] == 404
    assert len(server.secret) >= 20


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_name_that_points_here_is_none_of_ours(server: PageServer, host: str) -> None:
    assert ask(server, "data/catalogue.js", Host=host)[0] == 421


def test_it_listens_to_this_machine_alone(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_no_name_leads_to_a_file_that_the_corpus_does_not_name(server: PageServer, corpus: Manifest) -> None:
    place = corpus.table(Render)["media"][0].as_py()
    for name in (
        "../../etc/passwd",
        "/etc/passwd",
        "recipes/last.json",
        "media/../recipes/last.json",
        "media/%2e%2e/x",
        f"{place}/../../../recipes/last.json",
        f"media/00/{'0' * 64}.mp4",
        "sources/x",
        f"sources/{'0' * 24}",
    ):
        assert ask(server, name)[0] in (404, 410), name
    assert ask(server, place)[0] == 200


def test_a_video_is_sent_in_the_parts_that_are_asked_for(server: PageServer) -> None:
    detail = json.loads(base64.b64decode(ask(server, "data/clips/0/0.js")[2].split(b'"')[3]))
    for name in (one["file"] for one in detail["media"]):
        status, headers, whole = ask(server, name)
        assert (status, headers["Accept-Ranges"]) == (200, "bytes")
        for asked, span in (
            ("bytes=0-9", (0, 10)),
            ("bytes=100-", (100, len(whole))),
            ("bytes=-7", (len(whole) - 7, len(whole))),
        ):
            status, headers, part = ask(server, name, Range=asked)
            assert (status, part) == (206, whole[slice(*span)]), asked
            assert headers["Content-Range"] == f"bytes {span[0]}-{span[1] - 1}/{len(whole)}"
        assert ask(server, name, Range=f"bytes={len(whole)}-")[0] == 416
        assert ask(server, name, "HEAD")[2] == b""


def test_a_question_is_answered_with_the_clips_that_it_names(server: PageServer) -> None:
    found = query(server, "select clip_id, face_width_px from wide where face_width_px >= 310 order by clip_id desc")
    assert found["names"] == ["clip_id", "face_width_px"]
    assert [row[1] for row in found["rows"]] == [330.0, 320.0, 310.0]
    assert found["clips"] == [21, 22, 23]
    assert query(server, "select count(*) as n from wide")["rows"] == [[SOURCES * CLIPS]]
    assert query(server, "select reason, count(*) from drops group by 1")["rows"] == [["too_short", 4]]


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '/tmp/headset-was-here.csv'",
        "attach '/tmp/headset-was-here.db'",
        "set enable_external_access = true",
        "install httpfs",
        "select * from read_text('/etc/hostname')",
        "select getenv('HOME')",
        "select 1 +",
        "select nothing from wide",
    ],
)
def test_a_question_sees_the_tables_and_nothing_else(server: PageServer, text: str) -> None:
    assert query(server, text)["error"]
    assert not Path("/tmp/headset-was-here.csv").exists()
    assert not Path("/tmp/headset-was-here.db").exists()


def test_a_page_of_somebody_else_asks_nothing(server: PageServer) -> None:
    assert query(server, "select 1", Origin="http://evil.example") == 403
    assert query(server, "select 1", Content_Type="text/plain") == 403
    assert query(server, "select 1", Origin=f"http://127.0.0.1:{server.server_address[1]}")["rows"] == [[1]]
    assert ask(server, "sql", "POST", {"query": "x" * 200_000}, Content_Type="application/json")[0] == 404
    assert json.loads(ask(server, "sql", "POST", [1], Content_Type="application/json")[2])["error"]


def test_a_question_that_takes_too_long_is_ended(corpus: Manifest) -> None:
    endless = (
        "select count(*) from range(100000) a, range(100000) b, range(1000) c where a.range + b.range = c.range + 7"
    )
    with pytest.raises(UsageError, match="took longer"):
        answer(corpus, endless, longest_s=0.3)
