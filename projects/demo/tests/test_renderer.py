"""The demo data set: layout, official columns, frame-exact videos, determinism, restarts."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import decord
import numpy as np
import pytest
from scipy.stats import chisquare

from mmdistill.datasets import EpicKitchensDataset
from projects.demo.rendering.annotations import Segment, with_slips
from projects.demo.rendering.motion import VERBS
from projects.demo.rendering.parameters import DemoParameters
from projects.demo.rendering.renderer import render_demo
from projects.demo.rendering.scene import Request, Scene
from projects.demo.rendering.video import open_encoder

SIZE = (128, 96)
OFFICIAL_COLUMNS = (
    'narration_id,participant_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,'
    'start_frame,stop_frame,narration,verb,verb_class,noun,noun_class,all_nouns,all_noun_classes'
)


@pytest.fixture(scope='module')
def demo(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('demo') / 'demo'
    assert render_demo(out, num_train=24, num_val=9, seed=3)
    return out


@pytest.fixture(scope='module')
def demo_with_slips(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('demo') / 'demo'
    wrong = DemoParameters(verb_slips=0.2, noun_slips=0.2)
    assert render_demo(out, num_train=24, num_val=9, seed=3, params=wrong)
    return out


def rows(path: Path) -> list[dict]:
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_segments_carry_the_official_columns_and_fit_their_videos(demo):
    lengths = {}
    for split, count in (('train', 24), ('validation', 9)):
        path = demo / 'annotations' / f'EPIC_100_{split}.csv'
        more = ',split' if split == 'train' else ''
        assert path.read_text().splitlines()[0] == OFFICIAL_COLUMNS + more
        segments = rows(path)
        assert len(segments) == count
        for row in segments:
            video = demo / row['participant_id'] / 'videos' / f'{row["video_id"]}.MP4'
            if video not in lengths:
                lengths[video] = len(decord.VideoReader(str(video)))
            start, stop = int(row['start_frame']), int(row['stop_frame'])
            assert 1 <= start < stop <= lengths[video] + 1
            assert 14 <= stop - start <= 20
            assert row['start_timestamp'] == f'00:00:{(start - 1) / 10:05.2f}'
            assert row['stop_timestamp'] == f'00:00:{(stop - 1) / 10:05.2f}'
            assert row['noun'] in row['all_nouns'] and row['noun_class'] in row['all_noun_classes']
    assert len({row['narration_id'] for row in segments}) == len(segments)
    info = {row['video_id']: row for row in rows(demo / 'annotations/EPIC_100_video_info.csv')}
    assert {video.stem: length for video, length in lengths.items()} == {
        name: round(float(row['duration']) * float(row['fps'])) for name, row in info.items()
    }


def test_unlabelled_clips_have_times_alone_and_leave_the_others_as_they_are(demo, tmp_path):
    out = tmp_path / 'more'
    assert render_demo(out, num_train=24, num_val=9, seed=3, num_unlabelled=13)
    before, after = digest(demo), digest(out)
    changed = {name for name in before if before[name] != after[name]}
    assert {name.split('/')[0] for name in changed} == {'annotations', 'detector', 'render.json'}
    assert not [name for name in changed if name.startswith('detector/val')]
    labelled, every = (
        rows(out / f'annotations/EPIC_100_{name}.csv') for name in ('train', 'train_all')
    )
    assert labelled == rows(demo / 'annotations/EPIC_100_train.csv') == every[:24]
    assert len(every) == 37
    for row in every[24:]:
        assert row['verb_class'] == row['noun'] == row['narration'] == ''
        assert (out / row['participant_id'] / 'videos' / f'{row["video_id"]}.MP4').is_file()
        assert int(row['start_frame']) < int(row['stop_frame']) and row['split'] == 'train'
    held_out = {row['video_id'] for row in every if row['split'] == 'holdout'}
    assert held_out and not held_out & {r['video_id'] for r in every if r['split'] == 'train'}
    dataset = EpicKitchensDataset(
        'annotations/EPIC_100_train_all.csv',
        data_root=str(out),
        media=dict(rgb='{participant_id}/videos/{video_id}.MP4'),
        labelled='some',
        split='train',
        holdout=dict(column='split'),
    )
    assert len(dataset) == 37 - sum(row['split'] == 'holdout' for row in every)


@pytest.mark.parametrize('split', ['train', 'validation'])
def test_frame_numbers_and_timestamps_mean_the_same_segments(demo, split):
    by_number, by_time = (
        EpicKitchensDataset(
            f'annotations/EPIC_100_{split}.csv',
            data_root=str(demo),
            media=dict(rgb='{participant_id}/videos/{video_id}.MP4'),
            video_info=video_info,
            serialize_data=False,
        )
        for video_info in (None, 'annotations/EPIC_100_video_info.csv')
    )
    assert len(by_number) == len(by_time) > 0
    for index in range(len(by_number)):
        records = by_number.load_record(index), by_time.load_record(index)
        # The rate of published frames goes by the video's name; the demo has its own.
        assert [record.pop('avg_fps') for record in records] == [50, 10]
        assert records[0] == records[1]
        assert records[0]['flow_stride'] == 1


def test_splits_share_no_video_and_unseen_participants_are_not_in_training(demo):
    train, val = (
        rows(demo / f'annotations/EPIC_100_{split}.csv') for split in ('train', 'validation')
    )
    unseen = rows(demo / 'annotations/EPIC_100_unseen_participant_ids_validation.csv')
    unseen = {row['participant_id'] for row in unseen}
    assert not {row['video_id'] for row in train} & {row['video_id'] for row in val}
    assert unseen and not unseen & {row['participant_id'] for row in train}
    in_val = {row['participant_id'] for row in val}
    assert unseen < in_val
    assert in_val - unseen <= {row['participant_id'] for row in train}


def test_class_files_name_the_labels_and_tails_are_the_rarest(demo):
    train = rows(demo / 'annotations/EPIC_100_train.csv')
    for task in ('verb', 'noun'):
        classes = rows(demo / f'annotations/EPIC_100_{task}_classes.csv')
        keys = {row['id']: row['key'] for row in classes}
        assert all(keys[row[f'{task}_class']] == row[task] for row in train)
        counts = {key: sum(row[f'{task}_class'] == key for row in train) for key in keys}
        tail = {row[task] for row in rows(demo / f'annotations/EPIC_100_tail_{task}s.csv')}
        assert tail and sum(counts[key] for key in tail) <= 0.2 * len(train)
        assert max(counts[k] for k in tail) <= min(counts[k] for k in keys if k not in tail)


def test_detector_set_keeps_to_its_split_and_boxes_lie_in_the_frame(demo):
    for split, csv_name in (('train', 'train'), ('val', 'validation')):
        coco = json.loads((demo / f'detector/{split}.json').read_text())
        segments = rows(demo / f'annotations/EPIC_100_{csv_name}.csv')
        assert coco['categories'][0] == {'id': 1, 'name': 'hand'}
        names = {c['id']: c['name'] for c in coco['categories']}
        assert coco['images'] and coco['annotations']
        for image in coco['images']:
            video, frame = image['file_name'].removesuffix('.jpg').split('_frame_')
            inside = [
                row
                for row in segments
                if row['video_id'] == video
                and int(row['start_frame']) <= int(frame) < int(row['stop_frame'])
            ]
            assert len(inside) == 1
            picture = cv2.imread(str(demo / 'detector' / split / image['file_name']))
            assert picture.shape == (96, 128, 3)
            found = {
                names[a['category_id']] for a in coco['annotations'] if a['image_id'] == image['id']
            }
            assert inside[0]['noun'] in found
        for annotation in coco['annotations']:
            x, y, w, h = annotation['bbox']
            assert x >= 0 and y >= 0 and w >= 2 and h >= 2
            assert x + w <= 128.01 and y + h <= 96.01


def test_detector_frames_are_the_videos_frames(demo):
    """A wrong offset by one frame anywhere between rendering and decoding would show here."""
    images = json.loads((demo / 'detector/train.json').read_text())['images']
    for image in images:
        video, frame = image['file_name'].removesuffix('.jpg').split('_frame_')
        path = demo / video.split('_')[0] / 'videos' / f'{video}.MP4'
        picture = cv2.imread(str(demo / 'detector/train' / image['file_name'])).astype(int)
        decoded = decord.VideoReader(str(path))
        index = int(frame) - 1
        near = range(max(index - 1, 0), min(index + 2, len(decoded)))
        errors = {k: np.abs(decoded[k].asnumpy()[..., ::-1] - picture).mean() for k in near}
        assert min(errors, key=errors.get) == index
        assert errors[index] < 6


def test_encoder_keeps_every_frame_in_its_place(tmp_path):
    quiet = DemoParameters(noise=(0.0, 0.0))
    clip = Scene(Request('push', 'mug', 16, 24, (5,)), _surfaces(), SIZE, quiet)
    frames = [clip.frame(index) for index in range(40)]
    encoder = open_encoder(tmp_path / 'clip.MP4', 10.0, SIZE)
    for frame in frames:
        encoder.write(frame)
    encoder.release()
    reader = decord.VideoReader(str(tmp_path / 'clip.MP4'))
    assert len(reader) == 40 and reader.get_avg_fps() == 10
    assert max(np.diff(reader.get_key_indices())) <= 12
    order = [39, 0, 17, 16, 5, 23]
    for index, decoded in zip(order, reader.get_batch(order).asnumpy(), strict=True):
        assert np.abs(decoded[..., ::-1].astype(int) - frames[index]).mean() < 4


def test_same_seed_gives_the_same_bytes_in_another_process(tmp_path):
    code = (
        'from projects.demo.rendering.renderer import render_demo; '
        f'render_demo({str(tmp_path / "there")!r}, num_train=6, num_val=3, seed=3)'
    )
    subprocess.run(
        [sys.executable, '-c', code], check=True, env={**os.environ, 'PYTHONHASHSEED': '7'}
    )
    render_demo(tmp_path / 'here', num_train=6, num_val=3, seed=3, workers=2)
    assert digest(tmp_path / 'there') == digest(tmp_path / 'here')


def test_same_request_again_does_nothing_and_another_is_refused(demo):
    before = digest(demo)
    assert not render_demo(demo, num_train=24, num_val=9, seed=3)
    with pytest.raises(FileExistsError, match='another rendering .num_val: 9 there.*Delete it'):
        render_demo(demo, num_train=24, num_val=10, seed=3)
    with pytest.raises(FileExistsError, match='other parameters'):
        render_demo(demo, 24, 9, 3, params=DemoParameters(camera_drift=0.0))
    assert digest(demo) == before


def test_foreign_folder_is_refused(tmp_path):
    (tmp_path / 'holiday.txt').write_text('mine')
    with pytest.raises(FileExistsError, match='not a demo rendering'):
        render_demo(tmp_path, num_train=4, num_val=2)
    assert [path.name for path in tmp_path.iterdir()] == ['holiday.txt']


def test_killed_rendering_starts_again_clean(tmp_path, monkeypatch):
    out, drawn = tmp_path / 'demo', []
    whole = Scene.frame

    def dies(scene: Scene, index: int) -> np.ndarray:
        drawn.append(index)
        if len(drawn) == 100:
            raise KeyboardInterrupt
        return whole(scene, index)

    monkeypatch.setattr(Scene, 'frame', dies)
    with pytest.raises(KeyboardInterrupt):
        render_demo(out, num_train=6, num_val=3)
    assert not out.exists()
    assert render_demo(out, num_train=6, num_val=3)
    monkeypatch.undo()
    assert render_demo(tmp_path / 'untroubled', num_train=6, num_val=3)
    assert digest(out) == digest(tmp_path / 'untroubled')


def test_too_few_clips_and_odd_sizes_are_errors(tmp_path):
    with pytest.raises(ValueError, match='Raise --train or --val'):
        render_demo(tmp_path / 'a', num_train=1, num_val=1)
    with pytest.raises(ValueError, match='even width and height'):
        render_demo(tmp_path / 'a', num_train=4, num_val=2, frame_size=(127, 96))


def _surfaces() -> tuple[np.ndarray, np.ndarray]:
    texture = np.random.default_rng(0).integers(60, 200, (40, 48), dtype=np.uint8)
    texture = cv2.resize(texture, (346, 288), interpolation=cv2.INTER_CUBIC)
    texture = cv2.cvtColor(texture, cv2.COLOR_GRAY2BGR)
    return texture, texture[::-1].copy()


def test_slips_misname_segments_and_change_nothing_else(demo, demo_with_slips):
    slipped, true = digest(demo_with_slips), digest(demo)
    differing = {name for name in slipped if slipped[name] != true[name]}
    splits = ('train', 'train_all', 'validation')
    segments = {f'annotations/EPIC_100_{split}.csv' for split in splits}
    assert segments | {'render.json'} <= differing
    assert differing <= segments | {
        'annotations/EPIC_100_tail_verbs.csv',
        'annotations/EPIC_100_tail_nouns.csv',
        'render.json',
    }


def test_a_slip_names_each_other_class_alike():
    segments = [Segment('P01_101', i, 0, 16, 'push', 'mug', 'pan') for i in range(8000)]
    found = with_slips(segments, 0.35, 0.0, np.random.default_rng(0))
    counts = Counter(segment.verb for segment in found)
    assert {segment.noun for segment in found} == {'mug'}
    expected = [8000 * (0.65 if verb == 'push' else 0.05) for verb in VERBS]
    assert chisquare([counts[verb] for verb in VERBS], expected).pvalue > 0.01
