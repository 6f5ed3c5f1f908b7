"""Just enough HTTP/1.1 for a load generator and a stub that cost little of the shared cores."""

import asyncio
from collections.abc import Callable


def post(path: str, body: bytes, kind: str, headers: dict[str, str]) -> bytes:
    """A request, ready to be written."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Client(asyncio.Protocol):
    """A keep-alive connection with one request under way at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Kept for writing."""
        self._transport = transport  # type: ignore[assignment]

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        """The status that answers this request."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Ends the request when head and body are here."""
        self._buffer += data
        found = _message(self._buffer)
        if found is None or self._answer is None:
            return
        head, _, size = found
        self._buffer = self._buffer[size:]
        self._answer.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for ever."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())


class Server(asyncio.Protocol):
    """Answers every request at once: `answer(request line, body)` → (status line, JSON)."""

    def __init__(self, answer: Callable[[str, bytes], tuple[str, bytes]]) -> None:
        self._answer, self._buffer = answer, b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Kept for writing."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answers what is complete."""
        self._buffer += data
        while (found := _message(self._buffer)) is not None:
            head, body, size = found
            self._buffer = self._buffer[size:]
            line = head[: head.index(b"\r\n")].decode()
            status, content = self._answer(line, body)
            self._transport.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n\r\n".encode()
                + content
            )


def _message(buffer: bytes) -> tuple[bytes, bytes, int] | None:
    """(head, body, bytes taken) of the first complete message."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[: end + 2]
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        last = buffer.find(b"0\r\n\r\n", end + 4)
        return None if last < 0 else (head, buffer[end + 4 : last], last + 5)
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 : lower.index(b"\r\n", at)]) if at >= 0 else 0
    size = end + 4 + length
    return None if len(buffer) < size else (head, buffer[end + 4 : size], size)
