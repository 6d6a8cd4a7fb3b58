# A rule on the text of a cell: said before anything runs.
# shell: plain
# policy: 
# says: eval
x: eval('1') = 1
