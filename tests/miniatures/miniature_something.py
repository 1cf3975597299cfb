"""Something-Something V2 and Something-Else in miniature, in the layouts of their owners."""

import json
from fractions import Fraction
from pathlib import Path

from miniature_media import detections_of, write_flow, write_video
from moving_square import HEIGHT, WIDTH, Scene, draw_scene

from mmdistill.modalities.detection_file import DetectionWriter

NUM_CLASSES, NUM_FRAMES, RATE = 174, 24, Fraction(12)
TRAIN = ['2', '17', '305', '4410', '13201', '78687', '100904', '180049']
VALIDATION = ['74225', '116154', '198186', '220837']
VIDEOS = [*TRAIN, *VALIDATION]


def write_something(root: Path) -> Path:
    """Lists, videos, flow and detections of both, and the lists of boxes of the paper's authors."""
    scenes = {name: draw_scene(NUM_FRAMES, seed, step=3) for seed, name in enumerate(VIDEOS)}
    with DetectionWriter(root / 'detections.h5', classes=[f'thing {k}' for k in range(80)]) as file:
        for name, scene in scenes.items():
            write_video(root / f'videos/{name}.webm', scene.frames, RATE)
            write_flow(root / 'flow' / name, scene.flow)
            file.write(name, detections_of(scene.squares_F4, HEIGHT, WIDTH, label=41))
    write_lists(root / 'labels', str)
    write_lists(root / 'something_else/dataset_splits/compositional', int)
    boxes = root / 'something_else/boxes'
    for part, names in enumerate((VIDEOS[::2], VIDEOS[1::2]), start=1):
        content = {name: drawn_boxes(name, scenes[name]) for name in names}
        write_json(boxes / f'bounding_box_smthsmth_part{part}.json', content)
    for part, names in (('train', TRAIN), ('val', VALIDATION)):
        content = [layout_entry(name, scenes[name]) for name in names]
        write_json(root / f'something_something_detections/{part}_dataset.json', content)
    return root


def write_lists(folder: Path, number: type) -> None:
    """train.json, validation.json and labels.json; V2 writes its class numbers as text."""
    classes = {f'Doing something in way {k}': number(k) for k in range(NUM_CLASSES)}
    write_json(folder / 'labels.json', classes)
    for part, names in (('train', TRAIN), ('validation', VALIDATION)):
        write_json(folder / f'{part}.json', [entry(name) for name in names])


def entry(name: str) -> dict:
    """Of the owners' lists."""
    template = f'Doing [something] in way {7 * VIDEOS.index(name)}'
    label = template.replace('[something]', 'a cup').lower()
    return dict(id=name, label=label, template=template, placeholders=['a cup'])


def drawn_boxes(name: str, scene: Scene) -> list[dict]:
    """The boxes that people drew, frame by frame."""
    frames = []
    for index, (square, disc) in enumerate(zip(scene.squares_F4, scene.discs_F4, strict=True)):
        labels = [
            dict(box2d=corners(square), category='a cup', standard_category='0000'),
            dict(box2d=corners(disc), category='hand', standard_category='hand'),
        ]
        frame = dict(name=f'{name}/{index + 1:04d}.jpg', labels=labels, nr_instances=2)
        frames.append(dict(frame, gt_placeholders=['a cup']))
    return frames


def layout_entry(name: str, scene: Scene) -> dict:
    """Of the lists of the paper's authors."""
    frames = [
        [
            dict(corners(square), category='object', score=0.9),
            dict(corners(disc), category='hand', score=0.8),
        ]
        for square, disc in zip(scene.squares_F4, scene.discs_F4, strict=True)
    ]
    return dict(id=name, template=entry(name)['template'], size=[WIDTH, HEIGHT], frames=frames)


def corners(box) -> dict[str, float]:
    """A box by the names of its coordinates."""
    return dict(zip(('x1', 'y1', 'x2', 'y2'), map(float, box), strict=True))


def write_json(path: Path, content) -> None:
    """A JSON file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
