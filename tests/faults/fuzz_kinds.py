"""Every kind of file that people give to the project: how one is made, and how it is read where it comes in.

A kind's reader returns what of the file matters, in a form that can be compared; an error goes through.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import keras
import numpy as np
import yaml

from l3net.audioset.clip import ClipFailure
from l3net.audioset.clip_tables import MANIFEST_COLUMNS, read_clip_list, read_manifest
from l3net.audioset.ontology import read_filter, read_ontology
from l3net.audioset.segment_lists import read_segments
from l3net.cli.embed import _read_list
from l3net.configuration import read_configuration
from l3net.embeddings import soundnet, vggish
from l3net.embeddings.embedding_keras import load_keras_embedding
from l3net.errors import ConfigError
from l3net.feed.batch_filler import ReadPlan
from l3net.feed.batch_reader import read_batches
from l3net.files import read_kept
from l3net.media.audio import read_audio
from l3net.models.l3 import embedding_network
from l3net.models.openl3_weights import read_openl3_weights, write_openl3_weights
from l3net.report.tables import read_table
from l3net.vectors.audio_files import find_audio_files
from l3net.vectors.dataset_vectors import read_dataset_vectors
from l3net.vectors.vector_file import read_to_end, read_vector_metadata, vector_writer
from tests import media_sources, tiny_datasets, tiny_embedding, tiny_shards
from tests.embeddings import test_soundnet, test_vggish
from tests.faults.mutations import mutate_bytes, mutate_text
from tests.stages.loading import stage_function
from tests.stages.test_report_stages import IDENTITIES, write_predictions
from tests.workflow.preset_files import merged

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
ONTOLOGY = ROOT / "resources" / "ontology.json"
SOUND = "aevalsrc=0.3*sin(2*PI*t*(300+80*t))+0.1*sin(2*PI*1700*t):s={rate}:d=2"


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes
    ----------
    make : writes a good file at a path.
    read : returns what of a file matters.
    mutate : (bytes, seed) -> harmed bytes and the name of the harm.
    tells : whether the format carries a checksum or a digest beside it, so that no other content is ever taken.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    mutate: Callable[[bytes, object], tuple[bytes, str]] = mutate_bytes
    tells: bool = False


def digest(*values: object) -> str:
    """Return one short name for values of any kind."""
    found = hashlib.sha256()
    for value in values:
        found.update(np.ascontiguousarray(value).tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return found.hexdigest()[:16]


def _sound(path: Path) -> str:
    return digest(read_audio(path))


def _encoded(*options: str, rate: int = 48000) -> Callable[[Path], object]:
    return lambda path: media_sources.run("-f", "lavfi", "-i", SOUND.format(rate=rate), *options, to=path)


def _video(path: Path) -> object:
    return media_sources.video(path, seconds=3, size="64x48")


def _clip(path: Path) -> str:
    """Cut a clip out of a video as fetch_clips does, and read it."""
    with tempfile.TemporaryDirectory() as folder:
        videos = Path(folder) / "videos"
        videos.mkdir()
        (videos / f"abcdefghijk{path.suffix}").symlink_to(path)
        clips = Path(folder) / "clips.csv"
        clips.write_text('ytid,start_seconds,end_seconds,labels\nabcdefghijk,0.5,2.5,"/m/04rlf"\n')
        manifest, store = Path(folder) / "manifest.csv", Path(folder) / "store"
        where = {"source": "directory", "directory": videos, "store": store, "part": 0, "parts": 1}
        stage_function("fetch_clips")([clips], manifest, **where, short_side=48, preset="ultrafast")
        row = read_manifest(manifest).iloc[0]
        if row["status"] != "ok":
            assert "\n" not in row["reason"]
            assert len(row["reason"]) <= 400, row["reason"]
            raise ClipFailure(row["status"], row["reason"])
        (kept,) = store.rglob("*.mkv")
        return digest(read_audio(kept))


def _write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


SEGMENTS = "# YTID, start_seconds, end_seconds, positive_labels\n" + "".join(
    f'{n:03d}abcdefgh, {n}.000, {n + 10}.000, "/m/04rlf,/m/0342h"\n' for n in range(20)
)
CLIPS = "ytid,start_seconds,end_seconds,labels\n" + "".join(
    f'{n:03d}abcdefgh,{n}.0,{n + 10}.0,"/m/04rlf,/m/0342h"\n' for n in range(20)
)
OBTAINED = "{n:03d}abcdefgh,{n}.0,{m}.0,ok,,1,1000,10.0,30.0,64,48,48000,ab,2026-01-01T00:00:00\n"
MANIFEST = ",".join(MANIFEST_COLUMNS) + "\n" + "".join(OBTAINED.format(n=n, m=n + 10) for n in range(9))
MANIFEST += "009abcdefgh,9.0,19.0,removed,HTTP 404,1,,,,,,,,2026-01-01T00:00:00\n"


def _ontology(path: Path) -> object:
    nodes = json.loads(ONTOLOGY.read_text(encoding="utf-8"))
    return path.write_text(json.dumps(nodes[:12], indent=1), encoding="utf-8")


def _read_configuration(path: Path) -> str:
    try:
        given = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # Snakemake reads the file, and says so itself
        raise ConfigError(f"no YAML: {type(error).__name__}") from None
    if not isinstance(given, dict):
        raise ConfigError("no mapping, says Snakemake")
    return digest(json.dumps(read_configuration(merged(CONFIG, given)), sort_keys=True))


def _dataset_index(path: Path) -> object:
    folder = path.with_suffix(".sounds")
    if not folder.exists():
        tiny_datasets.lay_out_us8k(folder)
    settings = {"layout": "us8k", "source": str(folder)}
    return stage_function("fetch_dataset")("us8k", settings, path, path.with_suffix(".downloads"))


def _read_dataset_index(path: Path) -> str:
    """Embed the data set with a network that costs nothing."""
    settings = {"kind": "hear", "module": "tests.faults.cheap_embedding"}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "vectors.h5"
        named = {"dataset": "us8k", "embedding": "cheap", "settings": settings, "hop_seconds": 0.1}
        stage_function("embed_dataset")(path, output, **named)
        vectors = read_dataset_vectors(output)
        return digest(vectors.filename.tolist(), vectors.label.tolist(), vectors.fold.tolist(), vectors.group.tolist())


def _predictions(path: Path) -> object:
    return write_predictions(path, "dcase2013", "l3-music-mel256", 0.5, front_end="mel256", subset="music")


def _collect_scores(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder) / name for name in ("downstream.csv", "overall.csv", "by_class.csv", "a", "b", "c")]
        stage_function("collect_scores")([path], *outputs, embeddings=IDENTITIES, bootstrap_draws=20)
        return digest(*(output.read_bytes() for output in outputs[:3]))


def _summary(path: Path) -> object:
    rows = "".join(f"us8k,l3-{name},0.{n},0.0{n},10\n" for n, name in enumerate(("a", "b", "c"), start=5))
    return path.write_text(f"dataset,embedding,mean,std,n_folds\n{rows}")


def _shard(path: Path) -> object:
    tiny_shards.write_split(path.parent, path.stem, n_clips=4, share=4)


def _training_batches(path: Path) -> str:
    """Read the samples of a shard as a training does: by its index, which has its digest."""
    return _batches_of_index(path.with_suffix(".json"))


def _batches_of_index(path: Path) -> str:
    plan = ReadPlan(index=str(path), batch_size=4, first_batch=0, end_batch=4, seed=1)
    found = [
        (*(values.copy() for values in batch.arrays.values()), batch.sample_ids, batch.label_mids)
        for batch in read_batches(plan, 0)
    ]
    return digest(*(part for batch in found for part in batch))


def _extract(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "embedding.keras"
        stage_function("extract_embedding")(path, model, pooling=512, subset="music")
        return _vectors_of(model)


def _vectors_of(path: Path) -> str:
    embedding = load_keras_embedding(path)
    sound = np.sin(np.arange(48000) / 20).astype(np.float32)
    return digest(np.round(np.asarray(embedding.network(sound[None])), 3), sorted(embedding.about.items(), key=str))


def _vector_file(path: Path) -> object:
    with vector_writer(path, 8, {"hop_seconds": 0.5, "source": "a.wav"}) as writer:
        writer.append(np.arange(40, dtype=np.float32).reshape(5, 8), np.arange(5) * 0.5)


def _dataset_vectors(path: Path) -> str:
    vectors = read_dataset_vectors(path)
    found = [block for _, block in vectors.blocks(np.arange(vectors.offsets[-1]))]
    return digest(*found, vectors.label.tolist(), vectors.fold.tolist(), vectors.group.tolist(), vectors.offsets)


def _openl3_network() -> keras.Model:
    return embedding_network(tiny_embedding.network(width=1 / 16), pooling=512)


def _openl3(path: Path) -> object:
    return write_openl3_weights(_openl3_network(), path, "audio_embedding_layer")


def _read_openl3(path: Path) -> str:
    network = _openl3_network()
    read_openl3_weights(network, path)
    return digest(*network.get_weights())


# Released networks have tens of millions of weights; narrow ones of the same layers tell as much.
NARROW_SOUNDNET = {
    name: replace(layer, channels=max(1, layer.channels // 64)) for name, layer in soundnet.LAYERS.items()
}
NARROW_VGGISH = {name: (*shape[:-2], max(shape[-2] // 64, 1), shape[-1] // 64) for name, shape in vggish.LAYERS.items()}
NARROW_VGGISH["fc1/fc1_1"] = (6 * 4 * 8, 64)


def _soundnet(path: Path) -> object:
    with patch.dict(soundnet.LAYERS, NARROW_SOUNDNET), patch.dict(test_soundnet.LAYERS, NARROW_SOUNDNET):
        return test_soundnet.save(path, test_soundnet.drawn())


def _read_soundnet(path: Path) -> str:
    with patch.dict(soundnet.LAYERS, NARROW_SOUNDNET):
        found = soundnet.read_soundnet(path)
    return digest(*(values for layer in found.values() for values in layer.values()))


def _vggish(path: Path) -> object:
    draw, values = np.random.default_rng(1), {}
    for name, shape in NARROW_VGGISH.items():
        values[f"vggish/{name}/weights"] = draw.normal(0, 0.1, shape).astype(np.float32)
        values[f"vggish/{name}/biases"] = draw.normal(0, 0.1, shape[-1]).astype(np.float32)
    test_vggish.write_tf1(path, values)


def _read_vggish(path: Path) -> str:
    with patch.dict(vggish.LAYERS, NARROW_VGGISH):
        found = vggish.read_vggish(path)
    return digest(*(values for pair in found.values() for values in pair))


def _whitening(path: Path) -> object:
    draw = np.random.default_rng(0)
    matrix, means = draw.normal(size=(128, 128)).astype(np.float32), draw.normal(size=(128, 1))
    return np.savez(path, pca_eigen_vectors=matrix, pca_means=means)


def _read_whitening(path: Path) -> str:
    found = vggish.read_whitening(path)
    return digest(found.matrix, found.means)


def _listed(path: Path) -> str:
    found = find_audio_files(_read_list(path), path.parent / "out", ".npz")
    return digest([str(task.source) for task in found])


def _list(path: Path) -> object:
    sounds = [tiny_datasets.write_sound(path.parent / "sounds" / f"{n} ü.wav", n) for n in range(5)]
    names = [str(sound.relative_to(path.parent)) for sound in sounds]
    return path.write_text("\n".join(names) + "\n", encoding="utf-8")


def _mutate_list(data: bytes, seed: object) -> tuple[bytes, str]:
    """Harm a list as any text, but never so that it names the root of this machine, which takes minutes to search."""
    harmed, name = mutate_text(data, seed)
    return b"\n".join(b"/nowhere" if line.strip() == b"/" else line for line in harmed.split(b"\n")), name


def _metadata(path: Path) -> object:
    """Read what `l3net embed` asks a file of vectors; None, which it passes over, counts as refused."""
    found, n_vectors = read_kept(path, read_vector_metadata), read_kept(path, read_to_end)
    if found is None or n_vectors is None:
        raise ConfigError("is passed over and made anew")
    return digest(sorted(found.items()), n_vectors)


def _config(path: Path) -> object:
    return path.write_bytes((ROOT / "presets" / "demo.yaml").read_bytes())


_FILTER = "label,include_children\nAccordion,false\nMusical instrument,true\nAcoustic guitar,false\n"
_MP3 = ("-c:a", "libmp3lame", "-b:a", "96k")

KINDS = {
    file: Kind(file, *how, **more)
    for file, how, more in [
        ("sound.wav", (_encoded(), _sound), {}),
        ("sound.flac", (_encoded("-c:a", "flac"), _sound), {"tells": True}),
        ("sound.mp3", (_encoded(*_MP3), _sound), {}),
        ("sound.ogg", (_encoded("-c:a", "libvorbis"), _sound), {"tells": True}),
        ("sound.opus", (_encoded("-c:a", "libopus"), _sound), {"tells": True}),
        ("sound.m4a", (_encoded("-c:a", "aac"), _sound), {}),
        ("sound.mkv", (_encoded("-c:a", "flac"), _sound), {"tells": True}),
        ("video.mp4", (_video, _clip), {}),
        ("video.mkv", (_video, _clip), {}),
        ("segments.csv", (_write(SEGMENTS), lambda p: digest(read_segments(p).rows())), {"mutate": mutate_text}),
        ("clips.csv", (_write(CLIPS), lambda p: digest(read_clip_list(p).to_csv())), {"mutate": mutate_text}),
        ("manifest.csv", (_write(MANIFEST), lambda p: digest(read_manifest(p).to_csv())), {"mutate": mutate_text}),
        (
            "filter.csv",
            (_write(_FILTER), lambda p: digest(sorted(read_filter(p, read_ontology(ONTOLOGY))))),
            {"mutate": mutate_text},
        ),
        ("ontology.json", (_ontology, lambda p: digest(read_ontology(p))), {"mutate": mutate_text}),
        ("config.yaml", (_config, _read_configuration), {"mutate": mutate_text}),
        ("dataset.csv", (_dataset_index, _read_dataset_index), {"mutate": mutate_text}),
        ("predictions.csv", (_predictions, _collect_scores), {"mutate": mutate_text}),
        ("summary.csv", (_summary, lambda p: digest(read_table(p).to_csv())), {"mutate": mutate_text}),
        ("list.txt", (_list, _listed), {"mutate": _mutate_list}),
        ("shard.h5", (_shard, _training_batches), {"tells": True}),
        ("index.json", (_shard, _batches_of_index), {"mutate": mutate_text}),
        ("checkpoint.h5", (lambda p: tiny_embedding.write_checkpoint(p, width=1 / 16), _extract), {}),
        ("embedding.keras", (lambda p: tiny_embedding.write_embedding(p, 512, width=1 / 16), _vectors_of), {}),
        ("vectors.npz", (_vector_file, _metadata), {}),
        ("vectors.h5", (_vector_file, _metadata), {}),
        ("vectors.parquet", (_vector_file, _metadata), {}),
        ("dataset_vectors.h5", (tiny_datasets.write_embeddings, _dataset_vectors), {}),
        ("openl3.h5", (_openl3, _read_openl3), {}),
        ("soundnet.npy", (_soundnet, _read_soundnet), {}),
        ("vggish.ckpt", (_vggish, _read_vggish), {}),
        ("vggish_pca.npz", (_whitening, _read_whitening), {}),
    ]
}
