# A rule on the text of a cell: said before anything runs.
# shell: plain
# policy: 
# says: exec
from builtins import exec as harmless
