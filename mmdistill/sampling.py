"""Which frames of a clip are seen: those that a test samples, and a modality's own share of them.

Needs NumPy alone: an exported student samples by it, too. What MMAction2 samples in its tests is
computed by the same steps here, and compared with it in the tests.
Shape legend: V = temporal clips, T = frames of a clip.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Keys of `SampleFrames` that draw at random or look at the rate of the video.
_NOT_PLAIN = ('temporal_jitter', 'target_fps')


def sampler_of(step: Mapping[str, Any]) -> Callable[[int], np.ndarray] | None:
    """From the number of frames to those that the step samples in a test: (V, T) int32.

    None for steps of other kinds; MMAction2 has to be asked then.
    """
    options = {key: value for key, value in step.items() if key not in ('type', 'test_mode')}
    name = str(step['type']).rpartition('.')[2]
    if name == 'UniformSample':
        return lambda num_frames: spread_frames(num_frames, **options)
    if name == 'SampleFrames' and not any(options.get(key) for key in _NOT_PLAIN):
        options = {k: v for k, v in options.items() if k not in (*_NOT_PLAIN, 'keep_tail_frames')}
        return lambda num_frames: evenly_sampled(num_frames, **options)
    return None


def evenly_sampled(
    num_frames: int,
    clip_len: int,
    frame_interval: int = 1,
    num_clips: int = 1,
    twice_sample: bool = False,
    out_of_bound_opt: str = 'loop',
) -> np.ndarray:
    """What `SampleFrames` samples in a test: evenly spaced clips, (V, T) int32.

    Args:
        num_frames: Of the video.
        clip_len: T; 1 for the segments of a 2D recognizer.
        frame_interval: From one frame of a clip to the next.
        num_clips: V.
        twice_sample: Take a second set of clips.
        out_of_bound_opt: 'loop' begins again behind the last frame, 'repeat_last' stays at it.
    """
    span = (clip_len - 1) * frame_interval + 1
    if clip_len == 1:
        between = num_frames / num_clips
        starts = np.arange(num_clips) * between
        offsets = starts + between / 2.0
        offsets = np.concatenate([offsets, starts]) if twice_sample else offsets
    else:
        room, count = max(num_frames - span, 0), num_clips * (1 + twice_sample)
        offsets = np.array([room // 2])
        if count > 1:
            between = room / float(max(num_clips - 1, 1))
            offsets = np.round(np.arange(count) * between)
    inds_VT = offsets[:, None] + np.arange(clip_len) * frame_interval
    if out_of_bound_opt == 'loop':
        inds_VT = np.mod(inds_VT, num_frames)
    else:
        inside_VT = inds_VT < num_frames
        last_V1 = (inside_VT * inds_VT).max(axis=1, keepdims=True)
        inds_VT = np.where(inside_VT, inds_VT, last_V1)
    return inds_VT.astype(np.int32)


def spread_frames(num_frames: int, clip_len: int, num_clips: int = 1) -> np.ndarray:
    """What `UniformSample` samples in a test: a frame per segment of the video, (V, T) int32."""
    length = float(num_frames - 1) / clip_len
    starts_T = np.array([int(np.round(length * i)) for i in range(clip_len)])
    shifts_V = [int(length / (num_clips + 1) * (k + 1)) for k in range(num_clips)]
    return np.stack([starts_T + shift for shift in shifts_V]).astype(np.int32)


def frames_at_own_rate(frame_inds_VT: np.ndarray, clip_len: int | None) -> np.ndarray:
    """Spread `clip_len` frames over the span of each clip: (V, T) -> (V, clip_len) indices.

    Several clips of one frame are the segments of a single clip, as 2D recognizers sample them.
    """
    if clip_len is not None and frame_inds_VT.shape[1] == 1:
        frame_inds_VT = frame_inds_VT.reshape(1, -1)
    if clip_len is None or clip_len == frame_inds_VT.shape[1]:
        return frame_inds_VT
    return np.round(positions_at_own_rate(frame_inds_VT, clip_len)).astype(frame_inds_VT.dtype)


def positions_at_own_rate(frame_inds_VT: np.ndarray, clip_len: int | None) -> np.ndarray:
    """As `frames_at_own_rate`, but between frames where a moment falls there: float64.

    For a sensor that is not bound to the video's frames; (V, T) -> (V, clip_len).
    """
    sampled = np.arange(frame_inds_VT.shape[1])
    wanted = np.linspace(0, sampled[-1], clip_len or len(sampled))
    return np.array([np.interp(wanted, sampled, row) for row in frame_inds_VT])
