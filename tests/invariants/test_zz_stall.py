import time, asyncio
from support.messengers import emulator, world
from support.people import rows
import importlib.util, sys
spec=importlib.util.spec_from_file_location("tp","/work/main/tests/invariants/test_privacy.py"); tp=importlib.util.module_from_spec(spec); spec.loader.exec_module(tp)
import pytest
@pytest.mark.parametrize("n",range(4))
async def test_it(world,n):
    t=time.monotonic()
    try:
        await tp.register(world)
    except TimeoutError as e:
        for r in await rows(world.db,"select outcome,waiting_for,detail,attempts,not_before,claimed_until,created_at,sent_at,priority from delivery order by seq"): print(tuple(r))
        print(world.db.clock.now(), world.app.senders)
        print(await rows(world.db,"select next_slot from account"))
        print([ (i.form["Body"],i.answers) for i in world.emulator.whatsapp.inbound.values()])
        raise
    print("took",time.monotonic()-t)
