"""Near duplicates as `dedup.minhash` finds them, with the signatures made by datatrove's block on many workers."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from curate.alike.buckets import Shingles, cut_bands
from curate.dedup.minhash import Minhash
from curate.reading.extras import check_installed
from curate.workers.blocks import signed_bands


@dataclass(frozen=True)
class MinhashBlocks(Minhash):
    """Drop every problem that is another form of one that stays, for tables whose signatures take one machine too long.

    Shards of the table go to the workers of the manifest's `engine` (without one, to processes here), where
    datatrove's MinhashDedupSignature signs the same shingles that `dedup.minhash` signs with rensa; what is then
    decided on the candidates, and the facts, are those of `dedup.minhash`. Permutations differ, and with them which of
    the pairs near the threshold are found. On one machine it is many times slower: see docs/engines.md.

    Needs datatrove: pip install 'cotillion[ray]'.
    """

    def __post_init__(self) -> None:
        if self.shingles != "words":
            raise ValueError("shingles: 'characters' is not signed by blocks. Write 'words', or use dedup.minhash.")

    def find(self) -> None:
        """Passes if datatrove is there."""
        check_installed("ray", "datatrove")

    def bands(self, said: pl.DataFrame, cut: Shingles, workers: int) -> Any:
        """By text and band a hash of the band, as `dedup.minhash` has them."""
        count, rows = cut_bands(self.permutations, self.threshold)
        return signed_bands(said["words"], self.n, count, rows, self.seed, workers)
