# A rule on the text of a cell: said before anything runs.
# shell: plain
# policy: 
# says: ban_defs
async def f(): pass
