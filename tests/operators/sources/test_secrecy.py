"""What lets its bearer in reaches no table, in whatever spelling; what only names a video does."""

import json
import random
import secrets
import string
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.manifest import Manifest
from operators.sources.outcomes import NotFetched
from operators.sources.secrecy import holds_secret, scrubbed, told
from pipeline.listing import list_sources

_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.hunter2hunter2hunter2"
# What follows a host; "hunter2" or what looks random is the secret.
SPELLINGS = (
    *(f"/a.mp4?{name}=hunter2" for name in (
        *("token", "access_token", "accessToken", "id_token", "refresh_token", "po_token", "tok", "token[]",
          "tokens.access", "__token__"),
        *("secret", "client_secret", "wsSecret", "secret_id", "sharedSecret", "key", "api_key", "apikey", "API-KEY",
          "x-api-key", "auth_key"),
        *("license_key", "rlkey", "subscriptionKey", "ocp-apim-subscription-key", "AWSAccessKeyId", "Key-Pair-Id",
          "Policy", "Signature"),
        *("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "x-goog-signature", "sig", "lsig", "_sig_",
          "authSig", "sign", "signed"),
        *("auth", "authorization", "oauth_verifier", "bearer", "jwt", "sas", "session", "sessionid", "user_session",
          "PHPSESSID", "sid"),
        *("pass", "passwd", "password", "passphrase", "pwd", "pw", "otp", "pin", "credential", "credentials", "cookie",
          "csrf", "ticket"),
        *("hmac", "hdnea", "hdnts", "visitor_data", "%74oken", "%2574oken"),
    )),
    *("/a.mp4?x=1&id=7&client_secret=hunter2&y=2", "/a.mp4?q=1;token=hunter2", "/a.mp4;jsessionid=hunter2",
      "/a.mp4;jsessionid=hunter2?id=2"),
    *("/a.mp4#access_token=hunter2", "/a.mp4?x=1#state=1&access_token=hunter2",
      "/a.mp4?hdnea=exp=1~acl=/*~hmac=hunter2"),
    *("/a.mp4?next=https%3A%2F%2Fuser%3Ahunter2%40h.org%2Fa", "/a.mp4?next=%2Fa%3Ftoken%3Dhunter2",
      "/a.mp4?next=%252Fa%253Ftoken%253Dhunter2"),
    *("/a.mp4?data=%7B%22token%22%3A%22hunter2%22%7D", f"/a.mp4?k={_JWT}", f"/{_JWT}/a.mp4", f"/a.mp4?id={_JWT}"),
    *("/a.mp4?st=5d41402abc4b2a76b9719d911017c592&e=1700000000", "/a.mp4?k=kR3vQ9xZ2mB7nT4wY8pLc6Df",
      "/a.mp4?k=9b2d7c1e-5f3a-4e8b-b6d0-1c4f7a2e9d35"),
)  # fmt: skip
HARMLESS = (
    *("?v=CPCoMyuBRM0&list=PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf&index=3", "?h=8d1e2c3f4a",
      "?id=3858f62230ac3c915f300c664312c63f"),
    *("?video_id=550e8400-e29b-41d4-a716-446655440000", "?quality=1080p&lang=en",
      "?q=talking+heads&author=smith&keywords=cat,dog&page=2"),
    *("?title=TheQuickBrownFoxJumpsOverTheLazyDog2008", "?t=123456789012345678901234567890",
      "?from=2024-01-01T00:00:00Z&to=2024-02-01"),
    *("?name=BigBuckBunny_1080p_surround_FINAL.mp4", "?file=videos/2023/05/interview-with-the-president-part-2.mp4",
      "?dl=1", "?s=20"),
    *("?v=2&format=mp4&design=new&signal=on", "?sourceid=chrome&bypass=1&monkey=2", "?u=youtu.be/CPCoMyuBRM0",
      "#t=10,20", "?token=", ""),
    *("?speaker=Condoleezza_Rice_at_Stanford_2011_graduation",
      "?asset=interview&res=1920x1080&codec=h264&bitrate=4500kbps", "?part=a%20b&id=1"),
    *("?p=2&vd_source=0cc175b9c0f1b6a831c399e269772661", "?fbclid=IwAR0k3vQ9xZ2mB7nT4wY8pLc6DfkR3vQ9xZ2mB7nT4"),
)  # fmt: skip


def secret_of(spelling: str) -> str:
    """The part of a spelling that must not be found again."""
    found = (
        "hunter2",
        "5d41402abc4b2a76b9719d911017c592",
        "kR3vQ9xZ2mB7nT4wY8pLc6Df",
        "9b2d7c1e-5f3a-4e8b-b6d0-1c4f7a2e9d35",
    )
    return next(one for one in found if one in spelling)


@pytest.mark.parametrize("spelling", [*SPELLINGS, "user:hunter2@h.org/a.mp4", "hunter2@h.org/a.mp4"])
def test_a_secret_is_known_by_what_it_is_and_is_not_told(spelling: str):
    address = f"https://{spelling if '@h.org/' in spelling else 'h.org' + spelling}"
    secret = secret_of(spelling)
    assert holds_secret(address)
    for text in (
        address,
        f"in list.csv: {address}; refused",
        f"GET '{address}' failed",
        f"<a href={address}>",
        address[8:] if "@" not in address else "",
    ):
        assert secret not in scrubbed(text)
    assert secret not in told(address)
    assert secret not in NotFetched("http_404", f"no page at {address}").said


@pytest.mark.parametrize("query", HARMLESS)
def test_what_only_names_a_video_is_kept_and_told(query: str):
    address = f"https://h.org/7b3b9e0d5c0f4d1c8b3a2f1e0d9c8b7a/a.mp4{query}"
    assert not holds_secret(address)
    assert scrubbed(f"at {address}, it said") == f"at {address}, it said"


def test_ids_stay_where_the_rest_of_a_query_goes():
    assert told("https://user@h.org/playlist?list=PL123&x=1&token=hunter2") == "https://h.org/playlist?list=PL123&…"
    assert told("https://h.org/watch?v=CPCoMyuBRM0") == "https://h.org/watch?v=CPCoMyuBRM0"
    assert told("https://h.org/a;jsessionid=1/b#x") == "https://h.org/a;…/b#…"
    assert told("ftp://h.org/a.mp4") == "ftp://h.org/a.mp4"


@pytest.mark.parametrize("length", [32, 43, 64, 128])
@pytest.mark.parametrize(
    "letters", [string.ascii_letters + string.digits, string.ascii_letters + string.digits + "-_", "0123456789abcdef"]
)
def test_nearly_every_random_value_is_a_secret_under_any_name(letters: str, length: int):
    draw = random.Random(7)
    values = ["".join(draw.choices(letters, k=length)) for _ in range(500)]
    assert sum(holds_secret(f"https://h.org/a.mp4?x={value}") for value in values) > 0.95 * len(values)


@pytest.mark.parametrize(
    ("text", "scrubs"),
    [
        ("GET http://h/v?X-Amz-Signature=hunter2&b=1", "GET http://h/v?…"),
        ("socks5://u:hunter2@h:1 no", "socks5://h:1 no"),
        ("Authorization: Bearer hunter2 refused", "Authorization: Bearer … refused"),
        ("token: hunter2", "token: …"),
        ('{"client_secret": "hunter2", "x": 1}', '{"client_secret": "…", "x": 1}'),
        ("a password is wrong; no key found: try again", "a password is wrong; no key found: try again"),
        ("two\nlines\x1b[2J", "two lines\\x1b[2J"),
    ],
)
def test_secrets_are_scrubbed_out_of_words(text: str, scrubs: str):
    assert scrubbed(text) == scrubs


def everything_in(root: Path) -> str:
    """All that a corpus's files hold, in one text."""
    tables = [json.dumps(pq.read_table(path).to_pylist(), default=str) for path in sorted(root.rglob("*.parquet"))]
    rest = [
        path.read_bytes().decode(errors="replace")
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".parquet"
    ]
    return "\n".join([*tables, *rest])


def test_no_spelling_reaches_a_manifest(tmp_path: Path):
    addresses = [f"https://h{number}.org{spelling}" for number, spelling in enumerate(SPELLINGS)]
    (tmp_path / "list.txt").write_text(
        "\n".join([*addresses, *(f"https://good.org/{n}.mp4{query}" for n, query in enumerate(HARMLESS))])
    )
    listing = list_sources([str(tmp_path / "list.txt")])
    assert [drop.reason for drop in listing.dropped] == ["credentials_in_address"] * len(SPELLINGS)
    assert len(listing.sources) == len(HARMLESS)
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add(listing.sources, listing.dropped, lists=listing.lists)
    told = everything_in(tmp_path / "corpus")
    assert all(f"h{number}.org" in told for number in range(len(SPELLINGS)))
    assert [spelling for spelling in SPELLINGS if secret_of(spelling) in told] == []


def test_what_is_refused_for_another_reason_is_told_without_its_query_too():
    value = secrets.token_hex(3)
    listing = list_sources(
        [f"ftp://h.org/a.mp4?x={value}", f"https://h.org:port/a?x={value}&id=3", f"data:video/mp4;base64,{value}"]
    )
    assert len(listing.dropped) == 3
    assert value not in repr(listing)
