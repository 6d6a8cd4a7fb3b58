"""Answers to the requests of a front end's debugger (Debug Adapter Protocol, and Jupyter's additions to it).

Only words and lists are made here. Where a cell stops, and what counts as user code, is decided in C:
`evaluate(frame, text, statements)` runs what a person typed under the rules for cells, and `call(function, arguments)`
runs what asks values about themselves, for a second at most. Values of the user's are touched by _dap_values alone.
"""

from time import monotonic
from types import ModuleType

from safepyrun._library import load
from safepyrun._dap_values import attributes, describe, error_text, is_class, is_function, pairs, value_named

_SECONDS = 3        # for all values of one answer
_SHOWN = 500        # children of one value
_TEXT = 2000        # characters of one value


class Refused(Exception):
    """Words for whoever asked."""


class _Group:
    """What is told in a line of its own, to be opened."""

    def __init__(self, frame, entries):
        self.frame, self.entries = frame, entries


class _Value:
    """Something with children. `expression` finds it again, in `frame` (-1: among the variables of the cells)."""

    def __init__(self, frame, value, expression):
        self.frame, self.value, self.expression = frame, value, expression


class Adapter:
    def __init__(self, shell, initial, functions):
        self._shell, self._initial = shell, initial
        self._evaluate, self._call = functions["evaluate"], functions["call"]
        self._path, self._text, self._complain = functions["path"], functions["text"], functions["complain"]
        self._first_frame = 1
        self._references, self._first_reference = [], 1
        self._frames = []

    def forget(self):
        """The cell goes on: what was shown is not true any more."""
        self._first_reference += len(self._references)
        self._references = []
        self._first_frame += len(self._frames)
        self._frames = []

    def handle(self, request, frames):
        self._frames = frames
        command, arguments = request.get("command"), request.get("arguments")
        answer = {"seq": 0, "type": "response", "request_seq": request.get("seq"), "success": True, "command": command, "body": {}}
        try:
            if command not in _COMMANDS:
                raise Refused(f"this debugger knows no {command}")
            answer["body"] = _COMMANDS[command](self, arguments if type(arguments) is dict else {})
        except Refused as refused:
            answer.update(success=False, message=str(refused))
        except Exception as error:
            answer.update(success=False, message=self._call(error_text, (error, _TEXT)))
            # JupyterLab says "Evaluation resulted in an error", and not which.
            if command == "evaluate" and frames and arguments.get("context") == "repl":
                self._complain(f"debugger: {answer['message']}\n")
        return answer

    # ---- frames --------------------------------------------------------------------------------

    def _index(self, arguments, name="frameId"):
        """Of a frame in the stop; -1: none was named."""
        number = arguments.get(name)
        if not number:
            return -1
        index = number - self._first_frame if type(number) is int else -1
        if not 0 <= index < len(self._frames):
            raise Refused("there is no such frame: the cell went on")
        return index

    def _names(self, index):
        return self._shell.namespace if index < 0 else self._frames[index].f_locals

    def stack_trace(self, arguments):
        start, levels = arguments.get("startFrame") or 0, arguments.get("levels") or len(self._frames)
        shown = [self._frame(index, frame) for index, frame in enumerate(self._frames)]
        return {"stackFrames": shown[start:start + levels], "totalFrames": len(shown)}

    def _frame(self, index, frame):
        path, offset = self._path(frame.f_code.co_filename)
        return {"id": self._first_frame + index, "name": frame.f_code.co_name, "line": (frame.f_lineno or 0) + offset, "column": 1,
                "source": {"path": path, "name": path.rpartition("/")[2], "sourceReference": 0}}

    @staticmethod
    def code_lines(text):
        ast = load("ast")
        tree = compile(text, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
        return sorted({node.lineno for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.expr))
                       and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))})

    @staticmethod
    def traceback_frames(traceback):
        frames = []
        while traceback is not None:
            frames.append(traceback.tb_frame)
            traceback = traceback.tb_next
        return frames

    def scopes(self, arguments):
        index = self._index(arguments)
        frame = self._frames[max(index, 0)] if self._frames else None
        spaces = [("Locals", self._names(index)), ("Globals", frame.f_globals if frame else self._shell.namespace)]
        return {"scopes": [{"name": name, "presentationHint": name.lower(), "expensive": False,
                            "variablesReference": self._refer(_Group(index, self._call(self._grouped, (index, space))))}
                           for name, space in spaces]}

    def source(self, arguments):
        path = (arguments.get("source") or {}).get("path")
        if type(path) is not str:
            raise Refused("which source?")
        text = self._text(path)
        if text is None:
            text = self._call(_read, (path,))
        return {"content": text, "mimeType": "text/x-python"}

    def modules(self, arguments):
        shown = self._call(_modules, ())
        start, count = arguments.get("startModule") or 0, arguments.get("moduleCount") or len(shown)
        return {"modules": shown[start:start + count], "totalModules": len(shown)}

    # ---- variables -----------------------------------------------------------------------------

    def _refer(self, target):
        self._references.append(target)
        return self._first_reference + len(self._references) - 1

    def _target(self, arguments):
        number = arguments.get("variablesReference")
        at = number - self._first_reference if type(number) is int else -1
        if not 0 <= at < len(self._references):
            raise Refused("there is no such variable: the cell went on")
        return self._references[at]

    def _grouped(self, index, space):
        """Below call(): (name, value, expression) of a namespace; what few look for stands in groups, as debugpy has it."""
        plain, special, functions, classes = [], [], [], []
        is_global = space is self._shell.namespace
        for name, value in pairs(space):
            if type(name) is not str:
                continue
            hidden = is_global and name in self._initial and self._initial[name] is value
            group = special if hidden or name[:2] == "__" == name[-2:] or is_global and name[:1] == "_" and name.lstrip("_i").isdigit() \
                or name in ("_", "__", "___", "_i", "_ii", "_iii") and is_global else \
                functions if is_function(value) else classes if is_class(value) else plain
            group.append((name, value, name))
        groups = (("special variables", special), ("function variables", functions), ("class variables", classes))
        return [(name, _Group(index, entries), "") for name, entries in groups if entries] + plain

    def _listed(self, index, entries):
        """Runs below call(): the texts of values are theirs to say."""
        until = monotonic() + _SECONDS
        return [self._variable(index, *entry, until) for entry in entries]

    def _variable(self, index, name, value, expression, until):
        if type(value) is _Group:
            return {"name": name, "value": "", "type": "", "evaluateName": "", "variablesReference": self._refer(value),
                    "presentationHint": {"kind": "virtual"}}
        text, kind, opens = describe(value, _TEXT) if monotonic() < until else ("... (values took too long)", "", False)
        return {"name": name, "value": text, "type": kind, "evaluateName": expression,
                "variablesReference": self._refer(_Value(index, value, expression)) if opens else 0}

    def _children(self, target):
        entries = target.entries if type(target) is _Group else attributes(target.value, target.expression, _SHOWN)
        return self._listed(target.frame, entries)

    def variables(self, arguments):
        shown = self._call(self._children, (self._target(arguments),))
        start, count = arguments.get("start") or 0, arguments.get("count") or len(shown)
        return {"variables": shown[start:start + count]}

    def inspect_variables(self, arguments):
        if not self._frames:
            self.forget()
        entries = self._call(self._grouped, (-1, self._shell.namespace))
        return {"variables": self._call(self._listed, (-1, [entry for entry in entries if entry[0] != "special variables"]))}

    # ---- what is typed ---------------------------------------------------------------------------

    def evaluate(self, arguments):
        text, index = arguments.get("expression"), self._index(arguments)
        if type(text) is not str:
            raise Refused("an expression is a text")
        value = self._evaluate(index, text, arguments.get("context") != "hover")
        if type(value) is str and index < 0 and arguments.get("context") == "repl":
            return {"result": value[:_TEXT], "type": "str", "variablesReference": 0}
        return self._result(index, value, text)

    def _result(self, index, value, text):
        shown, = self._call(self._listed, (index, [("", value, text)]))
        return {"result": "" if value is None else shown["value"], "value": shown["value"], "type": shown["type"],
                "variablesReference": shown["variablesReference"]}

    def set_variable(self, arguments):
        target, name, text = self._target(arguments), arguments.get("name"), arguments.get("value")
        if type(name) is not str or type(text) is not str:
            raise Refused("which variable, and which value?")
        entries = target.entries if type(target) is _Group else \
            self._call(attributes, (target.value, target.expression, _SHOWN))
        expression = next((entry[2] for entry in entries if entry[0] == name and entry[2]), None)
        if expression is None:
            raise Refused(f"{name} cannot be assigned")
        self._evaluate(target.frame, f"{expression} = (\n{text}\n)", True)
        return self._result(target.frame, self._evaluate(target.frame, expression, False), expression)

    def _named(self, arguments, name, index):
        """Below call(): the value of a variable, by its name."""
        wanted = arguments.get(name)
        if type(wanted) is not str or not wanted.isidentifier():
            raise Refused("a variable is named by an identifier")
        found = value_named(wanted, self._names(index), self._shell.namespace if index < 0 else self._frames[index].f_globals)
        if not found:
            raise Refused(f"there is no variable {wanted}")
        return found[0]

    def rich_inspect(self, arguments):
        value = self._call(self._named, (arguments, "variableName", self._index(arguments)))
        data, metadata = self._call(self._shell.mime_bundle, (value,))
        return {"data": data, "metadata": metadata}

    def copy_to_globals(self, arguments):
        name = arguments.get("dstVariableName")
        if type(name) is not str or not name.isidentifier():
            raise Refused("a variable is named by an identifier")
        index = self._index(arguments, "srcFrameId")
        value = self._call(self._named, (arguments, "srcVariableName", index))
        space = self._shell.namespace if index < 0 else self._frames[index].f_globals
        self._call(dict.__setitem__, (space, name, value))
        return self._result(index, value, name)


_COMMANDS = {
    "stackTrace": Adapter.stack_trace, "scopes": Adapter.scopes, "variables": Adapter.variables, "source": Adapter.source,
    "modules": Adapter.modules, "inspectVariables": Adapter.inspect_variables, "evaluate": Adapter.evaluate,
    "setVariable": Adapter.set_variable, "richInspectVariables": Adapter.rich_inspect, "copyToGlobals": Adapter.copy_to_globals,
}


# ---- below call() --------------------------------------------------------------------------------

def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(1 << 20)


def _modules():
    import sys
    shown = []
    for name, module in list(sys.modules.items()):
        file = ModuleType.__getattribute__(module, "__dict__").get("__file__") if type(module) is ModuleType else None
        if type(name) is str and type(file) is str and file.endswith(".py"):
            shown.append({"id": len(shown), "name": name, "path": file})
    return shown
