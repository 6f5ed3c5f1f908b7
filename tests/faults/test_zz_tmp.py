import time, asyncio
async def test_parts(village, emulator):
    from support.world import *
    from support.database import empty
    from services.territory_import import DEMO_PLACES, import_territory
    for _ in range(2):
        T=time.time()
        def P(w):
            nonlocal T
            print("@@",w,round(time.time()-T,3)); T=time.time()
        await empty(village.database); P("empty")
        async with village.session() as s:
            await import_territory(s, DEMO_PLACES, village.clock.now())
        P("import")
        from services import keys
        from support.database import SECRET
        async with village.session() as s:
            village.keyring = await keys.open_keyring(s, SECRET, village.clock.now())
        P("keys")
        port=free_port(); emulator.add_sender(SENDER, webhook=f"http://127.0.0.1:{port}/whatsapp")
        app = await start_app(village, emulator.base, port); P("make_app")
        from bot.serve import listen
        runner = await listen(app,"127.0.0.1"); P("listen")
        await app.start(); P("start")
        await app.announce(); P("announce")
        await runner.cleanup(); P("cleanup")
        await app.stop(); P("stop")
