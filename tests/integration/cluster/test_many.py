"""50 kernels at once behind one gateway: one is killed, the others do not notice; they end with the gateway."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import kernelspecs
import psutil
import pytest
from gateway import Gateway
from kernel_process import gone

COUNT = 50


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    kernelspecs.install(folder, "--name", "plain", "--shell", "plain")
    gateway = Gateway(folder, os.environ | kernelspecs.environment(folder))
    yield gateway
    if gateway.process.poll() is None:
        gateway.kill()


def in_parallel(work, items):
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(work, items))


def kernel_processes(gateway):
    return [each for each in psutil.Process(gateway.process.pid).children() if each.name() == "safepyrun"]


def wait_for_another(gateway, spared, timeout=20):
    """The gateway looks after its kernels once in three seconds."""
    deadline = time.monotonic() + timeout
    while len([each for each in kernel_processes(gateway) if each.status() != psutil.STATUS_ZOMBIE]) <= len(spared):
        assert time.monotonic() < deadline, "the gateway has not started another"
        time.sleep(0.1)


def test_fifty_kernels(gateway):
    began = time.monotonic()
    kernels = in_parallel(lambda _: gateway.start_kernel("plain"), range(COUNT))
    started = time.monotonic()
    in_parallel(lambda each: gateway.run(each[1], f"x = {each[0]}"), enumerate(kernels))
    answered = time.monotonic()
    leaders = kernel_processes(gateway)
    family = [each for leader in leaders for each in (leader, *leader.children(recursive=True))]
    memory = sum(each.memory_full_info().pss for each in family)
    print(f"{COUNT} kernels: started in {started - began:.1f} s, have run a cell after {answered - started:.1f} s, {memory / 2**20 / COUNT:.1f} MB each")
    assert len(leaders) == COUNT
    victim, *spared = leaders
    victim.kill()
    wait_for_another(gateway, spared)
    answers = in_parallel(lambda kernel: gateway.run(kernel, "x")[1], kernels)
    assert answers.count("") == 1       # it knows no x: a new one
    assert sum(answer == str(number) for number, answer in enumerate(answers)) == COUNT - 1
    assert set(spared) < set(kernel_processes(gateway))
    gateway.kill()
    assert gone(family, 20)
