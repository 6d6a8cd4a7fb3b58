# A sub-interpreter has marks and modules of its own.
# host: module
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
made = interpreters.create()
interpreters.run_string(made, "print('ESCAPED')")
