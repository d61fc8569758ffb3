#!/usr/bin/env python3
"""server.py DIR LOG: serve DIR on loopback, with errors. Prints its port.

A URL is /MODE/path: MODE selects the error. LOG gets a line "MODE path" for each request. The paths in the environment
variable SPARE, separated by blanks, are always served correctly.
"""
import base64
import gzip
import http.server
import os
import re
import socketserver
import subprocess
import sys
import threading
import time

WANTED = "Basic " + base64.b64encode(b"user:secret").decode()

root, log_path = sys.argv[1:3]
counts, lock = {}, threading.Lock()
MEGABYTE = b"\0" * 1000000


def other_nar(name):
    nars = sorted(os.listdir(os.path.join(root, "nar")))
    return "nar/" + nars[(nars.index(os.path.basename(name)) + 1) % len(nars)]


def other_narinfo(name):
    infos = sorted(n for n in os.listdir(root) if n.endswith(".narinfo"))
    return infos[(infos.index(name) + 1) % len(infos)]


def string(s):
    return len(s).to_bytes(8, "little") + s + b"\0" * (-len(s) % 8)


def nar(*parts):
    return b"".join(string(p) if isinstance(p, bytes) else p.raw for p in parts)


class Raw:
    def __init__(self, raw):
        self.raw = raw


def entry(name, *node):
    return [b"entry", b"(", b"name", name, b"node", *node, b")"]


FILE = [b"(", b"type", b"regular", b"contents", b"x", b")"]
MALFORMED = {
    "order": nar(b"nix-archive-1", b"(", b"type", b"directory", *entry(b"b", *FILE), *entry(b"a", *FILE), b")"),
    "twice": nar(b"nix-archive-1", b"(", b"type", b"directory", *entry(b"a", *FILE), *entry(b"a", *FILE), b")"),
    "dots": nar(b"nix-archive-1", b"(", b"type", b"directory", *entry(b"..", *FILE), b")"),
    "slash": nar(b"nix-archive-1", b"(", b"type", b"directory", *entry(b"a/b", *FILE), b")"),
    "padding": nar(b"nix-archive-1", b"(", b"type", b"regular", b"contents", Raw(b"\x01\0\0\0\0\0\0\0x234567y"), b")"),
    "trailing": nar(b"nix-archive-1", *FILE) + b"\0" * 8,
    "deep": nar(b"nix-archive-1", *([b"(", b"type", b"directory", b"entry", b"(", b"name", b"d", b"node"] * 80)),
    "short": nar(b"nix-archive-1", b"(", b"type", b"directory"),
    "magic": nar(b"nix-archive-2", *FILE),
}


ABSOLUTE = {
    "absolute": "http://HOST/plain/", "absfile": "file:///etc/passwd?", "absuser": "http://u:p@HOST/plain/",
    "absftp": "ftp://HOST/",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, body, status=200, length=None, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, to):
        self.send(b"", 302, headers=[("Location", to)])

    def hang_up(self):
        self.close_connection = True

    def do_GET(self):
        _, mode, name = self.path.split("/", 2)
        with lock:
            counts[self.path] = seen = counts.get(self.path, 0) + 1
            with open(log_path, "a") as f:
                f.write(f"{mode} {name}{' with a password' if self.headers.get('Authorization') else ''}\n")
        if mode == "auth" and self.headers.get("Authorization") != WANTED:
            return self.send(b"", 401, headers=[("WWW-Authenticate", "Basic realm=x")])
        if mode == "moved":
            return self.redirect(f"http://{self.headers['Host']}/auth/{name}")
        if mode == "away":
            return self.redirect(f"http://localhost:{server.server_port}/plain/{name}")
        if mode == "longheader":
            return self.send(b"", headers=[("X", "y" * 150000)])
        if mode == "silent":
            time.sleep(60)
        if name in os.environ.get("SPARE", "").split():
            mode = "plain"
        is_nar, is_info = name.startswith("nar/"), name.endswith(".narinfo")
        path = os.path.join(root, name)
        if mode == "swap" and is_nar:
            path = os.path.join(root, other_nar(name))
        if mode == "otherinfo" and is_info:
            path = os.path.join(root, other_narinfo(name))
        try:
            with open(path, "rb") as f:
                body = f.read()
        except OSError:
            return self.send(b"", 404)
        if is_nar:
            return self.serve_nar(mode, name, body, seen)
        if is_info:
            return self.serve_info(mode, name, body, seen)
        return self.send(b"", 500) if mode == "down" else self.send(body)

    def serve_nar(self, mode, name, body, seen):
        half = len(body) // 2
        if mode == "late":
            time.sleep(3)
            self.send(body)
        elif mode == "latebody":
            self.send(b"", length=len(body))
            self.wfile.flush()
            time.sleep(3)
            self.wfile.write(body)
        elif mode == "encoded":
            self.send(body, headers=[("Content-Encoding", "zstd")])
        elif mode == "stall":
            self.send(body[:half], length=len(body))
            self.wfile.flush()
            time.sleep(60)
            self.hang_up()
        elif mode == "slow":
            self.send(b"", length=len(body))
            for at in range(0, len(body), 20000):
                self.wfile.write(body[at:at + 20000])
                time.sleep(0.1)
        elif mode == "truncate" or (mode == "flaky" and seen == 1):
            self.send(body[:half], length=len(body))
            self.hang_up()
        elif mode == "short":
            self.send(body[:half])
        elif mode == "longer":
            self.send(body + b"x" * 100)
        elif mode == "endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(2000):
                self.wfile.write(MEGABYTE)
            self.hang_up()
        elif mode == "flip":
            self.send(body[:half] + bytes([body[half] ^ 1]) + body[half + 1:])
        elif mode == "gone":
            self.send(b"", 404)
        elif mode == "error":
            self.send(b"", 500)
        elif mode == "busy" and seen <= 2:
            self.send(b"", 429 if seen == 1 else 503, headers=[("Retry-After", "1")])
        elif mode == "loop":
            self.redirect(self.path)
        elif mode == "tofile":
            self.redirect("file:///etc/passwd")
        elif mode == "toftp":
            self.redirect("ftp://127.0.0.1/x")
        elif mode == "redirect":
            self.redirect(self.path.replace("/redirect/", "/plain/"))
        elif mode == "bomb":
            self.send(subprocess.run(["zstd", "-q"], input=MEGABYTE * 60, stdout=subprocess.PIPE, check=True).stdout)
        elif mode == "empty":
            self.send(b"")
        elif mode == "badly-named":
            self.send(b"\0" * len(body))
        elif mode.startswith("nar-"):
            self.send(MALFORMED[mode[4:]])
        else:
            self.send(body)

    def serve_packed(self, how, body):
        if how == "bomb":
            how, body = "gzip", body + b"\n" * 50000000
        if how == "cut":
            return self.send(gzip.compress(body)[:-9], headers=[("Content-Encoding", "gzip")])
        program = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd", "br": "brotli", "xz": "xz"}.get(how)
        packed = subprocess.run([program, "-c"] if program else ["cat"], input=body, stdout=subprocess.PIPE, check=True).stdout
        self.send(packed, headers=[("Content-Encoding", how)])

    def serve_info(self, mode, name, body, seen):
        text = body.decode()
        if mode == "hugeinfo":
            body = b"X: y\n" * 2000000
        elif mode == "badurl":
            body = re.sub("URL: .*", "URL: ../../../../etc/passwd", text).encode()
        elif mode == "elsewhere":
            body = re.sub("URL: .*", "URL: http://127.0.0.1:1/x", text).encode()
        elif mode == "auth" and os.environ.get("ELSEWHERE"):
            body = text.replace("URL: ", f"URL: http://localhost:{server.server_port}/plain/").encode()
        elif mode in ABSOLUTE:
            body = re.sub("URL: ", "URL: " + ABSOLUTE[mode].replace("HOST", self.headers["Host"]), text).encode()
        elif mode == "dotslash":
            body = text.replace("URL: ", "URL: ./").encode()
        elif mode == "nocompression":
            body = re.sub("Compression: .*\n", "", text).encode()
        elif mode == "alias":
            body = re.sub("Compression: .*", "Compression: zst", text).encode()
        elif mode == "newfields":
            body = (text + "System: x\nProvenance: {}\nNarInfoVersion: 2\n").encode()
        elif mode.startswith("info-"):
            return self.serve_packed(mode[5:], body)
        elif mode == "hugesize":
            body = re.sub("NarSize: .*", "NarSize: 99999999999999", text).encode()
        elif mode == "bomb":
            body = re.sub("Compression: .*", "Compression: zstd", re.sub("File.*\n", "", text)).encode()
        elif mode == "unknown":
            body = re.sub("Compression: .*", "Compression: rot13", text).encode()
        elif mode == "badly-named":  # nothing but the data can be wrong
            body = re.sub("Compression: .*", "Compression: rot13", re.sub("File.*\n", "", text)).encode()
        elif mode == "unsigned":
            body = re.sub("Sig: .*\n", "", text).encode()
        elif mode == "cycle":
            top = sorted(n for n in os.listdir(root) if n.endswith(".narinfo"))
            ref = open(os.path.join(root, os.environ["TOP"])).readline().split("/")[-1].strip()
            body = re.sub("References:.*", "References: " + ref, text).encode() if name != os.environ["TOP"] else body
            assert top
        elif mode.startswith("nar-"):
            raw = MALFORMED[mode[4:]]
            digest = subprocess.run(["nix-hash", "--type", "sha256", "--base32", "--flat", "/dev/stdin"], input=raw,
                                    stdout=subprocess.PIPE, check=True).stdout.decode().strip()
            text = re.sub("(File|CA|Sig).*\n", "", text)
            text = re.sub("Compression: .*", "Compression: none", text)
            text = re.sub("NarHash: .*", "NarHash: sha256:" + digest, text)
            body = re.sub("NarSize: .*", f"NarSize: {len(raw)}", text).encode()
        elif mode == "error":
            return self.send(body)
        elif mode == "infobusy" and seen == 1:
            return self.send(b"", 503)
        self.send(body)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Timer(900, lambda: os._exit(0)).start()
server.serve_forever()
