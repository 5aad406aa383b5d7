"""Work elsewhere gives the bits of one thread here, whatever dies on the way; and what cannot go on is said in words."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import studies
from typer.testing import CliRunner

import simulator
from simulator.cli.app import app
from simulator.engine.run import is_large, run
from simulator.experiments import batch_tasks, checkpoints, task_of_worker
from simulator.experiments import cluster as cluster_module
from simulator.experiments.batch import run_batch
from simulator.experiments.batch_tasks import Given
from simulator.experiments.cluster import Cluster, ClusterError, DeadlyTaskError, cluster
from simulator.experiments.sensitivity.everything import sensitivity, sensitivity_alone
from simulator.experiments.sweep import run_sweep
from simulator.experiments.what_ifs import run_with_what_ifs
from simulator.run_folder import save
from simulator.study.sweeps import ad_hoc_sweep

distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.filterwarnings("default")  # of Dask's own


@pytest.fixture(scope="module")
def local():
    """Two processes on this machine."""
    with cluster("local", 2) as found:
        yield found


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A study with too many trials to be kept, and its run in one thread."""
    place = tmp_path_factory.mktemp("large") / "study.yaml"
    study = simulator.load(studies.write(place, studies.study(simulation={"trials": 1 << 20, "horizon": 10})))
    assert is_large(study)
    return study, run(study, threads=1)


@pytest.fixture
def small_chunks(monkeypatch):
    """Many tasks, so that there is time to do harm between them."""
    monkeypatch.setattr(cluster_module, "_LEAST", 0)
    monkeypatch.setattr(cluster_module, "_LONGEST", 0.0)
    monkeypatch.setattr(cluster_module, "_LONGEST_BY_THREADS", 0.0)


def workers_of(found):
    """Process numbers of the workers."""
    return sorted(found._client.run(os.getpid).values())


def same(one, other):
    assert one.records == other.records and one.warnings == other.warnings
    return True


def test_a_large_run_is_that_of_one_thread(local, large):
    study, alone = large
    assert same(run(study, elsewhere=local), alone)
    assert same(run(study, costs_alone=True, elsewhere=local), run(study, costs_alone=True))


def test_a_small_run_stays_here(local, load):
    def never(*_):
        raise AssertionError("a small run was sent away")

    study = load(studies.study(simulation={"trials": 4096, "horizon": 10}))
    assert same(run(study, elsewhere=never), run(study))


def test_what_ifs_and_sweeps_are_those_of_one_thread(local, load):
    study = load(studies.study(simulation={"trials": 1024, "horizon": 10}, what_ifs={
        f"w{k}": {"set": {"shared.utilization": 0.2 + k / 20}} for k in range(8)}))
    here, there = run_with_what_ifs(study, what_ifs="all"), run_with_what_ifs(study, what_ifs="all", on=local)
    assert same(here, there) and here.what_ifs == there.what_ifs and list(here.what_ifs) == [f"w{k}" for k in range(8)]
    sweep = ad_hoc_sweep(study.document, ["shared.utilization=0.2:0.8:5", "platforms.b.rental_price=1,2,3"])
    here, there = run_sweep(study, sweep), run_sweep(study, sweep, on=local)
    assert here.digests == there.digests and here.of_platform.tobytes() == there.of_platform.tobytes()
    assert here.of_pair.tobytes() == there.of_pair.tobytes() and len(here.digests) == 15


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_workers_that_are_killed_change_nothing(large, small_chunks, kills):
    study, alone = large
    with cluster("local", 2) as found:
        done, killed = threading.Event(), []

        def kill():
            while not done.wait(0.7) and len(killed) < kills:
                with contextlib.suppress(ProcessLookupError, IndexError):
                    victim = workers_of(found)[0]
                    os.kill(victim, signal.SIGKILL)
                    killed.append(victim)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            while len(killed) < kills:
                assert same(run(study, elsewhere=found), alone)
        finally:
            done.set()
            killer.join()
    assert len(set(killed)) == kills


def test_workers_that_come_and_go_change_nothing(large, small_chunks):
    study, alone = large
    with (distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as place,
          distributed.Client(place, set_as_default=False) as client):
        found = Cluster(client, "here")
        place.scale(3)
        assert same(run(study, elsewhere=found), alone)
        place.scale(1)
        assert same(run(study, elsewhere=found), alone)


def _deadly(_, what):
    if what == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return what


def test_a_task_that_kills_its_workers_is_told_and_no_other_is_blamed():
    """Tasks that wait on a worker that dies are suspects too, as far as a scheduler can see."""
    with cluster("local", 2) as found:
        for tasks in (["deadly", "one", "two"], ["one", "deadly", "two"], ["one", "two", "three", "deadly"]):
            with pytest.raises(DeadlyTaskError, match=r"^the task deadly: 6 workers that had it died"):
                for _ in found.each(_deadly, None, tasks, lambda what: f"the task {what}"):
                    pass
        assert [answer for _, answer in found.each(_deadly, None, ["one", "two"], str)] == ["one", "two"]


def _takes_memory(marks, what):
    """Takes more than there is, and waits to be found out: always, or when it is done for the first time."""
    mark = marks / what
    if what == "always" or (what == "once" and not mark.exists()):
        mark.touch()
        taken = np.ones(1 << 27)
        time.sleep(20)
        return taken.sum()
    return what


def test_workers_that_run_out_of_memory_change_nothing(large, small_chunks, tmp_path):
    study, alone = large
    with (distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit="700MB",
                                   silence_logs=50) as place,
          distributed.Client(place, set_as_default=False) as client):
        found = Cluster(client, "here")
        seen, taking = [], []

        def progress(share):
            seen.append(share)
            if len(seen) == 8:
                taking.append(client.submit(_takes_memory, tmp_path, "once", pure=False, priority=10))

        before = workers_of(found)
        assert same(run(study, progress=progress, elsewhere=found), alone)
        assert taking[0].result(timeout=60) == "once"
        assert set(workers_of(found)) - set(before), "a worker was killed and another one started"
        with pytest.raises(DeadlyTaskError, match=r"^the task always: .* Their logs say why: out of memory, say"):
            list(found.each(_takes_memory, tmp_path, ["one", "always"], lambda what: f"the task {what}"))


def _raises(_, error):
    raise error


def test_what_a_task_raises_comes_here_as_it_was(local):
    with pytest.raises(MemoryError, match=r"^the task, on a worker: Unable to allocate 3 GiB"):
        list(local.each(_raises, None, [MemoryError("Unable to allocate 3 GiB")], lambda _: "the task"))
    with pytest.raises(OSError, match="No space left") as full:
        list(local.each(_raises, None, [OSError(28, "No space left on device")], lambda _: "the task"))
    assert not isinstance(full.value, ClusterError)


def test_what_narrow_brackets_miss_is_found_elsewhere(local, large, small_chunks, monkeypatch):
    study, alone = large
    passes, every_chunk = [], Cluster.every_chunk
    monkeypatch.setattr("simulator.engine.brackets.STANDARD_ERRORS", 0.7)
    monkeypatch.setattr(Cluster, "every_chunk", lambda *given: passes.append(given) or every_chunk(*given))
    assert same(run(study, elsewhere=local), alone)
    assert len(passes) >= 2


def _both(shared, task):
    return len(shared), task


def test_of_what_is_large_several_tasks_travel_together(local, monkeypatch):
    large, sent = np.random.default_rng(1).bytes(3 * cluster_module._SENT_WITH_EACH), []
    begun = Cluster._begun
    monkeypatch.setattr(Cluster, "_begun", lambda on, job, tasks: sent.append(len(tasks)) or begun(on, job, tasks))
    assert list(local.each(_both, large, range(10), str)) == [(k, (len(large), k)) for k in range(10)]
    assert sent == [4, 4, 2]
    assert list(local.each(_both, b"", range(3), str)) == [(k, (0, k)) for k in range(3)] and sent[3:] == [1, 1, 1]
    with pytest.raises(ZeroDivisionError):
        list(local.each(_divides, large, [1, 0], str))


def _divides(_, task):
    return 1 / task


def test_work_is_counted_by_worker(large, small_chunks):
    study, _ = large
    with cluster("local", 2) as found:
        run(study, elsewhere=found)
        shares = found.tally.shares()
        assert {share.worker for share in shares} == {"0", "1"}
        assert sum(share.trials for share in shares) == found.tally.trials == study.simulation.trials
        assert 0 < found.tally.seconds < 2 * found.tally.elapsed


def test_what_a_task_raises_is_raised_here(local):
    with pytest.raises(ZeroDivisionError):
        list(local.each(lambda _, x: 1 / x, None, [1, 0], str))


def test_a_trial_that_is_not_finite_is_told_as_everywhere(local, load):
    data = studies.study(simulation={"trials": 1 << 18, "horizon": 10})
    data["platforms"]["a"]["capex"] = 1e308
    study = load(data)
    with pytest.raises(Exception) as here:
        run(study)
    with pytest.raises(type(here.value)) as there:
        run(study, elsewhere=local)
    assert str(there.value) == str(here.value)


def test_workers_of_other_versions_are_refused(monkeypatch):
    own = task_of_worker.own_versions()
    monkeypatch.setattr(cluster_module, "own_versions", lambda: {**own, "numba": "0.1"})
    expected = pytest.raises(ClusterError, match=r"workers of other versions would give other results: .*numba .* and not 0\.1")
    with expected, cluster("local", 1):
        pass


def test_a_worker_of_other_versions_that_comes_later_is_refused(local, monkeypatch):
    monkeypatch.setattr(local, "_expected", {**task_of_worker.own_versions(), "kernels": "others"})
    with pytest.raises(ClusterError, match=r"a worker on .* has kernels .* and not others"):
        list(local.each(_deadly, None, ["one"], str))


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr(cluster_module, "_CONNECT", "1s")
    with pytest.raises(ClusterError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"), cluster("tcp://127.0.0.1:9"):
        pass


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'tco-simulator\[cluster\]'"), cluster("local"):
        pass


@pytest.fixture
def processes(tmp_path):
    """A scheduler and its workers as processes of their own; each can be killed."""
    started = []

    def start(*arguments):
        started.append(subprocess.Popen([sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]], cwd=tmp_path,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]

    def scheduler(*more):
        file = tmp_path / f"scheduler{len(started)}.json"
        process = start("dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file),
                        *more)
        end = time.monotonic() + 30
        while not file.exists() or not file.read_text().endswith("}"):
            assert time.monotonic() < end
            time.sleep(0.1)
        return process, json.loads(file.read_text())["address"]

    def worker(address, *more):
        return start("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", *more)

    yield scheduler, worker
    for process in started:
        process.kill()
        process.wait()


def test_a_scheduler_without_workers_is_told(processes):
    _, address = processes[0]()
    expected = pytest.raises(ClusterError, match=f"the scheduler at {address} has no workers; start some: dask worker {address}")
    with expected, cluster(address):
        pass


def test_tls_goes_by_the_settings_of_dask(processes, large, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("a certificate takes the command openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
                    str(key), "-out", str(certificate)], check=True, capture_output=True)
    files = ["--tls-ca-file", str(certificate), "--tls-cert", str(certificate), "--tls-key", str(key)]
    scheduler, worker = processes
    _, address = scheduler("--protocol", "tls", *files)
    worker(address, *files)
    settings = {"ca-file": certificate, "client.cert": certificate, "client.key": key}
    study, alone = large
    with dask.config.set({f"distributed.comm.tls.{name}": str(file) for name, file in settings.items()}):
        _wait_for_workers(address, 1)
        with cluster(address) as found:
            assert address.startswith("tls://") and same(run(study, elsewhere=found), alone)


def _wait_for_workers(address, count):
    with distributed.Client(address, set_as_default=False, timeout="20s") as client:
        client.wait_for_workers(count, timeout=60)


def test_a_scheduler_that_is_gone_is_told_and_another_goes_on(processes, large, small_chunks, tmp_path, monkeypatch):
    study, alone = large
    monkeypatch.setattr(cluster_module, "_LOST_AFTER", 2.0)
    monkeypatch.setattr(checkpoints, "EVERY", 0.0)
    kept = tmp_path / "kept"
    scheduler, worker = processes
    first, address = scheduler()
    worker(address)
    _wait_for_workers(address, 1)
    seen = []

    def progress(share):
        seen.append(share)
        if len(seen) == 20:
            first.kill()

    expected = pytest.raises(ClusterError, match="is gone; what is finished is kept: run the same command again to go on")
    with expected, cluster(address, checkpoints=kept) as found:
        run(study, progress=progress, elsewhere=found)
    (file,) = kept.iterdir()
    added = pickle.loads(file.read_bytes()).added / study.simulation.trials
    assert added > 0.3
    _, address = scheduler()
    worker(address)
    _wait_for_workers(address, 1)
    again = []
    with cluster(address, checkpoints=kept) as found:
        assert same(run(study, progress=again.append, elsewhere=found), alone)
    assert added < again[0] < added + 0.1, "what was finished is not done again"
    assert not list(kept.iterdir()), "nothing is left of a run that is done"


def test_a_worker_that_hangs_is_given_up(processes, large, small_chunks, monkeypatch):
    """A worker that nothing is heard of, as where the network between it and the scheduler is cut."""
    study, alone = large
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "8s")
    scheduler, worker = processes
    _, address = scheduler()
    hanging, _ = worker(address), worker(address)
    _wait_for_workers(address, 2)
    seen = []

    def progress(share):
        seen.append(share)
        if len(seen) == 10:
            hanging.send_signal(signal.SIGSTOP)

    with cluster(address) as found:
        assert same(run(study, progress=progress, elsewhere=found), alone)
    hanging.send_signal(signal.SIGCONT)


CLIENT = """
import os, signal, sys, time
from pathlib import Path
import simulator
from simulator.experiments import checkpoints
from simulator.experiments import cluster as cluster_module
from simulator.experiments.what_ifs import run_with_what_ifs
cluster_module._LEAST = cluster_module._LONGEST = cluster_module._LONGEST_BY_THREADS = checkpoints.EVERY = 0.0
seen = []
def progress(share):
    seen.append(share)
    if len(seen) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    study = simulator.load(sys.argv[1])
    with cluster_module.cluster("local", 2, Path(sys.argv[2])) as found:
        run = run_with_what_ifs(study, progress=progress, on=found)
    print(seen[0], hash(tuple(record.estimate.value for record in run.records)))
"""


def test_a_client_that_is_killed_goes_on_when_it_is_started_again(large, tmp_path):
    _, alone = large
    file = studies.write(tmp_path / "study.yaml", studies.study(simulation={"trials": 1 << 20, "horizon": 10}))
    (tmp_path / "client.py").write_text(CLIENT)

    def start(dies_at):
        return subprocess.run([sys.executable, str(tmp_path / "client.py"), str(file), str(tmp_path / "kept"), str(dies_at)],
                              capture_output=True, text=True, timeout=120)

    assert start(25).returncode == -signal.SIGKILL
    done = start(-1)
    assert done.returncode == 0, done.stderr
    share, value = done.stdout.split()
    assert float(share) > 0.3, "what was finished is not done again"
    assert int(value) == hash(tuple(record.estimate.value for record in alone.records))


def test_a_batch_is_done_elsewhere_too(local, tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    for k in range(3):
        studies.write(folder / f"{k}.yaml", studies.study(
            study=f"study {k}", simulation={"trials": 1024, "horizon": 10, "seed": k},
            what_ifs={"idle": {"set": {"shared.utilization": 0.3}}}))
    (folder / "wrong.yaml").write_text("schema: 1\nstudy: wrong\n")
    files = [(file, True) for file in sorted(folder.iterdir())]
    found, here = (run_batch(files, Given(tmp_path / place, save, what_ifs=("all",)), 1, on=on)
                   for place, on in (("there", local), ("here", None)))
    assert [outcome.status for outcome in found.outcomes] == ["ran", "ran", "ran", "wrong"]
    for one, other in zip(found.outcomes[:3], here.outcomes, strict=False):
        assert (one.folder / "summary.json").read_bytes() == (other.folder / "summary.json").read_bytes()
    again = run_batch(files, Given(tmp_path / "there", save, what_ifs=("all",)), 1, on=local)
    assert [outcome.status for outcome in again.outcomes] == ["skipped", "skipped", "skipped", "wrong"]


def test_a_study_that_kills_workers_stops_no_other(local, tmp_path, monkeypatch):
    folder = tmp_path / "studies"
    folder.mkdir()
    for name in ("deadly", "harmless"):
        studies.write(folder / f"{name}.yaml", studies.study(study=name, simulation={"trials": 1024, "horizon": 10}))
    run_it = batch_tasks.RunTask.do

    def do(task, *given):
        if task.file.stem == "deadly":
            monkeypatch.setattr("simulator.experiments.what_ifs.run_with_what_ifs", dies)
        return run_it(task, *given)

    def dies(*_, **__):
        monkeypatch.undo()
        raise DeadlyTaskError("the what-if worse: 6 workers that had it died")

    monkeypatch.setattr(batch_tasks.RunTask, "do", do)
    found = run_batch([(file, True) for file in sorted(folder.iterdir())], Given(tmp_path / "runs", save), 1, on=local)
    assert [(outcome.study, outcome.status, outcome.why) for outcome in found.outcomes] == [
        ("deadly", "failed", ("the what-if worse: 6 workers that had it died",)), ("harmless", "ran", ())]


def test_the_command_takes_a_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_CONNECT", "1s")
    file = studies.write(tmp_path / "study.yaml", studies.study(simulation={"trials": 1024, "horizon": 10}))
    done = CliRunner().invoke(app, ["run", str(file), "--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path)])
    assert done.exit_code == 1 and "--scheduler tcp://127.0.0.1:9: no scheduler answers" in done.stderr
    done = CliRunner().invoke(app, ["run", str(file), "--scheduler", "local", "--threads", "1", "--out", str(tmp_path), "-q"])
    assert done.exit_code == 0, done.stderr
    assert [folder.name for folder in tmp_path.iterdir() if folder.is_dir()] == ["test"]


def test_sensitivities_are_those_of_this_process(local, load):
    study = load(studies.study(simulation={"trials": 1024, "horizon": 10}))
    asked = (("tornado", "shapley", "value_of_information"), None)
    ((_, found),) = local.each(sensitivity_alone, asked, [study], lambda study: study.name)
    here = sensitivity(study, asked[0])
    assert found.shapley == here.shapley and found.decision == here.decision and found.tornado(0) == here.tornado(0)


def test_a_checkpoint_that_is_none_is_passed_over(local, large, tmp_path, monkeypatch):
    study, alone = large
    written = []
    monkeypatch.setattr(checkpoints, "EVERY", 0.0)
    monkeypatch.setattr(checkpoints.Checkpoint, "remove", lambda checkpoint: written.append(checkpoint.place))
    with_place = Cluster(local._client, "here", tmp_path)
    assert same(run(study, elsewhere=with_place), alone)
    written[0].write_bytes(b"no pickle")
    assert same(run(study, elsewhere=with_place), alone)
