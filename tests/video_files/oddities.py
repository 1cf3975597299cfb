"""What real files have that test files have not: rotation, cuts, several streams, a late start."""

from dataclasses import replace
from fractions import Fraction

import changes
from containers import FRAGMENTED, MP2, MPEG2, MPEG4, OPUS, PCM, VP9
from encode import NUM_FRAMES, SIZE, Picture, Sound
from field_pictures import write_fields
from kinds import Kind, changed, made_from, plain, with_options
from rare import DROPPED, EDITED, write_edited

H264 = Picture()
UNEVEN = [40 * i + 200 * (i // 10) + 7 * (i % 3) for i in range(NUM_FRAMES)]
VFR = replace(H264, times_ms=UNEVEN)
SIDEWAYS = Picture(size=SIZE[::-1], turned=(1, False))
MBAFF = with_options(H264, **{'x264-params': 'interlaced=1:tff=1'})
INTERLACED = with_options(MPEG2, flags='+ildct+ilme')
OPEN_GOP = with_options(H264, **{'x264-params': 'open-gop=1'})
ONE_KEY = with_options(H264, g='1000')
REFRESH = with_options(H264, bf='0', **{'intra-refresh': '1'})
FAST = replace(H264, rate=Fraction(60000, 1001))
SLOW_CAMERA = Picture('mpeg4', DROPPED, times_ms=[40 * n for n in DROPPED], options=dict(g='12'))
ALPHA_VP9 = Picture('libvpx-vp9', pix_fmt='yuva420p', options={'g': '15', 'auto-alt-ref': '0'})
ALPHA_PRORES = Picture('prores_ks', pix_fmt='yuva444p10le', options=dict(profile='4444'))
ALPHA_PNG = Picture('png', pix_fmt='rgba', options={})
LONG, LATE = Sound(seconds=3.4), Sound(start=0.6)
LONG_MP3 = Sound('libmp3lame', 3.4)
LATER, WRAPS = changes.later(5.2), changes.later(2**33 / 90000 - 1)
AFTER_CUT = range(10, NUM_FRAMES)
LONG_SOUND = 'sound longer than the pictures'


def _turned(name: str, turns: int, mirrored: bool = False) -> Kind:
    picture = Picture(size=SIZE[::-1] if turns % 2 else SIZE, turned=(turns, mirrored))
    what = f'turned by {90 * turns}°{", mirrored" if mirrored else ""}'
    return changed(name, what, changes.turned(turns, mirrored), picture, size=SIZE)


def _fields(name: str) -> Kind:
    return Kind(name, 'coded as fields (PAFF)', write_fields, has_sound=False)


KINDS = [
    *(_turned(f'turned_{90 * turns}.mp4', turns) for turns in range(4)),
    *(_turned(f'mirrored_{90 * turns}.mp4', turns, True) for turns in range(4)),
    _turned('turned_90.mkv', 1),
    _turned('turned_180.mkv', 2),
    changed('turned_sei.mp4', 'turned by 90° (SEI)', changes.turned_by_stream, SIDEWAYS, size=SIZE),
    plain('vfr.mp4', 'variable rate', VFR),
    plain('vfr.mkv', 'variable rate', VFR),
    plain('vfr.ts', 'variable rate', VFR),
    plain('vfr.flv', 'variable rate', VFR),
    plain('vfr_fragmented.mp4', 'variable rate, fragmented', VFR, options=FRAGMENTED),
    plain('dropped.avi', 'dropped pictures', SLOW_CAMERA, PCM),
    changed('cut.mp4', 'lossless cut (edit list)', changes.cut(0.4), numbers=AFTER_CUT),
    changed('cut.mov', 'lossless cut (edit list)', changes.cut(0.4), numbers=AFTER_CUT),
    changed('cut_vfr.mp4', 'lossless cut, variable rate', changes.cut(0.6), VFR, AFTER_CUT),
    changed('cut.mkv', 'lossless cut', changes.cut(0.4)),
    Kind('edited.mp4', 'two edits', write_edited, H264, EDITED, has_sound=False, skips=True),
    plain('open_gop.mp4', 'open GOP', OPEN_GOP),
    plain('open_gop.ts', 'open GOP', OPEN_GOP),
    plain('one_key_frame.mp4', 'a single key frame', ONE_KEY),
    plain('intra_refresh.mp4', 'intra refresh for key frames', REFRESH),
    changed('late_start.mp4', 'begins at 5.2 s', LATER),
    changed('late_start.mkv', 'begins at 5.2 s', LATER),
    changed('late_start.ts', 'begins at 5.2 s', LATER),
    changed('wrapped_clock.ts', 'the clock of 33 bits overflows', WRAPS),
    plain('late_sound.mp4', 'sound begins after the pictures', sound=LATE),
    plain('late_sound.mkv', 'sound begins after the pictures', sound=LATE),
    plain('long_sound.mp4', LONG_SOUND, sound=LONG),
    plain('long_sound.mkv', LONG_SOUND, sound=LONG),
    plain('long_sound.ts', LONG_SOUND, sound=LONG),
    plain('long_sound.flv', LONG_SOUND, sound=LONG),
    plain('long_sound_fragmented.mp4', f'{LONG_SOUND}, fragmented', sound=LONG, options=FRAGMENTED),
    plain('long_sound.avi', LONG_SOUND, MPEG4, LONG_MP3),
    plain('odd_size.mp4', 'odd width and height', Picture(size=(97, 65), pix_fmt='yuv444p')),
    plain('odd_size.webm', 'odd width and height', replace(VP9, size=(97, 65)), OPUS),
    plain('ten_bits.mp4', '10 bits', replace(H264, pix_fmt='yuv420p10le')),
    plain('interlaced.mp4', 'interlaced (MBAFF)', MBAFF),
    plain('interlaced.ts', 'interlaced (MBAFF)', MBAFF),
    plain('interlaced.mpg', 'interlaced', INTERLACED, MP2),
    _fields('fields.ts'),
    _fields('fields.mp4'),
    _fields('fields.mkv'),
    plain('alpha.webm', 'transparency', ALPHA_VP9, OPUS),
    plain('alpha_prores.mov', 'transparency', ALPHA_PRORES, PCM),
    plain('alpha_png.mov', 'transparency', ALPHA_PNG, PCM),
    plain('rate_59.94.mp4', '59.94 pictures per second', FAST),
    plain('rate_59.94.mkv', '59.94 pictures per second', FAST),
    plain('one_frame.mp4', 'a single picture', replace(H264, numbers=[0]), None),
    plain('one_frame.mkv', 'a single picture', replace(H264, numbers=[0]), None),
    Kind('cover.mp4', 'cover art', made_from(changes.with_cover)),
    Kind('cover.mkv', 'cover art', made_from(changes.with_cover)),
    Kind('two_streams.mkv', 'the second video stream is the default', changes.two_streams),
    Kind('two_streams.mp4', 'the second video stream is the default', changes.two_streams),
    Kind(
        'joined.ts',
        'time stamps jump back',
        made_from(changes.joined, 'source.ts'),
        numbers=[*range(NUM_FRAMES)] * 2,
        has_sound=False,
        times_matter=False,
    ),
]
