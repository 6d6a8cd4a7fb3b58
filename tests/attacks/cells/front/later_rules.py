# What a cell changes in IPython to have a later cell run past the rules.
# shell: ipython
# policy: 
# says: ban_imports
ip = get_ipython()
import IPython.core.compilerop, ast, sys
try:
    ip.compile.ast_parse = lambda *unused, **more: ast.Module([], [])
    ip.input_transformers_cleanup.append(lambda lines: lines)
    type(ip).transform_ast = lambda self, node: node
    type(ip).ast_node_interactivity = "all"
    sys.modules["safepyrun._ipython_compile"].check_source = lambda *unused: None
except Exception as error:
    print(error)
# %%
import socket
