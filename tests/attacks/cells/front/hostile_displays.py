# Values whose representations are code, as the result and by display().
# shell: both
# expect: any
evil = lambda *unused: open(outside + "/evil", "w").name
methods = ("__repr__", "_repr_html_", "_repr_mimebundle_", "_ipython_display_", "_repr_png_", "_repr_pretty_", "_ipython_canary_method_should_not_exist_")
display(type("Hostile", (), {name: evil for name in methods})())
type("Hostile", (), {name: evil for name in methods})()
