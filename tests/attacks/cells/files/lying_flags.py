# Flags with lying operators, handed to os.open() and to sys.audit() itself (the __ne__ object of a published audit-hook puzzle).
# says: outside the write roots
import os, sys
ran = []
note = lambda *arguments: ran.append(1) or 0
Flags = type("Flags", (int,), {name: note for name in ("__and__", "__rand__", "__or__", "__eq__", "__ne__", "__int__", "__index__", "__bool__")} | {"__hash__": int.__hash__})
Evil = type("evil", (object,), {"__ne__": note, "__eq__": note, "__and__": note, "__str__": lambda s: note() or "", "__repr__": lambda s: note() or "", "__fspath__": lambda s: note() or ""})
for event in ("open", "os.remove", "subprocess.Popen", "os.chmod", "import", "sqlite3.connect"):
    try:
        sys.audit(event, Evil(), Evil(), Evil(), Evil())
    except PermissionError:
        pass
assert not ran, "the hook ran code of the cell"
os.open(outside + "/evil", Flags(os.O_CREAT | os.O_WRONLY))
