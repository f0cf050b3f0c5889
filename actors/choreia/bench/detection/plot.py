"""The plot: how often each detector is wrong, against how soon it is right; down and left is good.

matplotlib is an extra, and imported when something is to be drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from choreia.bench.detection.scenario import SCENARIOS, Scenario
from choreia.bench.detection.setting import Series
from choreia.bench.detection.trials import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES: Final = (".png", ".svg")
MISSING: Final = "matplotlib is not installed: pip install 'choreia[bench]'"
SECONDS: Final = (0.5, 1, 2, 5, 10)

# Told apart by marker and line, not by colour alone (the colours are Okabe and Ito's, 2008).
STYLES: Final[dict[Series, dict[str, Any]]] = {
    Series.TIMEOUT: {"color": "#000000", "marker": "o", "linestyle": "-", "markersize": 5},
    Series.PHI: {"color": "#d55e00", "marker": "s", "linestyle": "--", "markerfacecolor": "white"},
    Series.PAPER: {"color": "#0072b2", "marker": "^", "linestyle": ":", "markerfacecolor": "white"},
    Series.PEKKO: {"color": "#009e73", "marker": "*", "linestyle": "", "markersize": 14},
    Series.PROBES: {"color": "#cc79a7", "marker": "D", "linestyle": "", "markersize": 8},
}
MEANINGS: Final = {
    Series.TIMEOUT: "fixed timeout, 1.25 to 15 s",
    Series.PHI: "phi, timeout 1.25 to 15 s",
    Series.PAPER: "phi without a pause, threshold 1 to 300",
    Series.PEKKO: "phi with Pekko's defaults",
    Series.PROBES: "silent for 2 s, then 3 indirect probes",
}


def problem(path: Path) -> str:
    """Why nothing can be drawn into this file, or an empty string."""
    if path.suffix.lower() not in SUFFIXES:
        return f"{path.name}: name a file that ends in {' or '.join(SUFFIXES)}"
    return "" if find_spec("matplotlib") is not None else MISSING


def plot(path: Path, made: Sequence[Trial], hours: float) -> None:
    """Draw a panel for each scenario, as PNG or SVG. Raises OSError where it cannot write."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # The same bytes for the same trials: no random ids, no date; text that stays text is small.
    with rc_context({"svg.hashsalt": "choreia", "svg.fonttype": "none"}):
        figure = Figure(figsize=(12, 7.5), layout="constrained")
        *panels, rest = figure.subplots(2, 3, sharex=True, sharey=True).flat
        for scenario, panel in zip(SCENARIOS, panels, strict=True):
            _draw(panel, scenario, made, 0.3 / hours)
        _label_axes(panels, 0.3 / hours)
        _explain(rest, panels[0], hours)
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(path, dpi=120, metadata=metadata)


def _draw(panel: Axes, scenario: Scenario, made: Sequence[Trial], none: float) -> None:
    """The curves; what was never wrong lies at `none`, as there is no logarithm of 0."""
    panel.set_title(f"{scenario.key}: {scenario.title}", fontweight="bold")
    panel.set(xscale="log", yscale="log")
    panel.grid(alpha=0.3)
    panel.axhline(none, color="grey", linewidth=0.8)
    for series, style in STYLES.items():
        outcomes = [t.outcome for t in made if (t.scenario, t.series) == (scenario.key, series)]
        delays = [outcome.mean for outcome in outcomes]
        wrong = [outcome.false_hourly or none for outcome in outcomes]
        panel.plot(delays, wrong, label=MEANINGS[series], **style)


def _label_axes(panels: Sequence[Axes], none: float) -> None:
    from matplotlib.ticker import FuncFormatter

    def hourly(value: float, _: object) -> str:
        return f"{value:g}"

    for panel in panels:
        panel.set_xticks(SECONDS, [f"{seconds:g}" for seconds in SECONDS])
        panel.minorticks_off()
        panel.yaxis.set_major_formatter(FuncFormatter(hourly))
    for panel in panels[::3]:  # the first of its row
        panel.set_ylabel("false suspicions an hour")
        at_axis = panel.get_yaxis_transform()
        panel.text(-0.02, none, "none", transform=at_axis, ha="right", va="center")
    for panel in panels[2:]:  # the lowest of its column
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("seconds from a crash to its suspicion, mean")


def _explain(empty: Axes, drawn: Axes, hours: float) -> None:
    empty.axis("off")
    handles, labels = drawn.get_legend_handles_labels()
    empty.legend(handles, labels, loc="center", frameon=False, fontsize=11, labelspacing=0.9)
    note = f"A heartbeat every second, {hours:,g} hours of each.\nDown and left is better."
    empty.text(0.5, 0.1, note, ha="center", transform=empty.transAxes, fontsize=11)
