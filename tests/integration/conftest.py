"""Kernels for the integration tests.

`kernel` is shared by the tests of a module and runs once with each shell; `front` is a new front end of
it. A test that ends, starves or configures its kernel asks `start_kernel` for one of its own.
"""

import os

import pytest
from kernel_process import KernelProcess

#: SAFEPYRUN_TEST_SHELLS: some of them, with "," in between
SHELLS = os.environ.get("SAFEPYRUN_TEST_SHELLS", "plain,ipython").split(",")


@pytest.fixture(scope="module", params=SHELLS)
def shell(request):
    return request.param


@pytest.fixture(scope="module")
def policy():
    """Of the shared kernel; a module that needs another one overrides it."""
    return None


@pytest.fixture(scope="module")
def kernel(shell, policy, tmp_path_factory):
    kernel = KernelProcess(tmp_path_factory.mktemp("kernel"), shell=shell, policy=policy)
    yield kernel
    kernel.stop()


@pytest.fixture
def front(kernel):
    with kernel.frontend() as frontend:
        yield frontend


@pytest.fixture
def start_kernel(tmp_path):
    started = []

    def start(**keywords):
        started.append(KernelProcess(tmp_path / str(len(started)), **keywords))
        return started[-1]

    yield start
    for kernel in started:
        kernel.stop()
