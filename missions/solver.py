"""The solver of linear and integer programmes."""

from __future__ import annotations

import highspy

__all__ = ["Solver"]


class Solver(highspy.Highs):
    """HiGHS on one thread that prints nothing, not even its banner, which its own constructor writes to the output."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()
        self.setOptionValue("output_flag", False)
        self.setOptionValue("threads", 1)
        self.setOptionValue("parallel", "off")

    def solved(self) -> bool:
        """Solve; whether there is an optimum, or at least a solution that is one of the problem."""
        if self.run() == highspy.HighsStatus.kError:
            # Another solver in this process has set up its threads: they are there, and stay idle.
            self.setOptionValue("threads", 0)
            self.run()
        return bool(self.getInfo().primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible))
