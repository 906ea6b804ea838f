"""What was measured, and the table of it."""

import csv
import operator
import statistics

COMPARE = {">=": operator.ge, "<=": operator.le}


class Figures:
    """Every measurement, by figure and program, in the order of the rounds."""

    def __init__(self):
        self.all = []
        self.series = {}

    def add(self, figure, program, value):
        values = self.series.setdefault((figure, program), [])
        values.append(value)
        self.all.append((figure, program, len(values), value))

    def median(self, figure, program):
        values = self.series.get((figure, program))
        return statistics.median(values) if values else None

    def ratio(self, figure, program, other_figure, other):
        """The median of the ratios within a round, since the machine's pace changes from
        one round to the next; of the medians when there were not as many rounds."""
        ours = self.series.get((figure, program), [])
        theirs = self.series.get((other_figure, other), [])
        if not ours or not theirs:
            return None
        if len(ours) != len(theirs):
            return statistics.median(ours) / statistics.median(theirs)
        return statistics.median(a / b for a, b in zip(ours, theirs))

    def write_csv(self, path):
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("figure", "program", "round", "value"))
            writer.writerows((f, p, n, f"{v:.9g}") for f, p, n, v in self.all)


class Table:
    """Rows of name, value, reference, ratio, goal, met."""

    HEAD = ("figure", "value", "reference", "ratio", "goal", "met")

    def __init__(self, figures):
        self.figures = figures
        self.rows = []

    def section(self, title):
        self.rows.append((title,))

    def row(self, name, figure, form, reference=None, goal=None, program="authserver"):
        """One figure of a program. form makes text of a value; reference is another figure
        and its program; goal is ('>=' or '<=', number), of the ratio where there is one."""
        value = self.figures.median(figure, program)
        other = self.figures.median(*reference) if reference else None
        ratio = self.figures.ratio(figure, program, *reference) if reference else None
        if ratio is not None:
            ratio = round(ratio, 2)  # judged as it is shown
        judged, judged_form = (ratio, "{:.2f}".format) if reference else (value, form)
        wanted = met = ""
        if goal:
            wanted = f"{goal[0]} {judged_form(goal[1])}"
            met = "not run"
        if goal and judged is not None:
            met = "yes" if COMPARE[goal[0]](judged, goal[1]) else "no"
        self.rows.append((
            name,
            "-" if value is None else form(value),
            "" if other is None else f"{form(other)}  {reference[1]}",
            "" if ratio is None else f"{ratio:.2f}",
            wanted,
            met))

    def __str__(self):
        rows = [self.HEAD] + self.rows
        widths = [max(len(row[i]) for row in rows if len(row) > 1)
                  for i in range(len(self.HEAD))]
        lines = []
        for row in rows:
            if len(row) == 1:
                lines += ["", row[0]]
                continue
            cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]),
                     row[2].ljust(widths[2]), row[3].rjust(widths[3]),
                     row[4].ljust(widths[4]), row[5]]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)
