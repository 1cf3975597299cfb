"""Containers and codecs, without anything odd beyond what comes with them."""

import subprocess
from pathlib import Path

from encode import Picture, Sound, write
from kinds import Kind, plain, with_options
from rare import ONE_B_FRAME, write_packed

B_FRAMES = dict(bf='2', g='12')
MPEG4 = Picture('mpeg4', options=B_FRAMES)
MPEG1 = Picture('mpeg1video', options=B_FRAMES)
MPEG2 = Picture('mpeg2video', options=B_FRAMES)
HEVC = Picture(
    'libx265', options={'preset': 'ultrafast', 'x265-params': 'keyint=15:log-level=none'}
)
AV1 = Picture('libsvtav1', options=dict(preset='8', g='15', crf='5'))
HIDDEN = {
    'auto-alt-ref': '1',
    'lag-in-frames': '12',
    'deadline': 'good',
    'cpu-used': '5',
    'g': '30',
}
VP8 = Picture('libvpx', options=HIDDEN)
VP9 = Picture('libvpx-vp9', options=HIDDEN)
MJPEG = Picture('mjpeg', pix_fmt='yuvj420p', options={})
PRORES = Picture('prores_ks', pix_fmt='yuv422p10le', options={})
FFV1 = Picture('ffv1', options=dict(g='12'))
GIF = Picture('gif', pix_fmt='rgb8', options={})
H263 = Picture('h263', size=(128, 96), options=dict(g='12'))
FLV1 = Picture('flv', options=dict(g='12'))
WMV = Picture('wmv2', options=dict(g='12'))
MSMPEG4 = Picture('msmpeg4v3', options=dict(g='12'))
MP3, PCM, MP2 = Sound('libmp3lame'), Sound('pcm_s16le'), Sound('mp2')
OPUS, LOW_MP3 = Sound('libopus'), Sound('libmp3lame', rate=44100)
FRAGMENTED = dict(movflags='frag_keyframe+empty_moov+default_base_moof')
M2TS = dict(container_format='mpegts', options=dict(mpegts_m2ts_mode='1'))


def make_theora(path: Path) -> None:
    """By FFmpeg's program: PyAV's wheel has no such encoder."""
    source = path.with_name(f'{path.stem}_source.mkv')
    write(source, [FFV1], Sound('flac'))
    command = f'ffmpeg -v error -y -i {source} -c:v libtheora -q:v 9 -g 12 -c:a libvorbis {path}'
    subprocess.run(command.split(), check=True)
    source.unlink()


KINDS = [
    plain('h264.mp4', 'H.264 with B-frames'),
    plain('hevc.mp4', 'HEVC with B-frames', HEVC),
    plain('mpeg4.mp4', 'MPEG-4 part 2 with B-frames', MPEG4),
    plain('av1.mp4', 'AV1', AV1),
    plain('h264.mov', 'H.264', sound=PCM),
    plain('mjpeg.mov', 'Motion JPEG', MJPEG, PCM),
    plain('prores.mov', 'ProRes', PRORES, PCM),
    plain('fragmented.mp4', 'H.264, fragmented', options=FRAGMENTED),
    plain('h263.3gp', 'H.263', H263),
    plain('h264.mkv', 'H.264 with B-frames'),
    plain('hevc.mkv', 'HEVC with B-frames', HEVC),
    plain('ffv1.mkv', 'FFV1', FFV1, Sound('flac')),
    plain('vp8.webm', 'VP8 with hidden frames', VP8, OPUS),
    plain('vp9.webm', 'VP9 with hidden frames', VP9, OPUS),
    plain('av1.webm', 'AV1', AV1, OPUS),
    plain('xvid.avi', 'MPEG-4 part 2 with B-frames', with_options(MPEG4, vtag='xvid'), MP3),
    Kind('packed.avi', 'packed B-frames', write_packed, ONE_B_FRAME, has_sound=False),
    plain('h264.avi', 'H.264 with B-frames', sound=MP3),
    plain('mjpeg.avi', 'Motion JPEG', MJPEG, PCM),
    plain('msmpeg4.avi', 'MS MPEG-4', MSMPEG4, PCM),
    plain('mpeg1.mpg', 'MPEG-1 with B-frames', MPEG1, MP2),
    plain('mpeg2.mpg', 'MPEG-2 with B-frames', MPEG2, MP2),
    plain('mpeg2.vob', 'MPEG-2 with B-frames', MPEG2, Sound('ac3')),
    plain('h264.ts', 'H.264 with B-frames'),
    plain('hevc.ts', 'HEVC with B-frames', HEVC),
    plain('mpeg2.ts', 'MPEG-2 with B-frames', MPEG2, MP2),
    plain('h264.m2ts', 'H.264 with B-frames', **M2TS),
    plain('h264.flv', 'H.264 with B-frames'),
    plain('flv1.flv', 'Sorenson H.263', FLV1, LOW_MP3),
    plain('wmv2.wmv', 'WMV 8', WMV, Sound('wmav2', rate=44100)),
    plain('picture.gif', 'GIF', GIF, None),
    plain('raw.h264', 'H.264 without a container', sound=None, container_format='h264'),
    Kind('theora.ogv', 'Theora', make_theora, Picture('libtheora'), program=True),
]
