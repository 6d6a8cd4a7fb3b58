# Paths that change between the check and the use: str, bytes and int with lying methods, __fspath__ (smolagents, fastaudit).
# says: outside the write roots
import os, io, sqlite3
lie = lambda *unused: "inside"
Text = type("Text", (str,), {name: lie for name in ("__str__", "__repr__", "__fspath__", "startswith", "encode", "__eq__", "__getitem__")} | {"__hash__": str.__hash__})
Bytes = type("Bytes", (bytes,), {"__fspath__": lambda self: b"inside", "decode": lie, "__bytes__": lambda self: b"inside"})
class_ = type("Path", (), {"turn": 0})
answers = ["inside", outside + "/evil"]
class_.__fspath__ = lambda self: answers[min(1, vars(self).update(turn=self.turn + 1) or self.turn - 1)]
refused = 0
for attempt in (lambda: open(Text(outside + "/evil"), "w"), lambda: open(Bytes(outside.encode() + b"/evil"), "w"),
                lambda: io.FileIO(class_(), "w"), lambda: os.open(Text(outside + "/evil"), os.O_CREAT | os.O_RDWR),
                lambda: os.unlink(Text(outside + "/victim")), lambda: open(outside + "/evil", Text("w")),
                lambda: io.FileIO(bytearray(outside.encode() + b"/evil"), "w")):
    try:
        attempt()
        print("ESCAPED")
    except (PermissionError, TypeError) as error:
        refused += 1
assert refused == 7, refused
open(class_(), "w").close()
print(os.listdir("."))
open(Text(outside + "/evil"), "w")
