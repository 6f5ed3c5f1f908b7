"""Both platforms on loopback, accepting everything at once: so that they cost next to nothing.

The strict emulator is for behaviour; here it would only take the second core.
"""

import asyncio
import itertools
import json
import sys

from benchmarks.http1 import Server

_numbers = itertools.count(1)
_ME = {"id": 4242, "is_bot": True, "first_name": "Жиын", "username": "zhiyn_bot"}


def _answer(line: str, body: bytes) -> tuple[str, bytes]:
    path = line.split()[1]
    if "/Messages" in path:
        sid = f"SM{next(_numbers):032x}"
        return "201 Created", json.dumps({"sid": sid, "status": "queued"}).encode()
    if path.startswith("/v1/"):
        return "201 Created", json.dumps({"sid": f"HX{next(_numbers):032x}"}).encode()
    method = path.rpartition("/")[2].lower()
    result: object = True
    if method == "getme":
        result = _ME
    elif method in ("sendmessage", "editmessagetext", "editmessagereplymarkup"):
        chat = {"id": 1, "type": "private", "first_name": "x"}
        result = {"message_id": next(_numbers), "date": 1_795_000_000, "chat": chat, "text": "x"}
    return "200 OK", json.dumps({"ok": True, "result": result}).encode()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(_answer), "127.0.0.1", int(sys.argv[1]))
    print("started", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
