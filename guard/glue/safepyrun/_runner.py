"""Code in a process of its own, for programs without Jupyter: run_code() and its engines.

The work is `safepyrun run`: a guard process for each run, with its limits kept from outside. What stands here
brings a request to it, on this machine or into a container, and its answer back.
"""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tomllib

from ._run_servers import RunServers

#: what the program needs beside the time of the code: to start, to be stopped, to answer
ALLOWANCE_SECONDS = 30
_LISTS = ("allowed_imports", "blocked_imports", "allowed_builtins", "blocked_builtins", "allowed_globals",
          "blocked_globals")
_NUMBERS = ("timeout_seconds", "memory_limit_mb", "max_output_kb")


@dataclasses.dataclass(slots=True)
class RunnerPolicy:
    """What one run may do. The lists of the other mode do not count; importlib is blocked in both."""

    mode: str = "restrict"
    timeout_seconds: int = 5
    memory_limit_mb: int = 256
    max_output_kb: int = 128
    allowed_imports: list = dataclasses.field(default_factory=list)
    blocked_imports: list = dataclasses.field(
        default_factory=lambda: ["os", "subprocess", "socket", "ctypes", "importlib"])
    allowed_builtins: list = dataclasses.field(default_factory=list)
    blocked_builtins: list = dataclasses.field(
        default_factory=lambda: ["eval", "exec", "open", "compile", "breakpoint"])
    allowed_globals: list = dataclasses.field(default_factory=list)
    blocked_globals: list = dataclasses.field(default_factory=list)
    extra_globals: dict = dataclasses.field(default_factory=dict)
    config_path: str | None = None  # a policy file, which then takes the place of all other fields

    def __post_init__(self):
        if self.mode not in ("allow", "restrict"):
            raise ValueError("mode must be 'allow' or 'restrict'")

    @classmethod
    def from_file(cls, config_path):
        """From TOML: the fields, in a table [policy] or at the top. An unknown or wrong one is a ValueError."""
        text = pathlib.Path(config_path).read_text(encoding="utf-8")
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{config_path}: {error}") from None
        table = table.get("policy", table)
        if not isinstance(table, dict):
            raise ValueError(f"{config_path}: 'policy' must be a table")
        for key, value in table.items():
            _check_field(config_path, key, value)
        # A list that a file leaves out is empty: it is not the list of the defaults.
        fields = {name: [] for name in _LISTS} | table
        return cls(**fields, config_path=str(config_path))

    def as_dict(self):
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)
                if field.name != "config_path"}


def _check_field(path, key, value):
    if key in _LISTS:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{path}: '{key}' must be a list of strings")
    elif key in _NUMBERS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError(f"{path}: '{key}' must be a whole number")
    elif key == "extra_globals":
        if not isinstance(value, dict):
            raise ValueError(f"{path}: 'extra_globals' must be a table")
    elif key != "mode":
        raise ValueError(f"{path}: there is no key '{key}'")


@dataclasses.dataclass(slots=True)
class RunnerResult:
    """What became of a run. `denials`: what the guard refused, also where the code went on."""

    ok: bool
    result: object = None
    stdout: str = ""
    stderr: str = ""
    timed_out: bool = False
    resource_exceeded: bool = False
    error: str | None = None
    exit_code: int = 0
    denials: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class ExecutionRequest:
    """What an engine gets."""

    payload: dict
    timeout_seconds: int


@dataclasses.dataclass(slots=True)
class ExecutionOutcome:
    """What an engine gives back: the text of `safepyrun run --request`, or why there is none."""

    stdout: str
    stderr: str
    returncode: int
    timed_out: bool
    error: str | None = None


def run_code(code, engine, input_data=None, policy=None, policy_file=None):
    """Runs `code` where `engine` says and returns a RunnerResult.

    `input_data` (JSON types) is there as a variable, and so are its keys. The result is the variable `result`, else
    the value of the last expression. `policy` and `policy_file` exclude each other.
    """
    if not callable(getattr(engine, "execute", None)):
        raise TypeError("engine has no method execute(): it is a LocalEngine or a ContainerEngine, never guessed")
    policy = _resolve_policy(policy, policy_file)
    payload = {"code": code, "input_data": {} if input_data is None else input_data, "policy": policy.as_dict()}
    json.dumps(payload, allow_nan=False)  # a value that is no JSON is told here, by its own exception
    outcome = engine.execute(ExecutionRequest(payload, policy.timeout_seconds))
    if outcome.timed_out:
        return RunnerResult(ok=False, timed_out=True, exit_code=124,
                            error=outcome.error or f"Execution timed out after {policy.timeout_seconds}s")
    if outcome.error:
        return RunnerResult(ok=False, error=outcome.error, stderr=outcome.stderr, exit_code=outcome.returncode)
    try:
        return RunnerResult(**json.loads(outcome.stdout))
    except (ValueError, TypeError):
        return RunnerResult(ok=False, error="the run gave no answer", stderr=outcome.stderr,
                            exit_code=outcome.returncode or 1)


def _resolve_policy(policy, policy_file):
    if policy is not None and policy_file is not None:
        raise ValueError("Provide either 'policy' or 'policy_file', not both")
    if policy_file is not None:
        return RunnerPolicy.from_file(policy_file)
    if policy is None:
        return RunnerPolicy()
    return RunnerPolicy.from_file(policy.config_path) if policy.config_path is not None else policy


def pinned(packages):
    """The packages, sorted; a ValueError for one that is not `name==version`."""
    packages = sorted({package.strip() for package in packages or () if package.strip()})
    for package in packages:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*==[A-Za-z0-9_.!+-]+", package):
            raise ValueError(f"Package specs must be pinned as 'name==version'. Invalid package: {package}")
    return packages


def program():
    """The program `safepyrun` of this installation: beside the package, never the first on PATH."""
    for folder in pathlib.Path(__file__).resolve().parents:
        if (found := folder / "bin/safepyrun").is_file():
            return str(found)
    raise RuntimeError("the program safepyrun is not where this package is installed")


def _limit(timeout_seconds):
    return timeout_seconds + ALLOWANCE_SECONDS if timeout_seconds > 0 else None


def ask(command, payload, timeout_seconds, **options):
    """One run: `command` reads the request and prints the answer."""
    try:
        done = subprocess.run(command, input=json.dumps(payload), capture_output=True, text=True,
                              timeout=_limit(timeout_seconds), **options)
    except subprocess.TimeoutExpired:
        return ExecutionOutcome("", "", 124, True)
    error = None if done.stdout else (done.stderr.strip() or "the run gave no answer")
    return ExecutionOutcome(done.stdout, done.stderr, done.returncode, False, error)


class LocalEngine:
    """Runs code on this machine, in a virtual environment that is made when it is not there.

    venv_manager  "uv" or "python" (the module venv); what is asked for must be there
    packages      pinned: name==version
    warm          modules that the code will import: they are there when it starts

    Each run has a process that ends with it; from the second run on it is there already, and waits.
    """

    def __init__(self, *, venv_dir, venv_manager="uv", packages=None, warm=()):
        if not str(venv_dir).strip():
            raise ValueError("LocalEngine requires a non-empty 'venv_dir'")
        if venv_manager not in ("uv", "python"):
            raise ValueError("venv_manager must be either 'uv' or 'python'")
        self.venv_dir = pathlib.Path(str(venv_dir).strip()).expanduser().absolute()
        self.venv_manager = venv_manager
        self.packages = pinned(packages)
        self.python = self.venv_dir / "bin/python"
        self._prepare()
        self._servers = RunServers([program(), "run", "--request", "--serve", "--warm", ",".join(warm),
                                    "--python", str(self.python)])

    def execute(self, request):
        answer = self._servers.ask(request.payload, _limit(request.timeout_seconds))
        if answer is None:
            return ExecutionOutcome("", "", 124, True)
        return ExecutionOutcome(answer, "", 0 if answer else 1, False, None if answer else "the run gave no answer")

    def close(self):
        """Ends the processes that wait for the next run; they end with this program as well."""
        self._servers.close()

    def _prepare(self):
        if not self.python.exists():
            self._run("create the virtual environment",
                      ["uv", "venv", "--python", sys.executable] if self.venv_manager == "uv" else
                      [sys.executable, "-m", "venv"], self.venv_dir)
        record = self.venv_dir / ".safepyrun-packages"
        wanted = "".join(f"{package}\n" for package in self.packages)
        if self.packages and (not record.exists() or record.read_text() != wanted):
            self._run("install the packages",
                      ["uv", "pip", "install", "--python", self.python] if self.venv_manager == "uv" else
                      [self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check"], *self.packages)
            record.write_text(wanted)

    def _run(self, purpose, command, *more):
        try:
            done = subprocess.run([*map(str, command), *map(str, more)], capture_output=True, text=True)
        except FileNotFoundError:
            raise RuntimeError(f"cannot {purpose}: there is no program {command[0]}; "
                               "install it, or choose the other venv_manager") from None
        if done.returncode != 0:
            raise RuntimeError(f"cannot {purpose}: {done.stderr.strip()}")
