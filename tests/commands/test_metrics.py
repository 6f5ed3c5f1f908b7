"""/metrics answers to this machine and private networks only."""

import aiohttp
import pytest
from multidict import CIMultiDict
from support.world import World

from bot.webhooks import is_near


@pytest.mark.parametrize(
    ("peer", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("192.168.0.7", True),
        ("172.20.0.2", True),
        ("fd00::7", True),
        ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("8.8.8.8", False),
        ("2a02:6b8::1", False),
        ("", False),
        (None, False),
        ("unix:", False),
    ],
)
def test_who_is_near(peer: str | None, near: bool) -> None:
    assert is_near(peer, CIMultiDict()) is near
    for name in ("x-forwarded-for", "Forwarded", "X-Real-IP", "via"):
        assert not is_near(peer, CIMultiDict({name: "127.0.0.1"})), "nobody knows who asked a proxy"


async def test_through_http(world: World) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{world.url}/metrics") as answer:
            assert answer.status == 200
            assert "zhiyn_" in await answer.text()
        forwarded = {"X-Forwarded-For": "127.0.0.1"}
        async with http.get(f"{world.url}/metrics", headers=forwarded) as answer:
            assert (answer.status, await answer.text()) == (404, "")
