"""A front end's debugger for the guard alone: what a kernel process keeps for it, and what it asks while a cell stands still."""

import json

SEED = 0x5AFE


def murmur2(data, seed=SEED):
    """Another way to write guard/link/murmur.c"""
    mix = lambda n: (n := n * 0x5BD1E995 & 0xFFFFFFFF, (n ^ n >> 24) * 0x5BD1E995 & 0xFFFFFFFF)[1]  # noqa: E731
    hash, whole = seed ^ len(data), len(data) & ~3
    for at in range(0, whole, 4):
        hash = hash * 0x5BD1E995 & 0xFFFFFFFF ^ mix(int.from_bytes(data[at:at + 4], "little"))
    if data[whole:]:
        hash = (hash ^ int.from_bytes(data[whole:], "little")) * 0x5BD1E995 & 0xFFFFFFFF
    hash = (hash ^ hash >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return hash ^ hash >> 15


def path_of(code):
    return f"/cells/{murmur2(code.encode())}.py"


class Stops:
    """A guard, and what a kernel process would keep for it."""

    def __init__(self, guard):
        self.guard, self.number = guard, 0

    def set(self, code="", *lines, path=None, filters=(), attached=True, **more):
        """Breakpoints on these lines of a cell, or of the file `path`."""
        breakpoints = {path or path_of(code): [{"line": line, **more} for line in lines]}
        settings = {"attached": attached, "prefix": "/cells/", "breakpoints": breakpoints, "filters": list(filters)}
        self.guard.send("DEBUG", 0, b"settings", b"0", json.dumps(settings).encode())

    def start(self, code, *lines, **settings):
        self.set(code, *lines, **settings)
        self.cell = self.guard.start(code)

    def send(self, command, **arguments):
        self.number += 1
        request = {"type": "request", "seq": self.number, "command": command, "arguments": arguments}
        self.guard.send("DEBUG", self.cell, b"stopped", str(self.number).encode(), json.dumps(request).encode())

    def frame(self, name):
        while (frame := self.guard.receive()).name != name:
            assert frame.name in ("DEBUG_EVENT", "STDOUT", "STDERR", "DENIAL"), frame
        return frame

    def ask(self, command, **arguments):
        self.send(command, **arguments)
        reply = json.loads(self.frame("DEBUG_REPLY").parts[0])
        assert reply["request_seq"] == self.number
        return reply if reply["success"] is False else reply["body"]

    def stopped(self):
        event = json.loads(self.frame("DEBUG_EVENT").parts[0])
        assert event["event"] == "stopped", event
        return event["body"]["reason"], self.ask("stackTrace")["stackFrames"]

    def where(self):
        _, frames = self.stopped()
        return frames[0]["name"], frames[0]["line"]

    def evaluate(self, text, frame=None, context="repl"):
        return self.ask("evaluate", expression=text, context=context, frameId=frame["id"] if frame else 0)

    def variables(self, frame, scope="Locals"):
        scopes = self.ask("scopes", frameId=frame["id"])["scopes"]
        reference, = (each["variablesReference"] for each in scopes if each["name"] == scope)
        return {each["name"]: each["value"] for each in self.ask("variables", variablesReference=reference)["variables"]}

    def done(self):
        return self.guard.collect(self.cell)
