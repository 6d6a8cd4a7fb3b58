# Descriptors on the classes of the syntax tree: the compiler reads another tree than the rules.
# policy: 
# expect: any
import _ast
names = {}
try:
    _ast.Name.id = property(lambda self: "exec" if names.get(self) == "harmless" else names.get(self), lambda self, value: names.update({self: value}))
except TypeError:
    pass
# %%
harmless("open(outside + '/evil', 'w')")
