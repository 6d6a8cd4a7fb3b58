# The opener of open(): the name that is judged is not the file that is opened.
# says: outside the write roots
import io, os
open("inside", "w", opener=lambda path, flags: os.open(outside + "/evil", flags))
