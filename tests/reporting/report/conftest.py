"""Runs of small studies with the numbers of their reports, made once."""

import copy

import pytest
import studies

import simulator
from simulator import run_folder
from simulator.experiments.report_numbers import report_numbers
from simulator.finished_run import read_run

NASTY = ('=1+1 <b>bold</b> & "quotes" \'single\'', "مرحبا بالعالم", "Rocket 🚀", "+A1 " + "long name " * 19,
         "-2 |pipe| *star* `code` $x$", "@cmd 中文平台名称", "</script><script>alert(1)</script>")


def _study(name):
    rent = {"ownership": "rent", "throughput": {"distribution": "uniform", "low": 3000, "high": 6000}}
    if name == "two":
        data = studies.study(study="Two", what_ifs={
            "idle": {"description": "Nobody comes.", "set": {"shared.utilization": 0.2}},
            "cheap": {"set": {"platforms.b.rental_price": 0.5}}})
        data["shared"]["token_price"] = 0.5
        return data
    if name == "nasty":
        data = studies.study(study='<script>alert(1)</script> "nasty" & =cmd',
                             description="<img src=x onerror=alert(1)> ![x](http://evil)")
        data["platforms"] = {f"p{k}": {**copy.deepcopy(studies.BOUGHT), "label": label} for k, label in enumerate(NASTY)}
        data["shared"]["utilization"] |= {"source": '=HYPERLINK("http://evil") </script><script>alert(2)</script>',
                                          "grade": "weak", "date": "2020-01"}
        return data
    if name == "twelve":
        data = studies.study(study="Twelve")
        del data["shared"]["energy_price"]
        data["platforms"] = {f"p{k}": {**rent, "label": f"Accelerator {k}", "rental_price": {
            "distribution": "uniform", "low": 1 + k / 10, "high": 2.5 + k / 10}} for k in range(12)}
        return data
    if name == "claimed":
        capex = {"measured": {"distribution": "uniform", "low": 50000, "high": 60000}, "claim": 30000}
        return studies.study(study="A claim", platforms={"a": {**studies.BOUGHT, "capex": capex}})
    if name == "priced":
        data = studies.study(study="With prices")
        data["shared"] |= {"token_price": {"distribution": "uniform", "low": 0.1, "high": 0.3}}
        return data
    if name == "one":
        return studies.study(study="One", platforms={"a": studies.BOUGHT})
    if name == "rent":
        return {"schema": 1, "study": "Rent alone", "simulation": {"trials": 4096}, "shared": {"utilization": 0.5},
                "platforms": {"a": {**rent, "rental_price": 2}}}
    if name == "decades":
        wide = {"ownership": "rent", "throughput": {"distribution": "lognormal", "p5": 1, "p95": 1e6}, "rental_price": 2}
        return {"schema": 1, "study": "Six decades", "simulation": {"trials": 4096}, "shared": {"utilization": 0.5},
                "platforms": {"a": wide, "b": {**rent, "rental_price": 2}}}
    if name == "tie":
        same = {"ownership": "rent", "throughput": 900, "rental_price": 2}
        return {"schema": 1, "study": "Ties", "simulation": {"trials": 4096}, "platforms": {"a": same, "b": same},
                "shared": {"utilization": {"distribution": "uniform", "low": 0.3, "high": 0.8}}}
    assert name == "certain"
    return studies.certain()


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """The folder of a finished run of a named study."""
    made = {}

    def get(name):
        if name not in made:
            place = tmp_path_factory.mktemp(name)
            run = simulator.run(simulator.load(studies.write(place / "study.yaml", _study(name))), what_ifs="all")
            made[name] = run_folder.save(run, place / "runs")
        return made[name]

    return get


@pytest.fixture(scope="session")
def numbers_of(folder_of):
    """The numbers of a report of a named study, with a budget line of 0.2 USD."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = report_numbers(read_run(folder_of(name)), 0.2)
        return made[name]

    return get
