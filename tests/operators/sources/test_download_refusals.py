"""Downloads that lead to this machine are refused, under any name; and no password is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from manifests.tables import Source
from tests.operators.sources.downloading import QUICK, download, outcome, source_of
from tests.site import WebSite


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "localhost.", "0"]
)
def test_this_machine_is_not_asked_under_any_name(host: str, site: WebSite, tmp_path: Path):
    port, before = site.address.rpartition(":")[2], site.asked.total()
    end, _ = download(source_of(f"http://{host}:{port}/good0.mp4"), tmp_path, replace(QUICK, allow_private=False))
    assert outcome(end) in ("private_address", "unreachable")  # some resolvers do not take 0x7f.1 for an address
    assert host in ("0x7f.1", "localhost.", "[::1]") or outcome(end) == "private_address"
    assert site.asked.total() == before


@pytest.mark.parametrize("path", ["/to-localhost", "/embeds-localhost.html"])
def test_a_redirect_or_a_page_does_not_lead_to_this_machine(
    path: str, site: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The endpoint of a proxy of the user's own is allowed whatever its address; here it stands for the outside, and
    # localhost for the inside.
    monkeypatch.setenv("http_proxy", site.address)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    before = site.asked["/good0.mp4"]
    end, fetches = download(source_of(site.address + path), tmp_path, replace(QUICK, allow_private=False))
    assert outcome(end) == "private_address"
    assert "localhost is " in fetches[-1].said
    assert site.asked["/good0.mp4"] == before
    assert site.asked[path] > 0


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "data:video/mp4;base64,AA",
        "gopher://127.0.0.1/",
        "http:///nohost",
        "http://a b/c",
        "http://[::1/a",
        "http://h:x/a",
    ],
)
def test_a_row_that_never_passed_the_listing_is_refused_all_the_same(uri: str, tmp_path: Path):
    source = Source("web-000000000000", uri)
    if "://" not in uri:
        assert outcome(download(source, tmp_path)[0]) == "missing_file"
    else:
        end, fetches = download(source, tmp_path)
        assert outcome(end) in ("scheme_not_allowed", "not_an_address")
        assert fetches == []


@pytest.mark.parametrize(("path", "end"), [("/to-signed", "ok"), ("/to-signed-missing", "http_404")])
def test_a_signature_the_site_led_to_is_not_told(path: str, end: str, site: WebSite, tmp_path: Path):
    made = download(source_of(site.address + path), tmp_path)
    assert outcome(made[0]) == end
    assert "hunter2" not in repr(made)


def test_a_proxys_password_is_not_told(site: WebSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HEADSET_PROXIES", "http://user:hunter2@127.0.0.1:9,http://user:hunter2@127.0.0.1:10")
    for path in ("/good0.mp4", "/watch.html"):
        made = download(source_of(site.address + path), tmp_path)
        assert outcome(made[0]) == "unreachable"
        assert "hunter2" not in repr(made)
    for wrong in ("http://user:hunter2@", "hunter2://h:1", "http://h:1,http://user:hunter2@h:port"):
        monkeypatch.setenv("HEADSET_PROXIES", wrong)
        with pytest.raises(ValueError, match="HEADSET_PROXIES: entry") as raised:
            QUICK.resolved()
        assert "hunter2" not in str(raised.value)
