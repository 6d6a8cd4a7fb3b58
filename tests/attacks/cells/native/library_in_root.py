# A native module or library that the cell put into its own folder.
# says: native modules are not loaded from a write root
import sys
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = lambda function, *arguments, **keywords: pool.submit(function, *arguments, **keywords).result()
builtin = vars(sys.modules["builtins"])

import shutil, sysconfig, glob, os
folder = sysconfig.get_config_var("DESTSHARED")
extension = sorted(glob.glob(folder + "/_asyncio*.so") + glob.glob(folder + "/_queue*.so"))[0]
shutil.copyfile(extension, os.path.basename(extension))
name = os.path.basename(extension).split(".")[0]
sys.modules.pop(name, None)
sys.path.insert(0, os.getcwd())
call(builtin["__import__"], name)
