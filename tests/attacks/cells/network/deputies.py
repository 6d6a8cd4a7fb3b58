# A socket made by a library (asyncio may have AF_UNIX pairs), then connected, bound or used to send.
# policy: ban_defs = false; ban_imports = []
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import socket, asyncio, _socket
one, two = socket.socketpair()
sock = call(socket.socket, socket.AF_UNIX)
refused = 0
for attempt in (lambda: call(socket.socket, socket.AF_INET), lambda: sock.connect(outside + "/victim"), lambda: sock.connect_ex("\0x"),
                lambda: sock.bind(outside + "/evil"), lambda: call(sock.bind, outside + "/evil"), lambda: call(sock.bind, "\0evil"),
                lambda: call(socket.create_connection, ("127.0.0.1", port)), lambda: sock.sendto(b"x", "/dev/log"),
                lambda: call(_socket.getaddrinfo, "localhost", 80), lambda: one.sendmsg([b""], [(1, 1, b"\1\0\0\0")])):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 10, refused
await asyncio.open_unix_connection(outside + "/victim")
