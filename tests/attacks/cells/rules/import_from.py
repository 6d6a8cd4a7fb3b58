# A rule on the text of a cell: said before anything runs.
# shell: both
# policy: 
# says: ban_imports
from socket import socket
