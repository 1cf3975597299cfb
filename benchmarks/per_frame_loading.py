"""Loading as the paper's public code does it, written anew: h5py, Pillow, frame by frame.

JPEGs of a clip come out of HDF5, Pillow decodes them, and every frame goes through resize, crop,
flip and conversion to float by itself; flow is merged from u and v; boxes become a tensor per
frame. Left out, in its favour: colour jitter. Taken from a file as fast as ours: boxes, which the
original parses from text.
Radevski et al., ICCV 2023; https://github.com/gorjanradevski/multimodal-distillation

Shape legend: T = frames, N = boxes.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmdistill.modalities.detection_file import DetectionFile

LARGEST_FIRST_FRAME = 8
NUM_BOXES = 10


class PerFrameClips:
    """Clips of `clips_on_disk`, read from the packs.

    Args:
        root: Folder of the clips.
        names: Names of the clips.
        pixels: Height and width of a clip.
        clip_len: Frames of a clip.
        frame_interval: Distance of two frames.
    """

    def __init__(
        self, root: Path, names: Sequence[str], pixels: int, clip_len: int, frame_interval: int
    ) -> None:
        self.rgb = h5py.File(root / 'rgb.h5')
        self.flow = h5py.File(root / 'flow.h5')
        self.boxes = DetectionFile(root / 'detections.h5')
        self.names = list(names)
        self.pixels = pixels
        self.offsets_T = frame_interval * np.arange(clip_len)
        self.rng = np.random.default_rng(0)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Float tensors: rgb and flow (T, 3, H, W), obj (T, N, 6)."""
        name = self.names[index]
        inds_T = self.rng.integers(0, LARGEST_FIRST_FRAME) + self.offsets_T
        move = FrameTransform(self.pixels, self.rng)
        rows = np.stack([2 * inds_T, 2 * inds_T + 1], axis=1).ravel()
        planes = [_image(content) for content in self.flow[name][rows]]
        flow = [_merge(u, v) for u, v in zip(planes[0::2], planes[1::2], strict=True)]
        rgb = [_image(content) for content in self.rgb[name][inds_T]]
        boxes = [self.boxes.read(name, np.array([i]), NUM_BOXES)[0] for i in inds_T]
        return dict(
            rgb=torch.stack([move(frame) for frame in rgb]),
            flow=torch.stack([move(frame) for frame in flow]),
            obj=torch.stack([torch.from_numpy(frame) for frame in boxes]),
        )


class FrameTransform:
    """Resize to a random size, crop and flip, the same for every frame of a clip.

    Args:
        pixels: Height and width of the crop.
        rng: Draws size, place and flip.
    """

    def __init__(self, pixels: int, rng: np.random.Generator) -> None:
        self.pixels = pixels
        self.short_side = int(pixels * rng.uniform(1.15, 1.43))
        self.place = rng.uniform(0, 1, 2)
        self.flip = rng.uniform() < 0.5

    def __call__(self, frame: Image.Image) -> Tensor:
        """(3, H, W) float32 in 0 to 1."""
        scale = self.short_side / min(frame.size)
        width, height = (round(side * scale) for side in frame.size)
        frame = frame.resize((width, height), Image.Resampling.BILINEAR)
        left = int(self.place[0] * (width - self.pixels))
        top = int(self.place[1] * (height - self.pixels))
        frame = frame.crop((left, top, left + self.pixels, top + self.pixels))
        if self.flip:
            frame = frame.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels_HW3 = torch.from_numpy(np.array(frame))
        return pixels_HW3.permute(2, 0, 1).contiguous().float().div(255)


def _image(content: np.ndarray) -> Image.Image:
    return Image.open(io.BytesIO(bytes(content)))


def _merge(u: Image.Image, v: Image.Image) -> Image.Image:
    return Image.merge('RGB', [u, v, Image.new('L', u.size)])
