# An exception whose texts are code: __str__, __repr__, __notes__, a loader with get_source, a name in linecache.
# shell: both
# expect: any
import sys
evil = lambda *unused: open(outside + "/evil", "w").name
Hostile = type("Hostile", (Exception,), {"__str__": evil, "__repr__": evil, "__notes__": property(evil), "__traceback__": property(evil)} )
Loader = type("Loader", (), {"get_source": evil, "get_code": evil})
__loader__ = Loader()
raise Hostile(1)
