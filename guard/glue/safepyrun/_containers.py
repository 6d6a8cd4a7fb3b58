"""ContainerEngine: run_code() in containers, through a command line that is docker's or podman's."""

import atexit
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import uuid

from safepyrun._runner import ExecutionOutcome, ask, pinned

IMAGE = "safepyrun-runtime:local"
LABEL = "safepyrun.managed"
#: nothing of the network, no rights, no new ones; what else a run may do is the guard's matter inside
HARDENING = ("--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "256")
_MEMORY_OF_THE_GUARD_MB = 128
#: what a container does between runs: ends when it is told to, which no plain `sleep` does as process 1
_WAIT = "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"


@dataclasses.dataclass(frozen=True, slots=True)
class ContainerInfo:
    id: str
    name: str
    image: str
    state: str
    status: str


@dataclasses.dataclass(frozen=True, slots=True)
class ImageInfo:
    id: str
    repository: str
    tag: str


@dataclasses.dataclass(frozen=True, slots=True)
class CleanupSummary:
    removed_containers: int
    removed_images: int


class ContainerError(RuntimeError):
    """The engine is not there, or did not do what it was told."""


@dataclasses.dataclass(slots=True)
class _Container:
    name: str
    born: float
    runs: int = 0


class _Pool:
    """Containers of one engine, image and memory limit; each is used by one run at a time."""

    def __init__(self, start, remove, size, max_runs, ttl_seconds):
        self.start, self.remove = start, remove
        self.size, self.max_runs, self.ttl_seconds = size, max_runs, ttl_seconds
        self.idle, self.count, self.changed = [], 0, threading.Condition()

    def _is_old(self, container):
        return container.runs >= self.max_runs or time.monotonic() - container.born >= self.ttl_seconds

    def acquire(self, timeout_seconds):
        deadline = time.monotonic() + timeout_seconds
        with self.changed:
            while not self.idle and self.count >= self.size:
                if not self.changed.wait(max(0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise ContainerError(f"no container was free within {timeout_seconds}s")
            container = self.idle.pop() if self.idle else None
            self.count += container is None
        try:
            if container is not None and self._is_old(container):
                self.remove(container.name)
                container = None
            return container or _Container(self.start(), time.monotonic())
        except BaseException:
            self._forget()
            raise

    def release(self, container, is_usable):
        container.runs += 1
        if is_usable and not self._is_old(container):
            with self.changed:
                self.idle.append(container)
                self.changed.notify()
            return
        try:
            self.remove(container.name)
        finally:
            self._forget()

    def _forget(self):
        with self.changed:
            self.count -= 1
            self.changed.notify()

    def close(self):
        with self.changed:
            idle, self.idle = self.idle, []
            self.count -= len(idle)
        for container in idle:
            self.remove(container.name)


def _other_engine(command):
    other = {"docker": "podman", "podman": "docker"}.get(command)
    return f"; {other} is there, too: command=\"{other}\", or --command {other}" if other and shutil.which(other) else ""


class ContainerEngine:
    """Runs code in containers that are used again: at most `pool_size` at once, each for `max_runs` runs or `ttl_seconds`.

    image            has safepyrun installed; `docker/Dockerfile` makes one. Pulled when it is not there
    packages         pinned; a further image is made with them
    command          the program and its first arguments: "docker", ["podman", "--runtime", "runc"]
    run_options      further arguments of its `run`
    docker_context, docker_host, ssh_host, ssh_user, ssh_port, ssh_key_path   where the engine is
    """

    def __init__(self, *, image=None, packages=None, container_registry=None, name=None, pool_size=None, max_runs=None,
                 ttl_seconds=None, acquire_timeout_seconds=None, docker_host=None, docker_context=None, ssh_host=None,
                 ssh_user=None, ssh_port=None, ssh_key_path=None, command="docker", run_options=()):
        if docker_context and (docker_host or ssh_host):
            raise ValueError("Use either docker_context or docker_host/ssh settings, not both")
        for option, value in (("ssh_user", ssh_user), ("ssh_port", ssh_port), ("ssh_key_path", ssh_key_path)):
            if value and not ssh_host:
                raise ValueError(f"{option} requires ssh_host")
        self.packages = pinned(packages)
        self.command = [command] if isinstance(command, str) else list(command)
        self.run_options = list(run_options)
        self.context, self.environment = docker_context, _environment(docker_host, ssh_host, ssh_user, ssh_port, ssh_key_path)
        self.base_image = image or container_registry or IMAGE
        self.name = name or ""
        self.pool_size = pool_size or min(os.cpu_count() or 1, 4)
        self.max_runs, self.ttl_seconds = max_runs or 25, ttl_seconds or 600
        self.acquire_timeout_seconds = acquire_timeout_seconds
        self._pools, self._image, self._lock = {}, None, threading.Lock()
        atexit.register(self.close)

    # ---- running ---------------------------------------------------------------------------------

    def execute(self, request):
        memory_mb = request.payload.get("policy", {}).get("memory_limit_mb", 256)
        try:
            self.check()
            pool = self._pool(memory_mb)
            container = pool.acquire(self.acquire_timeout_seconds or request.timeout_seconds + 2)
        except ContainerError as error:
            return ExecutionOutcome("", "", 125, False, str(error))
        is_usable = False
        try:
            outcome = ask([*self._words(), "exec", "-i", container.name, "safepyrun", "run", "--request"],
                          request.payload, request.timeout_seconds, env=self.environment)
            # What a run wrote must not be there in the next; a container that does not answer is not used again.
            is_usable = outcome.error is None and not outcome.timed_out and self._engine(
                "exec", container.name, "find", "/tmp", "/var/tmp", "-mindepth", "1", "-delete").returncode == 0
            return outcome
        finally:
            pool.release(container, is_usable)

    def close(self):
        """Removes the containers that wait for another run."""
        for pool in self._pools.values():
            pool.close()

    def check(self):
        """A ContainerError when the engine cannot be reached: nothing else runs the code instead."""
        if shutil.which(self.command[0]) is None:
            raise ContainerError(f"there is no program {self.command[0]}: install Docker or Podman, or name yours as command=")
        done = self._engine("info")
        if done.returncode != 0:
            raise ContainerError(f"{self.command[0]} is there, but its engine cannot be reached: {_last_line(done)}"
                                 + _other_engine(self.command[0]))

    def _pool(self, memory_mb):
        with self._lock:
            if self._image is None:
                self._image = self._ensure_image()
            if memory_mb not in self._pools:
                self._pools[memory_mb] = _Pool(lambda: self._start(memory_mb), self._remove, self.pool_size, self.max_runs,
                                               self.ttl_seconds)
            return self._pools[memory_mb]

    def _start(self, memory_mb):
        name = f"safepyrun-{uuid.uuid4().hex[:12]}"
        memory = ("--memory", f"{memory_mb + _MEMORY_OF_THE_GUARD_MB}m") if memory_mb else ()
        self._must("start a container", "run", "-d", "--name", name, "--label", f"{LABEL}=true", *HARDENING, *memory,
                   *self.run_options, self._image, "sh", "-c", _WAIT)
        return name

    def _remove(self, name):
        self._engine("rm", "-f", name)

    # ---- images ----------------------------------------------------------------------------------

    def _ensure_image(self):
        base = self.base_image
        if self._engine("image", "inspect", base).returncode != 0 and self._engine("pull", base).returncode != 0:
            raise ContainerError(f"there is no image {base} and it cannot be pulled: make one with docker/Dockerfile, or name "
                                 "yours as image=")
        if not self.packages:
            return base
        key = hashlib.sha256("|".join((base, self.name, *self.packages)).encode()).hexdigest()[:16]
        tag = f"safepyrun-env:{key}"
        if self._engine("image", "inspect", tag).returncode != 0:
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "Dockerfile"), "w") as file:
                    file.write(f"FROM {base}\nLABEL {LABEL}=true\nRUN python3 -m pip install {' '.join(self.packages)}\n")
                self._must("make an image with the packages", "build", "-t", tag, folder)
        return tag

    # ---- what is there ---------------------------------------------------------------------------

    def list_containers(self, all_states=False):
        """The containers of safepyrun, of any program that uses this engine."""
        lines = self._must("list containers", "ps", *(["-a"] if all_states else []), "--filter", f"label={LABEL}=true",
                           "--format", "{{.ID}}|{{.Names}}|{{.Image}}|{{.State}}|{{.Status}}")
        return [ContainerInfo(*line.split("|", 4)) for line in lines.splitlines() if line.strip()]

    def list_images(self):
        lines = self._must("list images", "image", "ls", "--filter", f"label={LABEL}=true",
                           "--format", "{{.ID}}|{{.Repository}}|{{.Tag}}")
        return [ImageInfo(*line.split("|", 2)) for line in lines.splitlines() if line.strip()]

    def stop_container(self, container_id, timeout_seconds=10):
        self._check_is_managed(container_id)
        self._must("stop the container", "stop", "-t", str(timeout_seconds), container_id)

    def kill_container(self, container_id):
        self._check_is_managed(container_id)
        self._must("kill the container", "kill", container_id)

    def cleanup_stale(self):
        """Removes containers of safepyrun that no longer run, and its images that nobody uses."""
        containers = [container for container in self.list_containers(all_states=True) if container.state != "running"]
        removed = [self._engine("rm", "-f", container.id).returncode for container in containers]
        images = [self._engine("image", "rm", f"{image.repository}:{image.tag}").returncode for image in self.list_images()]
        return CleanupSummary(removed.count(0), images.count(0))

    def _check_is_managed(self, container_id):
        done = self._engine("inspect", "--type", "container", container_id) if not container_id.startswith("-") else None
        try:
            labels = json.loads(done.stdout)[0]["Config"]["Labels"] or {}
        except (AttributeError, ValueError, LookupError, TypeError):
            labels = {}
        if labels.get(LABEL) != "true":
            raise ValueError(f"Container '{container_id}' is not managed by safepyrun and cannot be modified")

    # ---- the command line ------------------------------------------------------------------------

    def _words(self):
        return [*self.command, *(["--context", self.context] if self.context else [])]

    def _engine(self, *arguments):
        try:
            return subprocess.run([*self._words(), *arguments], capture_output=True, text=True, env=self.environment)
        except OSError as error:
            raise ContainerError(f"cannot run {self.command[0]}: {error}") from None

    def _must(self, purpose, *arguments):
        done = self._engine(*arguments)
        if done.returncode != 0:
            raise ContainerError(f"{self.command[0]} cannot {purpose}: {_last_line(done)}")
        return done.stdout


DockerEngine = ContainerEngine


def _environment(docker_host, ssh_host, ssh_user, ssh_port, ssh_key_path):
    environment = dict(os.environ)
    if ssh_host:
        docker_host = f"ssh://{ssh_user}@{ssh_host}" if ssh_user else f"ssh://{ssh_host}"
        port, key = (["-p", str(ssh_port)] if ssh_port else []), (["-i", ssh_key_path] if ssh_key_path else [])
        environment["DOCKER_SSH_COMMAND"] = " ".join(["ssh", *port, *key])
        if ssh_port:
            docker_host += f":{ssh_port}"
    if docker_host:
        environment["DOCKER_HOST"] = docker_host
    return environment


def _last_line(done):
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
