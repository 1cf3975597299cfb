"""Every magnitude of the demo's rendering in one place: sizes, motion, camera, light, noise.

Lengths are fractions of the frame's height, angles are degrees, unless a comment says otherwise.
A pair is the range of a uniform draw. `render.json` records the values a rendering was made with.
"""

from dataclasses import dataclass, fields

from mmdistill.ranges import COUNT, FINITE, FRACTION, ONE_OR_MORE, POSITIVE, SAMPLE_RATE

Range = tuple[float, float]


@dataclass(frozen=True)
class DemoParameters:
    """How the demo clips look and move; the defaults are what `make demo` renders."""

    # Time.
    fps: float = 10.0
    segment_frames: tuple[int, int] = (14, 20)  # inclusive
    gap_frames: tuple[int, int] = (2, 4)  # inclusive; unlabelled frames after each segment
    segments_per_video: int = 12

    # Labels: class k has probability proportional to skew**k, so the last classes are the tail.
    verb_skew: float = 0.92
    noun_skew: float = 0.92
    tail_share: float = 0.2  # the rarest classes that together hold at most this share
    unseen_share: float = 1 / 3  # of the validation videos
    holdout_share: float = 0.2  # of the labelled videos; nothing is trained on them
    # Probability that the narrator of a segment names another class.
    verb_slips: float = 0.0
    noun_slips: float = 0.0

    # Objects.
    object_radius: Range = (0.165, 0.205)
    companion_scale: Range = (0.70, 0.85)  # relative to a target's radius
    distractor_scale: Range = (0.50, 0.70)
    distractors: tuple[int, int] = (0, 2)  # inclusive; besides the companion
    object_rotation: float = 60.0
    object_stretch: Range = (0.90, 1.12)
    random_hue: float = 0.65  # probability that an object ignores its class's usual hue

    # The first frame; drawn alike for every verb.
    start_x: Range = (0.42, 0.58)  # of the frame's width
    start_y: Range = (0.42, 0.58)
    start_height: Range = (0.05, 0.09)  # above the table, seen by the shadow alone
    companion_distance: Range = (0.46, 0.58)
    companion_angle: float = 14.0  # off the horizontal
    arm_angle: float = 28.0  # off the vertical
    reach: Range = (0.16, 0.34)  # from the fingertips to the contact
    grip: Range = (0.35, 0.80)  # contact point: 0 = centre of the target, 1 = its edge

    # Motion.
    distance: Range = (0.11, 0.22)
    direction_jitter: float = 16.0
    lift_height: float = 0.40  # share of a lift that leaves the table instead of moving along it
    perspective: float = 0.55  # growth per unit moved towards the camera along the table
    rise: float = 2.2  # growth per unit moved up from the table
    nudge: Range = (0.0, 0.015)  # what a touch moves
    pretend_gap: Range = (0.03, 0.08)  # between fingertips and target
    approach_end: Range = (0.22, 0.40)  # of the clip
    action_end: Range = (0.65, 0.90)
    withdraw_probability: float = 0.5
    withdraw: Range = (0.08, 0.24)
    hand_tremor: float = 0.004

    # Camera.
    camera_drift: float = 0.05  # largest steady displacement over a clip
    camera_sway: float = 0.018  # amplitude of each of two slow waves
    camera_jitter: float = 0.004  # standard deviation per frame
    camera_roll: float = 2.0
    camera_zoom: float = 0.03

    # Light and sensor.
    gain: Range = (0.78, 1.12)
    warmth: float = 0.07
    gradient: float = 0.22
    vignette: Range = (0.12, 0.30)
    flicker: float = 0.015
    noise: Range = (3.0, 8.0)  # standard deviation, grey levels

    # The sensor that follows the hand.
    keypoint_rate: float = 40.0  # samples per second
    keypoint_noise: float = 0.002  # standard deviation

    # Sound; loudness is the amplitude, where 1 is the loudest that a file can hold.
    sound_rate: int = 16000  # samples per second
    sound_loudness: Range = (0.1, 0.4)
    sleeve_loudness: float = 0.02
    hum_loudness: Range = (0.004, 0.02)

    # Detector's training set.
    detector_frames_per_clip: float = 1.0
    detector_max_frames: int = 700
    detector_visible: float = 0.25  # boxes with less of their area in the frame are left out

    def __post_init__(self) -> None:
        """Raise ValueError where nothing could be rendered; names the parameter."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, tuple):
                FINITE.check_pair(**{field.name: value})
                if value[0] > value[1]:
                    raise ValueError(f'{field.name} must not fall, got {value}.')
            elif field.name.endswith(('_share', '_slips', '_probability', '_hue', '_visible')):
                FRACTION.check(**{field.name: value})
            else:
                FINITE.check(**{field.name: value})
        POSITIVE.check(fps=self.fps, keypoint_rate=self.keypoint_rate)
        POSITIVE.check(verb_skew=self.verb_skew, noun_skew=self.noun_skew)
        ONE_OR_MORE.check(segments_per_video=self.segments_per_video)
        ONE_OR_MORE.check_pair(segment_frames=self.segment_frames)
        COUNT.check_pair(gap_frames=self.gap_frames, distractors=self.distractors)
        SAMPLE_RATE.check(sound_rate=self.sound_rate)
