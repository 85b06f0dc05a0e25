"""Plot a two-dimensional map of every embedding of every data set, coloured by class."""

import itertools
from pathlib import Path

import numpy as np

from l3net.report import display_name, embedding_titles, figure_style
from l3net.runtime import stage
from l3net.vectors import DatasetVectors, rarest_labels, read_dataset_vectors

_CLIPS_AT_MOST = 2000
_NAMED_UP_TO = 12  # classes
_PANELS_A_ROW = 5


def plot_embedding_map(
    embeddings: list[Path], svg: Path, png: Path, *, identities: dict, seed: int = 0, synthetic: bool = False
) -> None:
    """Draw a panel for each data set (rows) and embedding (columns): the first two principal components of clip means.

    Of more than five embeddings a data set has several rows. Every dimension is standardised first; at most 2000 clips,
    drawn by `seed`, are shown.

    Parameters
    ----------
    embeddings : HDF5 files of embed_dataset.
    identities : for each embedding by its name the ``model`` it was taken from, where it is ours.
    """
    files = [read_dataset_vectors(path) for path in embeddings]
    kinds = {clips.attributes["embedding"]: clips.attributes["kind"] for clips in files}
    titles = embedding_titles({name: {**identities.get(name, {}), "kind": kind} for name, kind in kinds.items()})
    found = {(clips.attributes["dataset"], clips.attributes["embedding"]): clips for clips in files}
    rows, columns = (sorted({key[k] for key in found}) for k in (0, 1))
    n_beside = min(len(columns), _PANELS_A_ROW)
    n_rows = -(-len(columns) // n_beside)
    size = {"height": 1.45 if n_rows == 1 else 1.6, "width": 1.25 * n_beside + 1.6}
    figure, axes = figure_style.panels(n_beside, len(rows) * n_rows, **size)
    for r, dataset in enumerate(rows):
        shown, of_dataset = 0, axes[r * n_rows : (r + 1) * n_rows]
        for ax, embedding in itertools.zip_longest(of_dataset.flat, columns):
            if embedding is None:
                ax.set_visible(False)
                continue
            ax.set_xticks([])
            ax.set_yticks([])
            if r == 0 or n_rows > 1:
                ax.set_title(titles[embedding].replace(" (", "\n("), fontsize=7)
            if (dataset, embedding) in found:
                shown = _scatter(ax, *clip_means(found[dataset, embedding], seed))
        _name_row(of_dataset[0], f"{display_name(dataset)}\nn = {shown} clips")
    note = "a point is a clip, colour and marker its class; principal components 1 and 2"
    if any(clips.has_label_sets for clips in files):
        note += "; of a clip with several labels it is the rarest of them"
    figure_style.save(figure, svg, png, synthetic=synthetic, note=note)


def clip_means(clips: DatasetVectors, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each clip's mean embedding [shape=(n_clips, n_dimensions)] and label, of at most 2000 clips.

    Of clips with several labels it is the rarest; a clip without any has "none".
    """
    chosen = np.arange(clips.label.size)
    if chosen.size > _CLIPS_AT_MOST:
        rng = np.random.Generator(np.random.Philox(seed))
        chosen = np.sort(rng.permutation(chosen.size)[:_CLIPS_AT_MOST])
    labels = clips.label
    if clips.has_label_sets:
        rarest = rarest_labels(clips.label)
        labels = np.where(rarest == "", "none", rarest)
    return np.stack([vectors.mean(axis=0) for vectors in clips.clip_vectors(chosen)]), labels[chosen]


def project(x: np.ndarray) -> np.ndarray:
    """Return the first two principal components [shape=(n, 2)] of standardised rows."""
    deviation = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    left, sizes, _ = np.linalg.svd(x, full_matrices=False)
    return left[:, :2] * sizes[:2]


def _scatter(ax, x: np.ndarray, labels: np.ndarray) -> int:
    """Draw the clips; return how many."""
    points = project(x)
    for k, label in enumerate(sorted(set(labels))):
        here = points[labels == label]
        look = {"color": figure_style.COLOURS[k % 8], "marker": figure_style.MARKERS[(k // 8 + k) % 8]}
        look |= {"edgecolor": "#333333", "lw": 0.2, "label": label.replace("_", " ")}
        ax.scatter(here[:, 0], here[:, 1], s=7, alpha=0.85, rasterized=len(points) > 500, **look)
    return len(points)


def _name_row(axes: np.ndarray, name: str) -> None:
    """Write the data set beside a row, and its classes at the other end where they are few enough to be told apart."""
    axes[0].set_ylabel(name, fontsize=7)
    handles, labels = axes[0].get_legend_handles_labels()
    if 0 < len(labels) <= _NAMED_UP_TO:
        place = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)}
        axes[-1].legend(handles, labels, fontsize=6.5, markerscale=1.6, labelspacing=0.1, handletextpad=0.1, **place)


if __name__ == "__main__":
    stage.main(plot_embedding_map, globals().get("snakemake"))
