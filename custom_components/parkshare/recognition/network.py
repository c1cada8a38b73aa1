"""One ncnn network: arrays in, arrays out. The only module that imports ncnn, and only the worker imports it."""

from pathlib import Path

import ncnn
import numpy as np
from numpy.typing import NDArray


class Network:
    """A network with one input and one output, read from NAME.ncnn.param and NAME.ncnn.bin in a folder."""

    def __init__(self, folder: Path, name: str, *, threads: int) -> None:
        self._net = ncnn.Net()
        # ncnn takes all cores unless told; must be set before loading. Its other defaults measured best: bfloat16
        # storage is slower on the processors we tried.
        self._net.opt.num_threads = threads
        # Pools of our own, emptied after each run: ncnn's keep a block for each size they have ever seen, which after
        # some pictures of different sizes holds hundreds of MB.
        self._pools = (ncnn.PoolAllocator(), ncnn.PoolAllocator())
        self._net.opt.blob_allocator, self._net.opt.workspace_allocator = self._pools
        for load, ending in ((self._net.load_param, "param"), (self._net.load_model, "bin")):
            file = folder / f"{name}.ncnn.{ending}"
            if load(str(file)):
                raise OSError(f"ncnn can't load {file.name}")

    def run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run on one contiguous array without a batch dimension; returns a copy of the output."""
        extractor = self._net.create_extractor()
        extractor.input("in0", ncnn.Mat(values))
        failed, output = extractor.extract("out0")
        if failed:
            raise MemoryError(f"ncnn could not finish ({failed})")
        copied = np.array(output, dtype=np.float32)
        # Blobs must go back to the pools before those are emptied.
        del output, extractor
        for pool in self._pools:
            pool.clear()
        return copied
