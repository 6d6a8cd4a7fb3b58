# An AST transformer that puts a banned statement into each cell.
# shell: ipython
# policy: 
# says: ban_imports
import ast
Swap = type("Swap", (ast.NodeTransformer,), {"visit_Pass": lambda self, node: ast.copy_location(ast.Import([ast.alias("socket")]), node)})
get_ipython().ast_transformers.append(Swap())
# %%
pass
