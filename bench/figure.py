"""The benchmark as a picture: seconds of each way as bars, and the arithmetic limit as a line."""

import statistics
import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

import results
from peer import ROOT
from results import PEERS, Content, ours

sys.path.insert(0, str(ROOT / "scripts"))

from study.figures.drawing import INK, MUTED, UNORDERED, log_ticks, settle, sheet
from study.support.files import atomic_path

PEER_COLOUR = "#b8b8b8"


def draw(content: Content, path: Path) -> Path:
    """Write the figure to `path`, PNG."""
    peers = sorted(
        (way for way in results.ways(content) if way in PEERS),
        key=lambda way: _median(content, way),
        reverse=True,
    )
    seeds = content["seeds"]
    title = "Seconds of the whole study (log scale): less is better"
    with sheet(1.3 + 0.32 * (len(peers) + 1), title) as figure:
        for axes, number in zip(
            figure.subplots(1, len(seeds), squeeze=False, sharey=True)[0], seeds, strict=True
        ):
            _bars(axes, content, peers, number)
        settle(figure)
        with atomic_path(path) as temporary:
            FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})
    return path


def _median(content: Content, way: str) -> float:
    return statistics.median(results.measured(content, way, "seconds"))


def _bars(axes: Axes, content: Content, peers: list[str], seeds: int) -> None:
    """One panel: the workflow with `seeds`, and each peer as many times."""
    seconds = {peer: seeds * _median(content, peer) for peer in peers}
    seconds["workflow"] = _median(content, ours(seeds))
    limit = statistics.median(
        results.limit_seconds(one["rate"], seeds) for one in content["rounds"]
    )
    colours = [UNORDERED[0] if way == "workflow" else PEER_COLOUR for way in seconds]
    bars = axes.barh(list(seconds), list(seconds.values()), color=colours, height=0.68)
    labels = [
        f"{time:.0f}" if way == "workflow" else f"{time:.0f}  ({time / seconds['workflow']:.1f} ×)"
        for way, time in seconds.items()
    ]
    axes.bar_label(bars, labels, padding=4, color=INK)
    axes.axvline(limit, color=UNORDERED[1], linestyle=(0, (4, 3)), linewidth=1.4)
    axes.set_xscale("log")
    span = limit / 2, 5 * max(seconds.values())
    axes.set_xlim(span)
    ticks = log_ticks(*span)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(visible=False, axis="y")
    axes.tick_params("y", length=0)
    axes.set_title("one seed" if seeds == 1 else f"{seeds} seeds; the others {seeds} times")
    axes.set_xlabel(f"broken line: the products alone, {limit:.0f} s", color=MUTED)
