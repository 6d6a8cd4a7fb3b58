# A rule on the text of a cell: said before anything runs.
# shell: plain
# policy: 
# says: compile
f = lambda: compile('1', '', 'eval')
