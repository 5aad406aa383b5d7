"""Two hosts, with a network between them that is cut: network namespaces, where the machine allows them."""

import os
import shutil
import subprocess
import sys
import textwrap
import time

import pytest
import studies

import simulator
from simulator.engine.run import run

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
HERE, THERE = "10.213.7.1", "10.213.7.2"

CLIENT = """
import subprocess, sys
import simulator
from simulator.engine.run import run
from simulator.experiments import cluster as cluster_module
cluster_module._LEAST = cluster_module._LONGEST = cluster_module._LONGEST_BY_THREADS = 0.0
seen = []
def progress(share):
    seen.append(share)
    if len(seen) == 10:
        print("ten", flush=True)
        sys.stdin.readline()  # until the network is cut
if __name__ == "__main__":
    study = simulator.load(sys.argv[1])
    with cluster_module.cluster(sys.argv[2]) as on:
        print(on._client.wait_for_workers(2, timeout=60) or "both", flush=True)
        found = run(study, progress=progress, elsewhere=on)
        print(hash(tuple(record.estimate.value for record in found.records)), *sorted(
            share.worker.split(":")[1] for share in on.tally.shares()), flush=True)
"""


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True)


@pytest.fixture
def hosts():
    """Names of two namespaces with an address each, joined by a cable."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces take root and the command ip")
    names = tuple(f"tco-{os.getpid()}-{end}" for end in "ab")
    made = [ip("netns", "add", name) for name in names]
    made.append(ip("link", "add", "tco", "netns", names[0], "type", "veth", "peer", "name", "tco", "netns", names[1]))
    for name, address in zip(names, (HERE, THERE), strict=True):
        made += [ip("-n", name, "addr", "add", f"{address}/24", "dev", "tco"), ip("-n", name, "link", "set", "tco", "up"),
                 ip("-n", name, "link", "set", "lo", "up")]
    try:
        if any(done.returncode for done in made):
            pytest.skip("network namespaces are not allowed here")
        yield names
    finally:
        for name in names:
            ip("netns", "delete", name)


@pytest.fixture
def on_host(tmp_path):
    """Start Python on a host; what was started is ended."""
    started = []
    soon = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}  # the least that Dask takes is 11

    def start(host, *arguments):
        started.append(subprocess.Popen(["ip", "netns", "exec", host, sys.executable, *arguments], cwd=tmp_path, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={**os.environ, **soon}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.mark.parametrize("heals", [False, True], ids=["for good", "for some seconds"])
def test_a_cut_network_changes_nothing(hosts, on_host, tmp_path, heals):
    here, there = hosts
    file = studies.write(tmp_path / "study.yaml", studies.study(simulation={"trials": 1 << 20, "horizon": 10}))
    (tmp_path / "client.py").write_text(textwrap.dedent(CLIENT))
    on_host(here, "-m", "distributed.cli.dask_scheduler", "--host", HERE, "--port", "8786", "--no-dashboard")
    for host, address in ((here, HERE), (there, THERE)):
        on_host(host, "-m", "distributed.cli.dask_worker", f"tcp://{HERE}:8786", "--host", address, "--nthreads", "1",
                "--no-dashboard", "--no-nanny")
    for _ in range(20):  # until there is a worker
        client = on_host(here, str(tmp_path / "client.py"), str(file), f"tcp://{HERE}:8786")
        if client.stdout.readline() == "both\n":
            break
        time.sleep(1)
    assert client.stdout.readline() == "ten\n"
    assert not ip("-n", there, "link", "set", "tco", "down").returncode
    client.stdin.write("\n")
    client.stdin.flush()
    if heals:
        time.sleep(4)
        ip("-n", there, "link", "set", "tco", "up")
    value, *workers = client.stdout.readline().split()
    assert f"//{HERE}" in workers
    alone = run(simulator.load(file), threads=1)
    assert int(value) == hash(tuple(record.estimate.value for record in alone.records))
