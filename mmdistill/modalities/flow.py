"""Optical flow from u/v JPEGs in EPIC-KITCHENS' layout, or from an HDF5 pack."""

from typing import Any

import cv2
import numpy as np

from ..registry import MODALITIES
from .base import Modality
from .flow_encoding import NO_MOTION, flow_image
from .frame_pack import is_pack
from .images import FrameFolder, ImageModality, unique_frames


@MODALITIES.register_module()
class FlowModality(ImageModality):
    """Optical flow, uint8 images of u (horizontal) and v (vertical) with 128 = no motion.

    The record's `flow_stride` (default 1) says that flow image k was computed every so many RGB
    frames: 2 for the EK-55 videos as published, 1 for the extension and for our own extraction.

    Args:
        source: Entry of the record's `media`: a folder that holds the folders `u` and `v`, or an
            HDF5 file with the flow of all clips (`frame_pack`), which has flow for every frame.
        template: File name of an image below `u` and `v`, with its 1-based `{index}`.
        channels: 2 (u, v), or 3 with a constant third channel for RGB backbones.
        **kwargs: See `ImageModality` and `Modality`.
    """

    fill = NO_MOTION

    def __init__(
        self,
        source: str = 'flow',
        template: str = 'frame_{index:010d}.jpg',
        channels: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(source=source, **kwargs)
        if channels not in (2, 3):
            raise ValueError(f'Flow has 2 channels (u, v) or 3 (u, v, constant), got {channels}.')
        self.template = template
        self.channels = channels

    def shares_frames(self, other: Modality) -> bool:
        """The images of a clip are read once, in however many layouts they are wanted."""
        if type(other) is not type(self):
            return False
        mine, others = ((x.source, x.template, x.channels) for x in (self, other))
        return mine == others

    def read(self, record: dict[str, Any], frame_inds_F: np.ndarray) -> np.ndarray:
        """Flow images (F, H, W, channels) at RGB frame indices."""
        if is_pack(self.path(record)):
            return self.pack_of(record).read_flow(record, frame_inds_F, self.channels)
        folders = [FrameFolder(self.path(record) / axis, self.template) for axis in 'uv']

        def read_one(index: int) -> np.ndarray:
            u, v = (folder.read(index, cv2.IMREAD_GRAYSCALE) for folder in folders)
            return flow_image(u, v, self.channels)

        return unique_frames(frame_inds_F // record.get('flow_stride', 1), read_one)

    def move(
        self, frames_F: np.ndarray, crop_4: np.ndarray, flip: bool, size: tuple[int, int]
    ) -> np.ndarray:
        """Move the images; mirroring also turns horizontal motion around."""
        moved = super().move(frames_F, crop_4, flip, size)
        return mirror_flow(moved) if flip else moved


def mirror_flow(flow: np.ndarray) -> np.ndarray:
    """Negate u of uint8 flow (…, channels) around 128, in a copy; 0 saturates at 255."""
    mirrored = flow.copy()
    mirrored[..., 0] = np.minimum(2 * NO_MOTION - flow[..., 0].astype(np.int16), 255)
    return mirrored
