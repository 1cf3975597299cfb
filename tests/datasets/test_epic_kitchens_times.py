"""Timestamps of EPIC-KITCHENS become the pictures that are shown at them."""

from fractions import Fraction

import av

from mmdistill.datasets import EpicKitchensDataset


def test_timestamps_are_those_of_the_pictures_where_the_rate_varies(tmp_path):
    """Pictures of 0.04 s, but for a pause of a second after the tenth: 2.0 s is picture 26."""
    video = tmp_path / 'P01' / 'videos' / 'P01_101.MP4'
    video.parent.mkdir(parents=True)
    with av.open(str(video), 'w') as out:
        stream = out.add_stream('mpeg4', rate=25)
        stream.width, stream.height, stream.codec_context.time_base = 64, 48, Fraction(1, 25)
        for number in range(50):
            frame = av.VideoFrame(64, 48, 'yuv420p')
            frame.pts, frame.time_base = number + 25 * (number >= 10), Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    (tmp_path / 'info.csv').write_text('video_id,duration,fps\nP01_101,3.0,16.67\n')
    (tmp_path / 'clips.csv').write_text(
        'narration_id,participant_id,video_id,start_timestamp,stop_timestamp,start_frame,'
        'stop_frame\nP01_101_0,P01,P01_101,00:00:00.20,00:00:02.04,11,102\n'
        'P01_101_1,P01,P01_101,00:00:02.00,00:00:09.00,100,450\n'
    )
    dataset = EpicKitchensDataset(
        'clips.csv',
        data_root=str(tmp_path),
        video_info='info.csv',
        labelled=False,
        media=dict(rgb='{participant_id}/videos/{video_id}.MP4'),
        pipeline=[],
    )
    segments = [dataset.load_record(i) for i in range(2)]
    assert [(r['start_frame'], r['stop_frame']) for r in segments] == [(5, 26), (25, 50)]
    assert [(r['start_index'], r['total_frames']) for r in segments] == [(5, 21), (25, 25)]
