"""Behind the command line: the demonstration with its report, the doctor, the terminal. Joins all other packages."""

from cli.demo import demonstrate, serve_demo
from cli.doctor import Finding, examine, findings
from cli.outcome import DemoSettings, Outcome
from cli.report import outcome_table
from cli.simulated import simulated_fleet
from cli.terminal import FlightBars, bars, complaints, console

__all__ = [
    "DemoSettings",
    "Finding",
    "FlightBars",
    "Outcome",
    "bars",
    "complaints",
    "console",
    "demonstrate",
    "examine",
    "findings",
    "outcome_table",
    "serve_demo",
    "simulated_fleet",
]
