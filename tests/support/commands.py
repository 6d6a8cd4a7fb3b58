"""Running a program that has to end well."""

import subprocess


def run(*command, **options):
    """What it prints."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout
