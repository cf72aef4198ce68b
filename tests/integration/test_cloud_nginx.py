"""`deploy/console.nginx.conf` as it is shipped, in a real nginx before a real console."""

from __future__ import annotations

import http.client
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fixtures_broker import free_port
from tests.fixtures_cloud import NOW, TestRegistry, copy_keys
from tests.unit.cloud.test_cloud_cli import console

SITE = Path(__file__).parents[2] / "deploy" / "console.nginx.conf"
NGINX = shutil.which("nginx")
HOST = "console.example.cn"
MAIN = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/start.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  include {folder}/site.conf;
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@contextmanager
def nginx(folder: Path, console_port: int) -> Iterator[tuple[int, int]]:
    """The shipped file with other ports and paths; yields the ports for http and https."""
    plain, tls = free_port(), free_port()
    certificate(folder)
    text = SITE.read_text("utf-8")
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{tls} ssl http2;"),
        ("listen [::]:80;", ""),
        ("listen [::]:443 ssl http2;", ""),
        ("127.0.0.1:8080", f"127.0.0.1:{console_port}"),
        ("/etc/ssl/jianzai/", f"{folder}/"),
        ("/etc/ssl/private/jianzai-", f"{folder}/"),
        ("/var/log/nginx/jianzai-", f"{folder}/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text, "utf-8")
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    assert NGINX
    command = [NGINX, "-p", str(folder), "-e", str(folder / "start.log"), "-c", "nginx.conf"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen(command)
    try:
        yield plain, tls
    finally:
        process.terminate()
        process.wait(10)


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    built = built.public_key(key.public_key()).serial_number(x509.random_serial_number())
    built = built.not_valid_before(NOW - timedelta(days=9999))
    signed = built.not_valid_after(NOW + timedelta(days=9999)).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "console.crt").write_bytes(signed.public_bytes(pem))
    (folder / "console.key").write_bytes(key.private_bytes(pem, form, plain))


def ask(
    port: int, path: str, method: str = "GET", body: bytes = b"", *, tls: bool = True
) -> http.client.HTTPResponse:
    """Trusts any certificate: what is looked at here lies behind it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if tls:
        server: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=20, context=context
        )
    else:
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Host": HOST, "X-Forwarded-For": "192.0.2.1"}
    until = time.monotonic() + 10
    while True:
        try:
            server.request(method, path, body, headers)
            break
        except ConnectionRefusedError:  # not yet up
            server.close()
            assert time.monotonic() < until
    answer = server.getresponse()
    answer.read()
    server.close()
    return answer


def test_the_site_as_shipped(registry: TestRegistry) -> None:
    folder = registry.folder
    copy_keys(folder)
    origin = f'public_origin = "https://{HOST}"\n[broker]'
    with (
        console(folder, registry.toml.replace("[broker]", origin)) as port,
        nginx(folder, port) as (plain, tls),
    ):
        moved = ask(plain, "/people/?name=x", tls=False)
        assert (moved.status, moved.headers["Location"]) == (301, f"https://{HOST}/people/?name=x")
        page = ask(tls, "/sign-in/?name=somebody")
        assert page.status == 200
        assert page.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
        assert page.headers["Server"] == "nginx", "without its version"
        assert page.headers.get_all("Content-Security-Policy") is not None
        assert all("Secure" in cookie for cookie in page.headers.get_all("Set-Cookie") or [])
        assert ask(tls, "/sign-in/", "POST", b"x" * 300_000).status == 413
        assert 429 in {ask(tls, "/sign-in/").status for _ in range(14)}, "the door is limited"
    log = (folder / "console.log").read_text("utf-8")
    assert " GET /sign-in/ 200 " in log
    assert "somebody" not in log + (folder / "console.error.log").read_text("utf-8")
    assert "192.0.2.1" not in log
