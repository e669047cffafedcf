"""What somebody with bad intent may send to the service."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence

from tests.service import LINE

XSS: Sequence[str] = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><foreignObject><iframe src=javascript:alert(1)></iframe></foreignObject></svg>",
    '"><a xlink:href="javascript:alert(1)">x</a>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "]]><script>alert(1)</script><![CDATA[",
    "--><script>alert(1)</script><!--",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>@import'//example.com/x.css';</style>",
    "<use href='https://example.com/x.svg#x'/>",
    "<animate attributeName=href to=javascript:alert(1) begin=0s>",
    "javascript:alert(1)//",
    "{{7*7}}${7*7}<%= 7*7 %>{% include 'x' %}",
    "\u2028\u2029\u202e\ufeff<script>\u0000alert(1)</script>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
)

FIELDS: Sequence[str] = (
    # What is read of a line stands in the picture: addresses, interfaces, zones, users, reasons.
    "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK on interface {}",
    (
        "Nov 10 2026 10:00:00 {} : %ASA-6-302014: Teardown TCP connection 7 for outside:192.0.2.10/443 to "
        "inside:198.51.100.7/51515 duration 0:00:30 bytes 0 {}"
    ),
    (
        'date=2026-11-10 time=10:00:00 devname="{}" type="traffic" subtype="forward" srcip=192.0.2.10 srcport=51515 '
        'srcintf="{}" dstip=198.51.100.7 dstport=443 dstintf="{}" proto=6 action="server-rst" service="{}"'
    ),
)
"""Lines with a place for something else in them."""

_DEEP = 100_000
_BIG = "9" * 5000


def _paste(raw: str) -> bytes:
    return b'{"paste": ' + raw.encode("utf-8", "surrogatepass") + b"}"


def _answer(raw: str) -> bytes:
    return b'{"paste": "", "answers": {"timing.idle_s": ' + raw.encode() + b"}}"


BODIES: Mapping[str, tuple[bytes, Sequence[int]]] = {
    # What is sent, and the statuses that it may get.
    "nothing": (b"", (422,)),
    "a brace": (b"{", (422,)),
    "half a text": (b'{"paste": "x', (422,)),
    "a comma too many": (b'{"paste": "x",}', (422,)),
    "single quotes": (b"{'paste': 'x'}", (422,)),
    "a comment": (b'{"paste": "x" /* ? */}', (422,)),
    "two values": (b'{"paste": "x"}{"paste": "y"}', (422,)),
    "a byte order mark": (b'\xef\xbb\xbf{"paste": "x"}', (201, 400, 422)),
    "UTF-16": ('{"paste": "x"}'.encode("utf-16"), (201, 400, 422)),
    "no UTF-8": (b'{"paste": "\xff\xfe"}', (400, 422)),
    "a list": (b"[]", (422,)),
    "a number": (b"1", (422,)),
    "null": (b"null", (422,)),
    "deep lists": (b'{"paste": ' + b"[" * _DEEP + b"]" * _DEEP + b"}", (400,)),
    "deep objects": (b'{"a":' * _DEEP + b"1" + b"}" * _DEEP, (400,)),
    "deep and open": (b"[" * _DEEP, (400,)),
    "deep answers": (_answer('{"a":' * 1000 + "1" + "}" * 1000), (400,)),
    "a text full of brackets": (_paste('"' + "[" * _DEEP + '"'), (201,)),
    "a name twice": (b'{"paste": "first", "paste": "second"}', (201, 422)),
    "an unknown name twice": (b'{"paste": "x", "__proto__": {}, "__proto__": {}}', (422,)),
    "a prototype": (b'{"paste": "x", "answers": {"__proto__": {"polluted": true}}}', (422,)),
    "a class": (b'{"paste": "x", "answers": {"__class__": "x", "a.b.__init__.__globals__": 1}}', (422,)),
    "many names": (json.dumps({"paste": "x", "answers": {f"a{n}": 1 for n in range(50_000)}}).encode(), (400, 422)),
    "NaN": (_answer("NaN"), (422,)),
    "Infinity": (_answer("Infinity"), (422,)),
    "minus Infinity": (_answer("-Infinity"), (422,)),
    "too large for a float": (_answer("1e400"), (422,)),
    "a huge whole number": (_answer(_BIG), (400, 422)),
    "a huge negative number": (_answer("-" + _BIG), (400, 422)),
    "a huge exponent": (_answer("1e" + _BIG), (422,)),
    "many digits after the point": (_answer("0." + _BIG), (201, 422)),
    "a number that begins with zero": (_answer("007"), (422,)),
    "a negative zero": (_answer("-0.0"), (201, 422)),
    "a huge number in text": (_answer(f'"{_BIG}"'), (422,)),
    "other digits": (_answer('"\u0663\u0666"'), (422,)),
    "a lone surrogate": (_paste(r'"\ud800"'), (201,)),
    "two of them in the wrong order": (_paste(r'"\udc00\ud800"'), (201,)),
    "a raw lone surrogate": (_paste('"\ud800"'), (201, 400, 422)),
    "a lone surrogate in a name": (rb'{"paste": "x", "\ud800": 1}', (422,)),
    "a lone surrogate in a feature": (rb'{"paste": "x", "answers": {"\ud800": true}}', (422,)),
    "a lone surrogate in a choice": (rb'{"paste": "x", "answers": {"timing.worked": "\udfff"}}', (422,)),
    "a lone surrogate in a product": (rb'{"paste": "x", "product": "\ud800"}', (422,)),
    "NUL": (_paste(r'"a\u0000b"'), (201,)),
    "a raw NUL": (b'{"paste": "a\x00b"}', (400, 422)),
    "a NUL in a product": (rb'{"paste": "x", "product": "\u0000"}', (422,)),
    "a list for a paste": (b'{"paste": ["x"]}', (422,)),
    "a number for a paste": (b'{"paste": 7}', (422,)),
    "a long product": (json.dumps({"paste": "x", "product": "p" * 100_000}).encode(), (422,)),
}

TYPES: Sequence[str | None] = (
    None,
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/x-python-pickle",
    "application/x-yaml",
    "text/html; charset=utf-7",
    "x" * 5000,
)

PACKED = gzip.compress(json.dumps({"paste": LINE}).encode())
BOMB = gzip.compress(b"0" * 50_000_000)

IDS: Sequence[str] = (
    "..",
    "../cases",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fpyproject.toml",
    "..%5c..%5cpyproject.toml",
    "%c0%ae%c0%ae%c0%af",
    "%252e%252e%252f",
    "a%0d%0aSet-Cookie:%20x=1",
    "a%0aLocation:%20https://example.com",
    "%00",
    "a" * 25 + "%00",
    "' OR '1'='1",
    "a';DROP TABLE cases;--",
    "a" * 27,
    "A" * 26,
    "%EF%BD%81" * 26,
    "a" * 10_000,
    "<script>alert(1)</script>",
    "%ff%fe",
    "*",
    "%25",
)
"""What may stand where an id is wanted."""

FILES: Sequence[str] = (
    "/static/../rest.py",
    "/static/..%2frest.py",
    "/static/%2e%2e/%2e%2e/pyproject.toml",
    "/static/..%5c..%5crest.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/....//....//rest.py",
    "/static/.%00./rest.py",
    "/static/" + "../" * 40 + "etc/passwd",
    "/static/" + "%2e%2e%2f" * 40 + "etc/passwd",
    "/../../etc/passwd",
    "//etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/handbook/causes/..%2f..%2f..%2fpyproject.toml",
    "/handbook/products/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/problems/..%2f..%2fetc%2fpasswd",
    "/v1/causes/..%2f..%2f..%2fetc%2fpasswd",
)

TARGETS: Sequence[str] = (
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://192.0.2.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://x.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://127.0.0.1./",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://\u2460\u2461\u2466.0.0.1/",
    "https://127\u30020\u30020\u30021/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1:443#@example.com/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://user:password@example.com/",
    "https:///example.com",
    "https://",
    "https:example.com",
    "//example.com/",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "https://example.com/\r\nHost: example.org",
    "https://exa mple.com/",
    "https://example.com/\x00",
    "https://" + "a" * 64 + ".example.com/",
    "https://" + "a." * 200 + "com/",
    "https://nothing.invalid/",
    "",
)
"""Where a webhook may not lead; all of it is judged without asking a name server that others run."""

HEAD = "Host: localhost\r\nAuthorization: Bearer {token}\r\n"
_POST = "POST /v1/read HTTP/1.1\r\n" + HEAD + "Content-Type: application/json\r\n"
_GET = "GET /v1/cases HTTP/1.1\r\n" + HEAD

SMUGGLED: Mapping[str, str] = {
    # Whatever part of it is understood, the request that is hidden in the body must not be answered.
    "two lengths": _POST + "Content-Length: 13\r\nContent-Length: 0\r\n\r\n",
    "two equal lengths": _POST + "Content-Length: 13\r\nContent-Length: 13\r\n\r\n",
    "a list of lengths": _POST + "Content-Length: 13, 0\r\n\r\n",
    "a signed length": _POST + "Content-Length: +13\r\n\r\n",
    "a negative length": _POST + "Content-Length: -1\r\n\r\n",
    "a hexadecimal length": _POST + "Content-Length: 0xd\r\n\r\n",
    "other digits": _POST + "Content-Length: \u0661\u0663\r\n\r\n",
    "a length without end": _POST + "Content-Length: " + "9" * 400 + "\r\n\r\n",
    "a length and chunks": _POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": _POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "chunks twice": _POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": _POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": _POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": _POST + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": _POST + "X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare carriage return": _POST + "X-A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a NUL in a header": _POST + "X-A: b\x00c\r\n\r\n",
    "a chunk size that is none": _POST + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a negative chunk size": _POST + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk size with 0x": _POST + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk size without end": _POST + "Transfer-Encoding: chunked\r\n\r\n" + "f" * 400 + "\r\n",
    "a chunk longer than said": _POST + "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "no host": "GET /v1/cases HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n",
    "two hosts": _GET + "Host: example.com\r\n\r\n",
    "no version": "GET /v1/cases\r\n\r\n",
    "an old version": "GET /v1/cases HTTP/0.9\r\n" + HEAD + "\r\n",
    "a new version": "GET /v1/cases HTTP/9.9\r\n" + HEAD + "\r\n",
    "no line": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a long line": "GET /" + "a" * 200_000 + " HTTP/1.1\r\n" + HEAD + "\r\n",
    "a long header": _GET + "X-A: " + "a" * 200_000 + "\r\n\r\n",
    "many headers": _GET + "".join(f"X-{n}: {n}\r\n" for n in range(20_000)) + "\r\n",
    "an authority": "GET localhost:80 HTTP/1.1\r\n" + HEAD + "\r\n",
    "a tunnel": "CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HEAD + "\r\n",
    "raw bytes in a path": "GET /v1/cases/\xff\xfe HTTP/1.1\r\n" + HEAD + "\r\n",
    "a blank in a path": "GET /v1/cases /x HTTP/1.1\r\n" + HEAD + "\r\n",
    "another site's address": "GET https://example.com/v1/causes/nothing HTTP/1.1\r\n" + HEAD + "\r\n",
    "all of it": "OPTIONS * HTTP/1.1\r\n" + HEAD + "\r\n",
    "an asterisk": "GET * HTTP/1.1\r\n" + HEAD + "\r\n",
    "a protocol of its own": _GET + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
}
