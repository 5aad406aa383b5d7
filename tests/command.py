"""The command in this process."""

from typer.testing import CliRunner

from simulator.cli.app import app


def tco(*arguments):
    """What the command did with these arguments; an error that no user should see is raised."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done
