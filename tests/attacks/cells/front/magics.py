# Magics that write, run programs and run text.
# shell: ipython
# policy: 
ip = get_ipython()
refused = 0
for attempt in (lambda: ip.run_cell_magic("writefile", outside + "/evil", "x"), lambda: ip.run_line_magic("logstart", outside + "/evil"),
                lambda: ip.run_line_magic("save", f"-f {outside}/evil 1"), lambda: ip.run_line_magic("sx", f"touch {outside}/evil"),
                lambda: ip.run_cell_magic("bash", "", f"touch {outside}/evil"), lambda: ip.system(f"touch {outside}/evil"),
                lambda: ip.getoutput(f"touch {outside}/evil"), lambda: ip.run_line_magic("cd", outside), lambda: ip.run_line_magic("edit", outside + "/evil"),
                lambda: ip.run_line_magic("notebook", outside + "/evil.ipynb"), lambda: ip.run_line_magic("prun", f"-T {outside}/evil 1")):
    try:
        attempt()
    except BaseException as error:
        refused += 1
print(refused)
ip.system(f"touch {outside}/evil")
