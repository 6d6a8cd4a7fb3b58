"""What nothing can be faster than: a C program that only answers, a bare Python, IPython's own run_cell.

The C program is made here, with the compiler and libraries that the kernel itself needs; without them its rows say so.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import measures
import peers
import sections
from client import Kernel

REQUIREMENTS = (peers.IPYTHON,)
SOURCE = Path(__file__).with_name("echo_kernel.c")
COLUMNS = {"floor": "floor"}
ROWS = (
    measures.Row("echo_info", "a C program that only answers: start → kernel_info", "ms"),
    measures.Row("echo_result", "… start → result", "ms"),
    measures.Row("echo_one", "… `1` → idle", "ms"),
    measures.Row("echo_control", "… kernel_info on control", "ms"),
    measures.Row("true", "start a program that does nothing", "ms"),
    measures.Row("python", "`python -c pass`", "ms"),
    measures.Row("python_isolated", "`python -I -S -c pass`", "ms"),
    measures.Row("ipython", "`python`, IPython's shell, its `run_cell('1+1')`", "ms"),
    measures.Row("run_cell", "one more `run_cell('pass')`", "µs"),
    measures.Row("exec", "`exec(compile('pass'))`", "µs"),
)
CAPTION = "Wall time with the process's start and end; the last two: CPU time, the best of 200."
IPYTHON = (
    "from IPython.core.interactiveshell import InteractiveShell as S\nfrom traitlets.config import Config\n"
    "c = Config()\nc.HistoryManager.enabled = False\ns = S.instance(config=c)\ns.run_cell('1+1')\n"
)
REPEAT = sections.BEST + """
print(best(lambda: s.run_cell('pass'), 200), best(lambda: exec(compile('pass', '<cell>', 'exec')), 200))
"""


def build_echo(folder: Path) -> Path | None:
    compiler, flags = shutil.which("cc"), None
    if compiler and shutil.which("pkg-config"):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libzmq", "libcrypto"], capture_output=True, text=True)
    if flags is None or flags.returncode != 0:
        return None
    made = folder / "echo_kernel"
    options = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wno-deprecated-declarations"]
    done = subprocess.run([compiler, *options, str(SOURCE), "-o", str(made), *flags.stdout.split()], capture_output=True)
    return made if done.returncode == 0 else None


def visit_echo(samples: measures.Samples, program: Path | None, env: dict, folder: Path, plan: measures.Plan) -> None:
    if program is None:
        for key in ("echo_info", "echo_result", "echo_one", "echo_control"):
            samples.reasons["floor"][key] = "no C compiler with libzmq and libcrypto"
        return
    with Kernel([str(program), "{connection_file}"], env, folder) as kernel:
        sections.attempt(samples, "floor", "echo_info", lambda: kernel.wait_until_up() / 1e6)
        sections.attempt(
            samples, "floor", "echo_result", lambda: (kernel.result_of("1+1") - kernel.started_ns) / 1e6
        )
        samples.values["floor"]["echo_one"] += measures.round_trips(
            kernel, lambda: kernel.run(kernel.cell("1"))[0], plan
        )
        samples.values["floor"]["echo_control"] += measures.round_trips(
            kernel, lambda: measures.ask_info(kernel, kernel.control), plan
        )
        kernel.shut_down()


def run_ms(argv: list[str], env: dict) -> float:
    began = time.perf_counter_ns()
    subprocess.run(argv, env=env, check=True, stdout=subprocess.DEVNULL)
    return sections.milliseconds_since(began)


def measure(quick: bool, safepyrun: Path, environments: Path, python: str) -> dict:
    found = str(peers.environment(environments, "ipython", REQUIREMENTS, python))
    samples = measures.Samples()
    values = samples.values["floor"]
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        folder = Path(home)
        env = peers.clean_environment(folder) | {"IPYTHONDIR": str(folder / "ipython")}
        program = build_echo(folder)
        for _ in range(3 if quick else 11):
            visit_echo(samples, program, env, folder, measures.Plan.of(quick))
            values["true"].append(run_ms(["/bin/true"], env))
            values["python"].append(run_ms([found, "-c", "pass"], env))
            values["python_isolated"].append(run_ms([found, "-I", "-S", "-c", "pass"], env))
            values["ipython"].append(run_ms([found, "-c", IPYTHON], env))
            told = subprocess.run([found, "-c", IPYTHON + REPEAT], env=env, check=True, capture_output=True, text=True)
            for key, value in zip(("run_cell", "exec"), told.stdout.split()[-2:]):
                values[key].append(float(value))
    return sections.section(COLUMNS, ROWS, samples, CAPTION)
