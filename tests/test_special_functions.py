"""Special functions alone, and the package beside them."""

import subprocess
import sys


def test_the_functions_are_those_of_the_package_which_can_be_imported_later():
    code = """
import sys
from simulator.special_functions import special
assert "scipy.special" not in sys.modules
found = [special.betaincinv(2, 3, 0.4), special.gammaincinv(2.5, 0.4), special.stdtrit(31, 0.975), special.ndtr(-8.0)]
import scipy.special
import scipy.stats
assert scipy.special.betaincinv is special.betaincinv and scipy.special._ufuncs is special
assert found == [scipy.special.betaincinv(2, 3, 0.4), scipy.special.gammaincinv(2.5, 0.4), scipy.special.stdtrit(31, 0.975),
                 scipy.special.ndtr(-8.0)]
assert abs(scipy.special.logsumexp([0, 0]) - 0.6931471805599453) < 1e-15 and abs(scipy.stats.norm.cdf(0) - 0.5) < 1e-15
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_where_the_package_is_there_already_it_is_taken():
    code = """
import scipy.special
from simulator.special_functions import special
assert special is scipy.special
"""
    subprocess.run([sys.executable, "-c", code], check=True)
