# Reaching the network, or a socket of another process.
import sys
from concurrent.futures import ThreadPoolExecutor
call = lambda function, *arguments, **keywords: ThreadPoolExecutor(1).submit(function, *arguments, **keywords).result()
here = "127.0.0.1"

# %% socket connect
import socket
socket.create_connection((here, port))

# %% raw module
import _socket
_socket.socket(_socket.AF_INET, _socket.SOCK_STREAM).connect((here, port))

# %% socket type by the subclass walk
import ssl
[kind for kind in object.__subclasses__() if kind.__module__ == "_socket" and kind.__name__ == "socket"][0]().connect((here, port))

# %% socket from a module that has one
import selectors, asyncio
asyncio.base_events.socket.create_connection((here, port))

# %% UDP datagram
import socket
socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (here, udp_port))

# %% UDP connected
import socket
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.connect((here, udp_port))
sock.send(b"x")

# %% local socket
import socket
socket.socket(socket.AF_UNIX).connect(unix_path)

# %% local socket by a library — asyncio may make pairs of them
import socket
sock = call(socket.socket, socket.AF_UNIX)
call(sock.connect, unix_path)

# %% local socket bound
import socket
call(call(socket.socket, socket.AF_UNIX).bind, evil)

# %% listening
import socket
server = socket.create_server((here, 0))

# %% connect_ex — an error number in place of an exception
import socket
print(socket.socket().connect_ex((here, port)))

# %% sendmsg
import socket
socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, (here, udp_port))

# %% http client
import http.client
http.client.HTTPConnection(here, port, timeout=0.2).connect()

# %% urlopen
import urllib.request
urllib.request.urlopen(f"http://{here}:{port}", timeout=0.2)

# %% urlopen file — file: URLs read what may not be read
import urllib.request
print(urllib.request.urlopen("file://" + secret).read())

# %% urlretrieve — writes
import urllib.request
urllib.request.urlretrieve("file:///etc/hostname", evil)

# %% ftp
import ftplib
ftplib.FTP().connect(here, port, timeout=0.2)

# %% smtp
import smtplib
smtplib.SMTP(here, port, timeout=0.2)

# %% poplib
import poplib
poplib.POP3(here, port, timeout=0.2)

# %% imap
import imaplib
imaplib.IMAP4(here, port, timeout=0.2)

# %% xml rpc
import xmlrpc.client, threading
thread = threading.Thread(target=lambda: xmlrpc.client.ServerProxy(f"http://{here}:{port}").x(), daemon=True)
thread.start()
thread.join(0.3)

# %% syslog handler of logging
import logging.handlers
logging.handlers.SysLogHandler((here, udp_port)).emit(logging.makeLogRecord({"msg": "x"}))

# %% socket handler of logging
import logging.handlers
logging.handlers.SocketHandler(here, port).emit(logging.makeLogRecord({"msg": "x"}))

# %% datagram handler of logging
import logging.handlers
logging.handlers.DatagramHandler(here, udp_port).emit(logging.makeLogRecord({"msg": "x"}))

# %% http handler of logging
import logging.handlers, threading
handler = logging.handlers.HTTPHandler(f"{here}:{port}", "/")
thread = threading.Thread(target=handler.emit, args=(logging.makeLogRecord({"msg": "x"}),), daemon=True)
thread.start()
thread.join(0.3)

# %% asyncio connection
import asyncio
await asyncio.open_connection(here, port)

# %% asyncio datagrams
import asyncio
transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(here, udp_port))
transport.sendto(b"x")
await asyncio.sleep(0.05)

# %% asyncio server
import asyncio
server = await asyncio.start_server(print, here, 0)

# %% asyncio local connection
import asyncio
await asyncio.open_unix_connection(unix_path)

# %% socketserver
import socketserver
server = socketserver.TCPServer((here, 0), None)

# %% multiprocessing connection
import multiprocessing.connection, threading
thread = threading.Thread(target=multiprocessing.connection.Client, args=((here, port),), daemon=True)
thread.start()
thread.join(0.3)

# %% multiprocessing listener
import multiprocessing.connection
listener = multiprocessing.connection.Listener((here, 0))

# %% multiprocessing manager — connects to another one
import multiprocessing.managers, threading
manager = multiprocessing.managers.BaseManager((here, port), authkey=b"x")
thread = threading.Thread(target=manager.connect, daemon=True)
thread.start()
thread.join(0.3)

# %% netlink — asks the system about its network
import socket
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
print("ESCAPED", sock.getsockname())

# %% ssl wrapped
import ssl, socket, threading
thread = threading.Thread(target=lambda: ssl.create_default_context().wrap_socket(socket.create_connection((here, port))), daemon=True)
thread.start()
thread.join(0.3)

# %% requests
# needs: requests
import requests
requests.get(f"http://{here}:{port}", timeout=0.2)

# %% httpx
# needs: httpx
import httpx
httpx.get(f"http://{here}:{port}", timeout=0.2)

# %% urllib3 pool
# needs: urllib3
import urllib3
urllib3.PoolManager(retries=False).request("GET", f"http://{here}:{port}", timeout=0.2)

# %% tornado client
# needs: tornado
import tornado.tcpclient
await tornado.tcpclient.TCPClient().connect(here, port)

# %% pandas URL
# needs: pandas
import pandas, threading
thread = threading.Thread(target=pandas.read_csv, args=(f"http://{here}:{port}/x.csv",), daemon=True)
thread.start()
thread.join(0.3)

# %% prometheus exporter — a server in a thread
# needs: prometheus_client
import prometheus_client
prometheus_client.start_http_server(0, here)

# %% name of a local socket by an option — Linux binds whoever wants to know who sends; any process can send to it then
import asyncio.base_events
kind = type(asyncio.base_events.socket.socketpair()[0]).__mro__[1]
sock = call(kind, 1, 2)
sock.setsockopt(1, 16, 1)
try:
    sock.send(b"x")
except OSError:
    print("ESCAPED" if sock.getsockname() else "")
