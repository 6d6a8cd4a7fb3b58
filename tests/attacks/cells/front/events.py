# Callbacks of IPython's events, and its display hook.
# shell: ipython
# policy: 
evil = lambda *unused: open(outside + "/evil", "w")
ip = get_ipython()
for name in ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell"):
    ip.events.register(name, evil)
# %%
1
# %%
open(outside + "/evil", "w")
