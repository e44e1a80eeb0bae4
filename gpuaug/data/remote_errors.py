"""What can go wrong on a network: which errors are tried again, and the sentence for each that is not, or no more.

fsspec's file systems raise what their libraries do. An error is judged by the HTTP status in it or in what caused it, else by
the names of its classes, so that none of those libraries need be imported here.
"""

import re

from .urls import scrubbed, shown

# Tried again: the server is busy or broken, or the connection was. Everything else is an answer, which stays the same.
RETRIED_STATUS = frozenset([408, 429, 500, 502, 503, 504])
RETRIED_CODES = frozenset(["SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "ThrottlingException"])
STALLED = frozenset(["TimeoutError", "FSTimeoutError", "ReadTimeoutError", "ConnectTimeoutError", "ServerTimeoutError"])
STALLED |= frozenset(["ReadTimeout", "ConnectTimeout", "ServiceResponseTimeoutError"])
CUT = frozenset(["CutError", "ClientPayloadError", "IncompleteReadError", "IncompleteRead", "ResponseStreamingError"])
CUT |= frozenset(["ChunkedEncodingError", "ContentLengthError", "ServerDisconnectedError", "ConnectionClosedError"])
CONNECTION = frozenset(["ConnectionError", "ClientConnectionError", "HTTPClientError", "ServiceRequestError", "SSLError"])

CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; a public bucket takes Remote(options={'anon': True})",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS; a public bucket takes Remote(options={'token': 'anon'})",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
    "hf": "set HF_TOKEN to a token that may read it",
    "": "give whoever runs this the right to read it",
}
SAME = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}


class RemoteError(OSError):
    """A file that cannot be read from afar: one sentence with its URL. `.reason` is the sentence without it."""

    def __init__(self, url, reason):
        self.url, self.reason = shown(url), reason
        super().__init__(f"{self.url}: {reason}")

    def __reduce__(self):
        return type(self), (self.url, self.reason)

    def __str__(self):
        return self.args[0]


class RemoteMissing(RemoteError, FileNotFoundError):
    """No such bucket, folder or file."""


class RemoteDenied(RemoteError, PermissionError):
    """Who asks may not read it, or did not say who it is."""


class RemoteTimeout(RemoteError, TimeoutError):
    """The server stalls, after all retries."""


class CutError(OSError):
    """A body that is shorter than it should be."""


class ChangedError(OSError):
    """A file that has another size than its listing said."""


def kind_of(error):
    """What happened, one of those that `sentence` has a sentence for; "unknown": nobody said who asks."""
    if isinstance(error, ChangedError):
        return "changed"
    chain = _chain(error)
    status, code = _status(chain), _code(chain)
    names = {cls.__name__ for each in chain for cls in type(each).__mro__}
    if code == "NoSuchBucket":
        return "bucket"
    if code in RETRIED_CODES or status in RETRIED_STATUS:
        return "busy"
    if names & {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "DefaultCredentialsError"} or status == 401:
        return "unknown"
    if status == 403 or "PermissionError" in names:
        return "denied"
    if status in (404, 410) or "FileNotFoundError" in names:
        return "missing"
    # before other statuses: aiohttp says of a cut body that it has status 400
    for kind, those in (("stalled", STALLED), ("cut", CUT), ("connection", CONNECTION)):
        if names & those:
            return kind
    return "other"


RETRIED = frozenset(["busy", "stalled", "cut", "connection"])


def sentence(url, error, kind, tries, timeout):
    """The exception to raise for `error`: it names the URL, what happened and what to do."""
    scheme = str.__str__(url).partition("://")[0].lower()
    scheme = SAME.get(scheme, scheme)
    login = CREDENTIALS.get(scheme, CREDENTIALS[""])
    asked = f"asked {tries} times" if tries > 1 else "asked once"
    if kind == "bucket":
        bucket = str.__str__(url).partition("://")[2].partition("/")[0]
        return RemoteMissing(
            url, f"there is no bucket {bucket!r}; correct the name, or AWS_ENDPOINT_URL if it is of another server"
        )
    if kind == "missing":
        return RemoteMissing(url, "there is no such file; correct the URL, or make the dataset anew if it was removed")
    if kind == "changed":
        return RemoteError(url, f"it has changed since it was listed: {error}; make the dataset anew")
    if kind == "unknown":
        return RemoteDenied(url, f"no valid credentials were found; {login}")
    if kind == "denied":
        return RemoteDenied(url, f"access is denied; {login}")
    if kind == "stalled":
        return RemoteTimeout(
            url, f"the server stalls: no answer within {timeout:g} s ({asked}); raise Remote(timeout=) or try later"
        )
    if kind == "cut":
        detail = f": {error}" if isinstance(error, CutError) else ""
        return RemoteError(
            url, f"the connection ends before the file does{detail} ({asked}); try later, or raise Remote(retries=)"
        )
    if kind == "busy":
        found = _status(_chain(error)) or _code(_chain(error))
        return RemoteError(
            url, f"the server answers {found} ({asked}); try later, read with fewer threads, or raise Remote(retries=)"
        )
    said = re.sub(r"\s+", " ", scrubbed(error))[:90]
    if kind == "connection":
        return RemoteError(url, f"the server cannot be reached ({asked}): {said}; look at the network and at the address")
    return RemoteError(url, f"{type(error).__name__}: {said}")


def _chain(error):
    found = []
    while error is not None and len(found) < 5:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _status(chain):
    for error in chain:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        else:
            status = next(
                (getattr(error, name, None) for name in ("status", "status_code", "code") if hasattr(error, name)), None
            )
            status = getattr(response, "status_code", None) if status is None else status
        if isinstance(status, int) or (isinstance(status, str) and status.isdigit()):
            return int(status)
    return None


def _code(chain):
    for error in chain:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return response.get("Error", {}).get("Code")
    return None
