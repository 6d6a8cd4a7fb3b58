# A tree with a list of a class of the cell's own, which compile() takes for a list.
# shell: ipython
# policy: 
# says: no node of Python's grammar
import ast
List = type("List", (list,), {})
found = List(ast.parse("def escape():\n    print('ESCAPED')\nescape()").body)
Swap = type("Swap", (), {"visit": lambda self, tree: (setattr(tree.body[0], "body", found) if isinstance(tree.body[0], ast.If) else None, tree)[1]})
get_ipython().ast_transformers.append(Swap())
# %%
if 1:
    pass
