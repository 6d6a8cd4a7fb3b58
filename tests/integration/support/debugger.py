"""A front end's debugger, as JupyterLab's: DAP in debug_request on control, events on iopub."""

import itertools


class Debugger:
    def __init__(self, front):
        self.front, self.counter = front, itertools.count(1)

    def send(self, command, **arguments):
        content = {"type": "request", "seq": next(self.counter), "command": command, "arguments": arguments}
        return self.front.send("control", "debug_request", content), content

    def response(self, sent, timeout=10):
        msg_id, content = sent
        reply = self.front.reply(msg_id, channel="control", timeout=timeout).content
        assert reply["type"] == "response" and reply["request_seq"] == content["seq"], reply
        assert reply["command"] == content["command"], reply
        return reply

    def ask(self, command, timeout=10, **arguments):
        """The body of a request that must succeed."""
        reply = self.response(self.send(command, **arguments), timeout)
        assert reply["success"], reply
        return reply["body"]

    def refused(self, command, **arguments):
        """The message of one that must not."""
        reply = self.response(self.send(command, **arguments))
        assert not reply["success"], reply
        return reply["message"]

    def attach(self):
        self.ask("initialize", clientID="test", adapterID="", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
        self.ask("attach")
        return self

    def break_at(self, code, *lines, **more):
        path = self.ask("dumpCell", code=code)["sourcePath"]
        breakpoints = [{"line": line, **more} for line in lines]
        answer = self.ask("setBreakpoints", source={"path": path}, breakpoints=breakpoints, sourceModified=False)
        assert [each["line"] for each in answer["breakpoints"]] == list(lines)
        self.ask("configurationDone")
        return path

    def event(self, name, timeout=10):
        return self.front.take("iopub", lambda m: m.msg_type == "debug_event" and m.content["event"] == name, timeout).content["body"]

    def stopped(self, timeout=10):
        """Why the cell stands still, and the frames of it."""
        body = self.event("stopped", timeout)
        return body["reason"], self.ask("stackTrace", threadId=body["threadId"])["stackFrames"]

    def where(self, timeout=10):
        """(function, line) of the innermost frame at the next stop"""
        _, frames = self.stopped(timeout)
        return frames[0]["name"], frames[0]["line"]

    def variables(self, frame, scope="Locals"):
        scopes = self.ask("scopes", frameId=frame["id"])["scopes"]
        reference = next(each["variablesReference"] for each in scopes if each["name"] == scope)
        return self.inside(reference)

    def inside(self, reference):
        return {each["name"]: each for each in self.ask("variables", variablesReference=reference)["variables"]}

    def go(self, command="continue"):
        self.ask(command, threadId=1)
