# Each way to a socket, names and lookups included.
# policy: ban_defs = false; ban_imports = []
# expect: PermissionError
import socket, _socket, asyncio, http.client, urllib.request, ftplib, smtplib, poplib, imaplib, ssl, socketserver, xmlrpc.client, logging.handlers, multiprocessing.connection
here = "127.0.0.1"
attempts = [lambda: socket.socket(), lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
            lambda: _socket.socket(), lambda: socket.create_connection((here, port)), lambda: socket.create_server((here, 0)),
            lambda: socket.getaddrinfo("localhost", 80), lambda: socket.gethostbyname("localhost"), lambda: socket.gethostbyaddr(here),
            lambda: socket.getnameinfo((here, 80), 0), lambda: http.client.HTTPConnection(here, port).connect(),
            lambda: http.client.HTTPConnection(here, port).request("GET", "/"), lambda: urllib.request.urlopen(f"http://{here}:{port}"),
            lambda: urllib.request.urlretrieve("file:///etc/passwd", outside + "/evil"), lambda: ftplib.FTP(here),
            lambda: smtplib.SMTP(here, port), lambda: poplib.POP3(here, port), lambda: imaplib.IMAP4(here, port),
            lambda: socketserver.TCPServer((here, 0), None), lambda: xmlrpc.client.ServerProxy(f"http://{here}:{port}").x(),
            lambda: multiprocessing.connection.Client((here, port)), lambda: multiprocessing.connection.Listener("l"),
            lambda: socket.sethostname("evil"), lambda: socket.fromfd(0, socket.AF_INET, socket.SOCK_STREAM)]
assert refused(attempts) == len(attempts)
await asyncio.open_connection(here, port)
