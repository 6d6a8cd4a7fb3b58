# What runs after the cell: atexit, asyncio callbacks, timers, register_at_fork.
# says: start a program
import atexit, asyncio, os, threading
touch = f"touch {outside}/evil"
atexit.register(os.system, touch)
atexit.register(lambda: open(outside + "/evil", "w"))
loop = asyncio.get_event_loop_policy().get_event_loop()
loop.call_soon(os.system, touch)
loop.call_later(0.01, lambda: open(outside + "/evil", "w"))
loop.call_soon_threadsafe(os.system, touch)
os.register_at_fork(before=lambda: os.system(touch))
threading.Timer(0.01, os.system, [touch]).start()
await asyncio.sleep(0.1)
# %%
import asyncio
await asyncio.sleep(0.1)
os.system(touch)
