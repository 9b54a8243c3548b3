"""The peer of `bench_pipeline`, in a process of its own: FOLDER CORES."""

import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FastTextClassifierFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter


def main() -> None:
    folder, cores = Path(sys.argv[1]), int(sys.argv[2])
    pipeline = [
        ParquetReader(str(folder / "theirs")),
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
        FastTextClassifierFilter(str(folder / "model.bin"), keep_labels=("hq", 0.1)),
        PIIFormatter(),
        ParquetWriter(str(folder / "theirs-out")),
    ]
    logs = str(folder / "logs")
    LocalPipelineExecutor(pipeline, tasks=cores, workers=cores, logging_dir=logs).run()


if __name__ == "__main__":
    main()
