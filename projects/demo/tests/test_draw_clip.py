"""An annotated video becomes a picture that moves, at the video's pace."""

from fractions import Fraction

import numpy as np
import pytest
from miniature_media import write_video
from PIL import Image

from projects.demo.draw_clip import main


def test_it_has_the_frames_of_the_first_seconds(tmp_path, capsys):
    frames = np.zeros((20, 48, 64, 3), np.uint8)
    frames[:, :, :, 0] = np.arange(20)[:, None, None] * 12
    video, out = tmp_path / 'a.mp4', tmp_path / 'a.webp'
    write_video(video, frames, Fraction(10))
    main([str(video), str(out), '--seconds', '1.2', '--width', '32'])
    picture = Image.open(out)
    assert (picture.n_frames, picture.size) == (12, (32, 24))
    assert 'Wrote' in capsys.readouterr().out
    reds = []
    for number in range(12):
        picture.seek(number)
        reds.append(np.asarray(picture.convert('RGB'))[..., 0].mean())
    assert reds == sorted(reds) and reds[-1] > reds[0] + 60


def test_another_kind_of_file(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path / 'a.mp4'), 'a.gif'])
    assert 'must end with .webp' in capsys.readouterr().err
