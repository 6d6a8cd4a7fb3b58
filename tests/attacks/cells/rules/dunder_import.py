# A rule on the text of a cell: said before anything runs.
# shell: plain
# policy: 
# says: __import__
__import__('socket')
