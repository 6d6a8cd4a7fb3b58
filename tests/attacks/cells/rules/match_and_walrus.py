# A rule on the text of a cell: said before anything runs.
# shell: plain
# policy: 
# says: eval
match [1]:
    case [x] if (y := eval): pass
