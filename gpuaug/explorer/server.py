"""`gpuaug explore`: what is asked for is looked at, then the page is served until it is stopped."""

from __future__ import annotations

import os
import socket
import sys
import threading
import warnings
import webbrowser
from pathlib import Path

MISSING = "the explorer takes NiceGUI: pip install 'gpuaug[explore]'"


def explore(folder: Path | None, masks: Path | None, pipeline: str | None, host: str, port: int, browser: bool) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        ValueError: a folder without pictures, a pipeline that cannot be opened, a port that is in use.
        ImportError: NiceGUI is not there.
    """
    try:
        import nicegui  # noqa: F401
    except ImportError as error:
        raise ImportError(MISSING) from error
    from ..commands.pipelines import pipeline_of
    from ..transform import REGISTRY
    from .page import Start
    from .samples import Folder
    from .steps import Pipeline, Step, opened

    if masks is not None and folder is None:
        raise ValueError("--masks takes a folder of pictures, too: gpuaug explore pictures --masks masks")
    start = Start(None if folder is None else Folder(folder, masks))
    if pipeline is not None and pipeline in REGISTRY:
        start.pipeline = Pipeline([Step.new(pipeline)])
    elif pipeline is not None:
        start.pipeline, start.told = opened(pipeline_of(pipeline), pipeline)
    _serve(start, bound(host, port), host, browser)


def bound(host: str, port: int) -> socket.socket:
    """A socket at that address, so that nobody can take it between the look and the use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a stopped server's port is taken for a minute
    try:
        found.bind((host, port))
        found.listen()
    except (OSError, OverflowError) as error:
        found.close()
        taken = isinstance(error, OSError) and error.errno in (48, 98, 10048)  # EADDRINUSE of macOS, Linux, Windows
        what = f"port {port} is in use" if taken else f"{host} port {port} cannot be opened ({error})"
        raise ValueError(f"{what}: say another with --port, or --port 0 for any that is free") from error
    return found


def _serve(start, at: socket.socket, host: str, browser: bool) -> None:
    import uvicorn
    from fastapi import FastAPI

    serving = FastAPI(openapi_url=None)
    mounted(serving, start, host)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{at.getsockname()[1]}"
    print(f"gpuaug explore: {url} (Ctrl-C stops it)", flush=True)
    if browser:
        threading.Timer(0.7, _open, (url,)).start()  # the server answers by then, or the browser waits for it
    uvicorn.Server(uvicorn.Config(serving, log_level="warning", ws_max_size=1 << 24)).run(sockets=[at])


def mounted(serving, start, host: str) -> None:
    """Put the page into an application: for pages and programs of this machine only, whatever a browser has open beside."""
    with warnings.catch_warnings():  # it looks at all objects that there are, torch's deprecated ones among them
        warnings.simplefilter("ignore", FutureWarning)
        from nicegui import core, ui
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from .page import Page

    @ui.page("/")
    def page() -> None:
        Page(start).build()

    core.sio.eio.cors_allowed_origins = None  # its own origin alone; NiceGUI's default is any
    ui.run_with(serving, title="gpuaug explorer", show_welcome_message=False)
    if host in ("127.0.0.1", "localhost", "::1"):  # names that others let point here are refused
        serving.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])


def _open(url: str) -> None:
    if not opened_in_browser(url):
        print(f"gpuaug explore: no browser was found here; open {url} in one", file=sys.stderr, flush=True)


def opened_in_browser(url: str) -> bool:
    """Whether a browser with windows took it: none of those that take the terminal."""
    windows = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not windows and not os.environ.get("BROWSER"):
        return False
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False
