"""An S3 server on loopback (moto's), and a proxy before it that fails as it is told: for the tests and bench/remote.py."""

import contextlib
import http.client
import http.server
import itertools
import logging
import os
import socket
import threading
import time
import urllib.request

KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTEST0001", "AWS_SECRET_ACCESS_KEY": "verysecretverysecretverysecret01"}
HANDED_ON = ("content-type", "content-range", "accept-ranges", "etag", "last-modified", "location", "x-amz-")


@contextlib.contextmanager
def environment(**values):
    """Environment variables, while it lasts; None removes one."""
    before = {name: os.environ.get(name) for name in values}
    try:
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class Quiet(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Of a connection that was reset on purpose: nothing to say."""


class Proxy:
    """Hands requests on to `target` (host, port). `fault(number, method, path)` returns None or one of FAULTS for it."""

    FAULTS = ("503", "403", "stall", "cut", "reset", "slow")

    def __init__(self, target, stall=2.0):
        self.target, self.stall, self.fault = target, stall, lambda number, method, path: None
        self.numbers, self.seen, self.injected = itertools.count(1), [], []
        self.lock, self.closing = threading.Lock(), threading.Event()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_all(self):
                try:
                    proxy.answer(self)
                except ConnectionError:  # a reader that gave up
                    self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_all

            def log_message(self, *args):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.local = threading.local()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def answer(self, request):
        length = int(request.headers.get("content-length") or 0)
        body = request.rfile.read(length) if length else None
        with self.lock:
            number = next(self.numbers)
            fault = self.fault(number, request.command, request.path)
            self.seen.append((request.command, request.path, request.headers.get("range")))
            if fault:
                self.injected.append(fault)
        if fault in ("503", "403"):
            code = {"503": "SlowDown", "403": "AccessDenied"}[fault]
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
            return self.send(request, int(fault), {"content-type": "application/xml"}, text)
        if fault == "stall":
            self.closing.wait(self.stall)
            request.close_connection = True
            return None
        if fault == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            request.close_connection = True
            return request.connection.close()
        status, headers, data = self.handed_on(request, body)
        if fault == "cut":
            self.send(request, status, headers, data, whole=len(data) // 2)
            request.close_connection = True
            return None
        if fault == "slow":
            return self.send(request, status, headers, data, slow=True)
        return self.send(request, status, headers, data)

    def handed_on(self, request, body):
        for last in (False, True):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = self.local.connection = http.client.HTTPConnection(*self.target)
            try:
                connection.request(request.command, request.path, body, dict(request.headers))
                answer = connection.getresponse()
                break
            except (http.client.HTTPException, ConnectionError):  # the server has closed a connection that was kept
                self.local.connection = None
                if last:
                    raise
        data = answer.read()
        headers = {name: value for name, value in answer.getheaders() if name.lower().startswith(HANDED_ON)}
        if request.command == "HEAD":
            headers["content-length"] = answer.getheader("content-length") or "0"
        return answer.status, headers, data

    def send(self, request, status, headers, data, whole=None, slow=False):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if "content-length" not in headers:
            request.send_header("content-length", str(len(data)))
        request.end_headers()
        if request.command == "HEAD":
            return
        for start in range(0, len(data), 2048) if slow else (0,):
            if slow:
                time.sleep(0.05)
            request.wfile.write(data[start : start + 2048] if slow else data if whole is None else data[:whole])
            request.wfile.flush()


@contextlib.contextmanager
def s3(folders=(), faults=True, stall=2.0):
    """(an s3fs file system, the Proxy) of a server with the bucket "bucket", into which {prefix: folder} were copied.

    AWS_ENDPOINT_URL and the credentials are in the environment while it lasts.
    """
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    again = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(again).close()  # buckets are the process's, not the server's
    from gpuaug.data import remote

    remote._systems.clear()  # those of an earlier server ask that one
    proxy = Proxy((host, port), stall)
    url = proxy.url if faults else f"http://{host}:{port}"
    here = {**KEYS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_PROFILE": None, "AWS_SESSION_TOKEN": None}
    try:
        with environment(**here):
            import s3fs

            system = s3fs.S3FileSystem(endpoint_url=f"http://{host}:{port}", skip_instance_cache=True)
            system.mkdir("bucket")
            for prefix, folder in dict(folders).items():
                system.put(str(folder) + "/", f"bucket/{prefix}/", recursive=True)
            proxy.seen.clear()
            yield system, proxy
    finally:
        proxy.close()
        server.stop()
