# An input transformer that writes exec() into each cell.
# shell: ipython
# policy: 
# says: exec
get_ipython().input_transformers_post.append(lambda lines: ["exec('1')\n"] if lines == ["pass\n"] else lines)
# %%
pass
