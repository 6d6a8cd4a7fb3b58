# A comm of a widget runs its callback outside of every cell.
# shell: ipython
# needs: ipywidgets
# policy: 
import ipywidgets
slider = ipywidgets.IntSlider()
slider.observe(lambda change: open(outside + "/evil", "w"), "value")
slider.value = 3
