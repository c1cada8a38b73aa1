"""The worker process of fast-plate-ocr: finds plates with open-image-models, reads them with fast-plate-ocr.

Both packages run on onnxruntime. A process of its own for the same reasons as worker.py: native code, pictures from
outside. Nothing here is imported by Home Assistant.
"""

import json
import logging
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .alphabet import CHARACTERS, COLUMN
from .contrast import prepared
from .fast_plate import FastPlateModels, is_file
from .frames import pack
from .normalise import normalise
from .pictures import open_picture
from .service_wire import describe
from .types import WHOLE, BadPicture, Effort, LogMatrix, Look, Reading, Region
from .worker_pipe import bound, own_stdout, send, serve

MEMORY_LIMIT: Final = 4 << 30  # bytes of address space, of which onnxruntime reserves more than it uses
THREADS: Final = 2
FLOOR: Final = 1e-6  # probability that no character of a slot falls below
NEVER: Final = 1e-12  # what stands between two slots is a blank and nothing else
MOST_PLATES: Final = 8
SMALLEST_SIDE: Final = 8  # px of a crop


class DownloadError(Exception):
    """A model of a hub could not be fetched."""


class FastPlate:
    """Detector and recogniser. Loading downloads what is not there yet; raises DownloadError, OSError, ValueError."""

    def __init__(self, models: FastPlateModels) -> None:
        # Here and not above: where a package is missing, the reader gets to know it.
        import onnxruntime  # noqa: PLC0415
        from fast_plate_ocr import LicensePlateRecognizer  # noqa: PLC0415
        from fast_plate_ocr.core.process import resize_image  # noqa: PLC0415
        from open_image_models import create_detector  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(THREADS, os.process_cpu_count() or 1)
        # Threads that wait must sleep: the cores are Home Assistant's.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        shared: dict[str, Any] = {"providers": ["CPUExecutionProvider"], "sess_options": options}
        self._resize = resize_image
        ocr, config = _ocr_files(models)
        self._ocr = LicensePlateRecognizer(onnx_model_path=ocr, plate_config_path=config, **shared)
        self._detector: Any = None
        if models.detector:
            detector = models.detector if is_file(models.detector) else str(_detector_file(models))
            self._detector = create_detector(
                detector, backend="yolo_v9", class_labels=("License Plate",), conf_thresh=0.25, **shared
            )
        self._check()

    def read(self, picture: Image.Image, region: Region) -> list[Reading]:
        """Read the plates of an RGB picture's region, surest first; boxes are in pixels of the picture."""
        left, top = round(region.left * picture.width), round(region.top * picture.height)
        right, bottom = round(region.right * picture.width), round(region.bottom * picture.height)
        if min(right - left, bottom - top) < SMALLEST_SIDE:
            return []  # the packages do not expect a picture without pixels
        pixels = np.asarray(picture.crop((left, top, right, bottom)))
        readings = []
        for x1, y1, x2, y2 in self._plates(pixels):
            if min(x2 - x1, y2 - y1) < SMALLEST_SIDE:
                continue
            x, y = left + x1, top + y1
            corners = ((x, y), (left + x2, y), (left + x2, top + y2), (x, top + y2))
            box = tuple((float(across), float(down)) for across, down in corners)
            readings.append(self._read(pixels[y1:y2, x1:x2], box))
        return sorted((r for r in readings if r.text), key=lambda r: -min(r.confidences))

    def _plates(self, pixels: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
        height, width = pixels.shape[:2]
        if self._detector is None:
            return [(0, 0, width, height)]
        found = self._detector.predict(np.ascontiguousarray(pixels[:, :, ::-1]))  # it wants blue, green, red
        found = sorted(found, key=lambda result: -result.confidence)[:MOST_PLATES]
        return [result.bounding_box.clamp(width, height).xyxy for result in found]

    def _read(self, crop: NDArray[np.uint8], box: tuple[tuple[float, float], ...]) -> Reading:
        config = self._ocr.config
        slots = self._slots(np.ascontiguousarray(crop))
        text, confidences = said(slots, config.alphabet, config.pad_char)
        return Reading(text, confidences, box, matrix_of(slots, config.alphabet, config.pad_char))

    def _slots(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities of a crop's slots: slots x characters of the model's alphabet."""
        config = self._ocr.config
        if config.image_color_mode == "grayscale":
            crop = np.asarray(Image.fromarray(crop).convert("L"))
        resized = self._resize(
            crop,
            config.img_height,
            config.img_width,
            image_color_mode=config.image_color_mode,
            keep_aspect_ratio=config.keep_aspect_ratio,
            interpolation_method=config.interpolation,
            padding_color=config.padding_color,
        )
        (output,) = self._ocr.model.run([self._ocr.plate_output_name], {"input": resized[np.newaxis].astype(np.uint8)})
        slots: NDArray[np.float32] = output.reshape(config.max_plate_slots, len(config.alphabet)).astype(np.float32)
        return slots

    def _check(self) -> None:
        """Read a grey patch, so that files which do not belong together fail now and not at the barrier."""
        config = self._ocr.config
        slots = self._slots(np.full((config.img_height, config.img_width, 3), 127, np.uint8))
        sums = slots.sum(axis=1)
        if not np.isfinite(slots).all() or (slots < 0).any() or not np.allclose(sums, 1.0, atol=0.05):
            raise ValueError("its output is no probabilities; the configuration may belong to another model")


def said(slots: NDArray[np.floating], alphabet: str, pad: str) -> tuple[str, tuple[float, ...]]:
    """Return the likeliest text, in our characters, with the probability of each."""
    text, confidences = "", []
    for slot, index in zip(slots, slots.argmax(axis=1).tolist(), strict=True):
        character = "" if alphabet[index] == pad else normalise(alphabet[index])
        if len(character) == 1 and character in CHARACTERS:
            text += character
            confidences.append(min(1.0, max(0.0, round(float(slot[index]), 5))))
    return text, tuple(confidences)


def matrix_of(slots: NDArray[np.floating], alphabet: str, pad: str) -> LogMatrix:
    """Write independent slots as a CTC matrix: each slot one step, its padding the blank, a sure blank between two.

    Exact: a text's alignments are then just the ways to leave slots empty, and the blanks keep equal neighbours apart.
    Characters that we do not compare (separators) count as empty, as in the other readers.
    """
    columns = [0 if c == pad else COLUMN.get(normalise(c), 0) for c in alphabet]
    folded = np.zeros((len(slots), 1 + len(CHARACTERS)), dtype=np.float64)
    np.add.at(folded.T, columns, np.clip(slots, 0.0, 1.0).T)
    folded += FLOOR
    steps = np.full((2 * len(slots) - 1, folded.shape[1]), NEVER)
    steps[1::2, 0] = 1.0
    steps[::2] = folded
    logs: LogMatrix = np.log(steps / steps.sum(axis=1, keepdims=True)).astype(np.float32)
    return logs


def _ocr_files(models: FastPlateModels) -> tuple[Path, Path]:
    if is_file(models.ocr):
        files = Path(models.ocr), Path(models.ocr_config)
        for file in files:
            if not file.is_file():
                raise FileNotFoundError(f"{file} is not there")
        return files
    from fast_plate_ocr.inference import hub  # noqa: PLC0415

    model, config = downloaded(hub.download_model, models.ocr, models.folder)
    return model, config


def _detector_file(models: FastPlateModels) -> Path:
    from open_image_models.detection.core import hub  # noqa: PLC0415

    return Path(downloaded(hub.download_model, models.detector, models.folder))


def downloaded(download: Callable[..., Any], name: str, folder: str) -> Any:
    """Return what a hub's download gives for a model, kept in folder (empty: the hub's own place).

    A hub takes a file that is there for a whole one. So it downloads aside, and what is whole is moved: a power cut in
    between costs the download, not the reader. Raises DownloadError, and ValueError for a name that it does not know.
    """
    if not folder:
        return _tried(download, name, None)
    whole, begun = Path(folder) / name, Path(folder) / f"{name}.part"
    if not whole.is_dir():
        shutil.rmtree(begun, ignore_errors=True)
        try:
            _tried(download, name, begun)
        except DownloadError:
            shutil.rmtree(begun, ignore_errors=True)
            raise
        begun.rename(whole)
    return _tried(download, name, whole)


def _tried(download: Callable[..., Any], name: str, folder: Path | None) -> Any:
    try:
        return download(name, save_directory=folder)
    except OSError as error:
        raise DownloadError(_why(error)) from error


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", "") or error.strerror or error)


def main(models: str) -> int:
    """Load, say so, and serve; returns the exit code."""
    answers = own_stdout()
    bound(MEMORY_LIMIT)
    logging.disable()
    try:
        reader = FastPlate(FastPlateModels(**json.loads(models)))
    except ImportError as error:
        return _give_up(answers, "packages", error)
    except DownloadError as error:
        return _give_up(answers, "download", error)
    except Exception as error:  # noqa: BLE001 - onnxruntime and YAML have errors of their own for files they dislike
        return _give_up(answers, "models", error)
    send(answers, pack({"ready": True}))
    serve(answers, partial(_answer, reader))
    return 0


def _answer(reader: FastPlate, header: dict[str, Any], content: bytes) -> bytes:
    try:
        region = Region(*header["region"]) if "region" in header else WHOLE
        shown = prepared(open_picture(content), Effort(header.get("effort", Effort.USUAL)))
        readings = reader.read(shown, region)
        return pack({"look": describe(Look(tuple(readings), 0.0, "fast_plate_ocr"))})
    except BadPicture as error:
        return pack({"error": "picture", "message": str(error)})
    except MemoryError:
        return pack({"error": "memory", "message": "The picture needs more memory than the reader may use."})


def _give_up(answers: BinaryIO, kind: str, error: Exception) -> int:
    said = " ".join(str(error).split())[:300]
    send(answers, pack({"error": kind, "message": said or type(error).__name__}))
    return 1
