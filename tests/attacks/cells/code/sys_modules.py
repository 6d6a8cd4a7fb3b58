# Replacing what the guard or its glue uses in sys.modules and builtins does not loosen anything.
# policy: 
# shell: both
# says: ban_imports
import sys, builtins, json, types
guard = sys.modules["safepyrun._guard"]
for name in ("check_ast", "evaluate", "run_cell", "input", "log"):
    setattr(guard, name, lambda *arguments, **keywords: None)
for name in [name for name in sys.modules if name.startswith("safepyrun")]:
    module = sys.modules[name]
    for key in [key for key in vars(module) if key.startswith("check") or key.startswith("_check")]:
        setattr(module, key, lambda *unused: None)
json.dumps = json.loads = lambda *unused, **more: "{}"
builtins.PermissionError = ValueError
sys.audit = lambda *unused: None
# %%
import socket
