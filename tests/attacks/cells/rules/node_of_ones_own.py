# A tree with what only says that it is a node: compile() believes its __class__.
# shell: ipython
# policy: 
# says: no node of Python's grammar
import ast, weakref
hidden = ast.parse("def escape():\n    print('ESCAPED')\nescape()").body
Swap = type("Swap", (), {"visit": lambda self, tree: (setattr(tree.body[0], "body", [weakref.proxy(hidden[0]), hidden[1]]) if isinstance(tree.body[0], ast.If) else None, tree)[1]})
get_ipython().ast_transformers.append(Swap())
# %%
if 1:
    pass
