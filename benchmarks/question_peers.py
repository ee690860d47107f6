"""Other tools on the same questions: run by `duplicates.py` and `decontamination.py` with the Python that has them.

    PYTHON benchmarks/question_peers.py datatrove | datatrove-split | text-dedup TEXTS.json OUT.json [KNOWN.json]

TEXTS and KNOWN are lists of texts. OUT tells, by stage, seconds of the clock and of CPU (of all processes), what
cluster each text is in, and which texts have a run of words that KNOWN has. `datatrove` is its blocks as they come:
words by its English tokenizer (spaCy), 5-grams, 14 buckets of 8, one task per core; `datatrove-split` is the same with
words split at spaces, which it offers for no language. Runs are of eight words for both, as in open-r1, since its own
twelve find fewer. `text-dedup` is its MinHash as it comes: 5-grams, threshold 0.7; it has no decontamination.
"""

import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

RUN = 8


def main() -> None:
    """Writes what the tool made of the texts, and what it took."""
    peer, texts, out, *known = sys.argv[1:]
    read = [json.loads(Path(path).read_text(encoding="utf-8")) for path in (texts, *known)]
    with tempfile.TemporaryDirectory() as scratch:
        made = PEERS[peer](Path(scratch), *read)
    Path(out).write_text(json.dumps(made))


def made_by(peer: str, python: str, texts: list[str], known: list[str] | None = None) -> dict[str, Any]:
    """What a peer made of the texts, under the Python that has it."""
    with tempfile.TemporaryDirectory() as scratch:
        given = [Path(scratch, name) for name in ("texts.json", "out.json", "known.json")]
        given[0].write_text(json.dumps(texts))
        given[2].write_text(json.dumps(known))
        command = [python, __file__, peer, *map(str, given[: 2 if known is None else 3])]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{peer}: {done.stderr[-2000:]}")
        made: dict[str, Any] = json.loads(given[1].read_text())
    return made


def datatrove(scratch: Path, texts: list[str], known: list[str] | None = None, split: bool = False) -> dict[str, Any]:
    """Its four MinHash blocks, then its filter of n-grams."""
    from datatrove.data import Document
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.decont import NGramsDecontFilter
    from datatrove.pipeline.decont.n_grams import NGramsDecontConfig
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupFilter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.logging import logger
    from datatrove.utils.text import ngrams, simplify_text

    logger.remove()
    language = _spaces() if split else "eng"
    cores = len(os.sched_getaffinity(0))
    lines = [json.dumps({"text": text, "id": str(at)}) for at, text in enumerate(texts)]
    (scratch / "texts").mkdir()
    for rank in range(cores):
        (scratch / f"texts/{rank}.jsonl").write_text("\n".join(lines[rank::cores]) + "\n")
    reader = JsonlReader(str(scratch / "texts"))
    config = MinhashConfig()
    signed, buckets, removed, kept = (str(scratch / name) for name in ("signed", "buckets", "removed", "kept"))

    def run(*steps: tuple[list[Any], int]) -> None:
        for number, (pipeline, tasks) in enumerate(steps):
            logs = tempfile.mkdtemp(dir=scratch, prefix=f"log{number}")
            # Forked, so that what its workers use counts as used by this process's children.
            workers = min(tasks, cores)
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=logs, start_method="fork").run()

    def minhash() -> None:
        cluster = MinhashDedupCluster(buckets, removed, config=config, save_cluster_id=True, save_cluster_size=True)
        run(
            ([reader, MinhashDedupSignature(signed, config=config, language=language)], cores),
            ([MinhashDedupBuckets(signed, buckets, config=config)], config.num_buckets),
            ([cluster], 1),
            ([reader, MinhashDedupFilter(removed, load_cluster_ids=True), JsonlWriter(kept, compression=None)], cores),
        )

    told = {"stages": {"minhash": timed(minhash)}}
    clusters = [str(at) for at in range(len(texts))]
    for rank in range(cores):
        documents = [Document(text=texts[at], id=str(at)) for at in range(rank, len(texts), cores)]
        for _ in MinhashDedupFilter(removed, load_cluster_ids=True).run(iter(documents), rank, cores):
            pass
        for document in documents:
            cluster = document.metadata.get("minhash_cluster_id", -1)
            clusters[int(document.id)] = document.id if cluster == -1 else f"c{cluster}"
    told["clusters"] = clusters
    if known is not None:
        filters = NGramsDecontConfig(n_grams=RUN)
        index = scratch / "index"
        index.mkdir()

        def decontaminate() -> None:
            block = NGramsDecontFilter(str(index), filters, language=language)
            # Its indexer cannot be loaded without lighteval: this is the file that it writes.
            cut = (block.tokenizer.word_tokenize(simplify_text(text, filters.norm_config)) for text in known)
            hashes = {block.hash_func(" ".join(gram)) for words in cut for gram in ngrams(words, RUN)}
            _array(list(hashes), filters).tofile(index / "known.index.hashes")
            writer = JsonlWriter(str(scratch / "clean"), compression=None)
            run(([reader, NGramsDecontFilter(str(index), filters, language=language), writer], cores))

        told["stages"]["ngrams"] = timed(decontaminate)
        clean = {json.loads(line)["id"] for file in (scratch / "clean").glob("*") for line in file.open()}
        told["flagged"] = [str(at) not in clean for at in range(len(texts))]
    return told


def text_dedup(scratch: Path, texts: list[str], known: list[str] | None = None) -> dict[str, Any]:
    """Its MinHash as a command."""
    (scratch / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    command = [sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--split", "train", "--column", "text"]
    command += ["--data_files", str(scratch / "texts.jsonl"), "--cache_dir", str(scratch / "cache"), "--debug"]
    command += ["--output", str(scratch / "out"), "--batch_size", "10000"]
    stage = timed(lambda: subprocess.run(command, check=True, capture_output=True))
    with (scratch / "out/uf.pkl").open("rb") as file:
        union = pickle.load(file)
    return {"stages": {"minhash": stage}, "clusters": [str(union.find(at)) for at in range(len(texts))]}


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of the clock, and of CPU in this process and in those it has started."""
    clock, cpu = time.perf_counter(), _cpu()
    work()
    return {"clock": time.perf_counter() - clock, "cpu": _cpu() - cpu}


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _array(hashes: list[int], config: Any) -> Any:
    import numpy as np

    return np.array(hashes, config.hash_config.np_descr)


def _spaces() -> Any:
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Spaces(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [text]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    return Spaces()


PEERS: dict[str, Callable[..., dict[str, Any]]] = {
    "datatrove": datatrove,
    "datatrove-split": partial(datatrove, split=True),
    "text-dedup": text_dedup,
}


if __name__ == "__main__":
    main()
