# What IPython, displays, comms and questions of clients run beside the cells.
import os, sys
ip = get_ipython()
command = " ".join(touch)

# %% shell escape
# shell: ipython
!touch $evil

# %% shell capture
# shell: ipython
found = !touch $evil

# %% shell magic
# shell: ipython
%sx touch $evil

# %% cell script
# shell: ipython
%%bash -s
touch ../outside/evil

# %% script magic — any program
# shell: ipython
%%script sh
touch ../outside/evil

# %% python script magic
# shell: ipython
%%python3
open('../outside/evil', 'w')

# %% write file magic
# shell: ipython
%%writefile ../outside/evil
x

# %% save magic
# shell: ipython
%save -f ../outside/evil.py 1

# %% log magic
# shell: ipython
%logstart ../outside/evil

# %% cd magic
# shell: ipython
%cd ../outside
open('evil', 'w')

# %% run magic
# shell: ipython
open('program.py', 'w').write(f'import os; os.system({command!r})')
%run program.py

# %% load extension — a module of the cell's own
# shell: ipython
open('sly_extension.py', 'w').write(f'import os\ndef load_ipython_extension(ip): os.system({command!r})')
%load_ext sly_extension

# %% timeit magic
# shell: ipython
%timeit -n1 -r1 os.system(command)

# %% prun magic — writes its result
# shell: ipython
%prun -T ../outside/evil 1

# %% alias
# shell: ipython
ip.alias_manager.define_alias('sly', command)
# --
%sly

# %% magic of one's own
# shell: ipython
ip.register_magic_function(lambda line: os.system(command), magic_name='sly')
# --
%sly

# %% cell magic of one's own
# shell: ipython
ip.register_magic_function(lambda line, cell: vars(sys.modules['builtins'])['exec'](cell), 'cell', 'sly')
# --
%%sly
__import__('os').system(' '.join(get_ipython().user_ns['touch']))

# %% run_cell — text given to the shell
# shell: ipython
ip.run_cell(f'open({evil!r}, "w")')

# %% run_code
# shell: ipython
import asyncio
await ip.run_code(vars(sys.modules['builtins'])['compile'](f'open({evil!r}, "w")', 'x', 'exec'))

# %% ex and ev
# shell: ipython
ip.ex(f'open({evil!r}, "w")')

# %% system of the shell
# shell: ipython
ip.system(command)

# %% getoutput of the shell
# shell: ipython
ip.getoutput(command)

# %% input transformer — writes code into each cell
# shell: ipython
ip.input_transformers_post.append(lambda lines: [f'open({evil!r}, "w")\n'])
# --
pass

# %% cleanup transformer
# shell: ipython
ip.input_transformers_cleanup.append(lambda lines: [f'open({evil!r}, "w")\n'])
# --
pass

# %% tree transformer
# shell: ipython
import ast
Sly = type('Sly', (ast.NodeTransformer,), {'visit_Pass': lambda self, node: ast.copy_location(ast.parse(f'open({evil!r}, "w")').body[0], node)})
ip.ast_transformers.append(Sly())
# --
pass

# %% event before a cell
# shell: ipython
ip.events.register('pre_execute', lambda: open(evil, 'w'))
# --
pass

# %% event after a cell
# shell: ipython
ip.events.register('post_run_cell', lambda result: open(evil, 'w'))
# --
pass

# %% exception handler of the shell
# shell: ipython
ip.set_custom_exc((ZeroDivisionError,), lambda *unused, **more: open(evil, 'w') and None)
# --
1 / 0

# %% hook of the shell
# shell: ipython
ip.set_hook('synchronize_with_editor', lambda *unused: open(evil, 'w'))
ip.hooks.synchronize_with_editor('x', 1, 1)

# %% formatter — a function for a type
# shell: ipython
ip.display_formatter.formatters['text/html'].for_type(int, lambda number: str(open(evil, 'w')))
# --
1

# %% representation
# shell: ipython
type('Sly', (), {'__repr__': lambda self: str(open(evil, 'w'))})()

# %% representation in HTML
# shell: ipython
type('Sly', (), {'_repr_html_': lambda self: str(open(evil, 'w'))})()

# %% representation as a bundle
# shell: ipython
type('Sly', (), {'_repr_mimebundle_': lambda self, **more: {'text/plain': str(open(evil, 'w'))}})()

# %% display of its own
# shell: ipython
display(type('Sly', (), {'_ipython_display_': lambda self: open(evil, 'w')})())

# %% canary attribute — a class that has every attribute
# shell: ipython
type('Sly', (), {'__getattr__': lambda self, name: open(evil, 'w')})()

# %% text of an error
# shell: ipython
Sly = type('Sly', (Exception,), {'__str__': lambda self: str(open(evil, 'w'))})
raise Sly()

# %% notes of an error
# shell: ipython
Sly = type('Sly', (Exception,), {'__notes__': property(lambda self: [str(open(evil, 'w'))])})
raise Sly()

# %% traceback renderer of an error
# shell: ipython
Sly = type('Sly', (Exception,), {'_render_traceback_': lambda self: [str(open(evil, 'w'))]})
raise Sly()

# %% source of an error — a loader is asked for the lines
# shell: ipython
__loader__ = type('Sly', (), {'get_source': lambda self, name: str(open(evil, 'w'))})()
source = 'def sly(): 1 / 0'
space = {'__loader__': __loader__, '__name__': 'sly'}
import linecache
linecache.lazycache('sly.py', space)
print(linecache.getlines('sly.py', space))

# %% display hook of the shell
# shell: ipython
type(sys.displayhook).__call__ = lambda self, value=None: open(evil, 'w') and None
# --
1

# %% display publisher hook
# shell: ipython
ip.display_pub.register_hook(lambda message: open(evil, 'w') and None)
# --
display(1)

# %% output capture
# shell: ipython
import IPython.utils.capture
with IPython.utils.capture.capture_output() as got:
    os.system(command)

# %% history file
# shell: ipython
%history -f ../outside/evil

# %% notebook export
# shell: ipython
%notebook ../outside/evil.ipynb

# %% file links
# shell: ipython
import IPython.display
display(IPython.display.FileLink('x'))
print(IPython.display.Image(filename=secret, format='png').data)

# %% display reads a file
# shell: ipython
import IPython.display
print(IPython.display.HTML(filename=secret).data)

# %% display fetches a URL
# shell: ipython
import IPython.display, socket
socket.setdefaulttimeout(0.5)       # nobody answers there
IPython.display.HTML(url=f'http://127.0.0.1:{port}/')

# %% code by pycat
# shell: ipython
%pycat ../private/secret

# %% load magic — reads a file into a cell
# shell: ipython
import builtins
print(ip.find_user_code(secret, py_only=False))

# %% store
# shell: ipython
ip.run_line_magic('pinfo', 'open')
open(evil, 'w')

# %% async runner — %autoawait with a function of the cell's own
# shell: ipython
ip.loop_runner_map['sly'] = (lambda coroutine: os.system(command), False)
ip.loop_runner_map['sly'][0](None)

# %% completer — attributes are asked while one types
# shell: ipython
Sly = type('Sly', (), {'__dir__': lambda self: [str(open(evil, 'w'))]})
print(ip.Completer.attr_matches('Sly().') if hasattr(ip.Completer, 'attr_matches') else dir(Sly()))
dir(Sly())

# %% inspection — __signature__ of an object
# shell: ipython
import inspect
Sly = type('Sly', (), {'__signature__': property(lambda self: open(evil, 'w')), '__call__': lambda self: 0})
ip.inspector.info(Sly())

# %% deep reload
# shell: ipython
open('sly_module.py', 'w').write(f'import os; os.system({command!r})')
import sly_module

# %% widget callback — a comm runs it when a client says so
# shell: ipython
# needs: ipywidgets
import ipywidgets
slider = ipywidgets.IntSlider()
slider.observe(lambda change: open(evil, "w"), "value")
slider.value = 3

# %% comm target
# shell: ipython
# needs: comm
import comm
manager = comm.get_comm_manager()
manager.register_target("sly", lambda channel, message: open(evil, "w"))
manager.targets["sly"](None, None)

# %% plot backend — a module of the cell's own
# shell: ipython
# needs: matplotlib
open("sly_backend.py", "w").write(f"from matplotlib.backends.backend_agg import *\nimport os; os.system({command!r})")
import matplotlib
matplotlib.use("module://sly_backend")
import matplotlib.pyplot
matplotlib.pyplot.figure()
